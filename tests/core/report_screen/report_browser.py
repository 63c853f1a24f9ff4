"""A page in headless Chromium, by its DevTools protocol."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from contextlib import asynccontextmanager

from tornado.httpclient import AsyncHTTPClient
from tornado.websocket import websocket_connect

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
_PATIENCE_S = 120


@asynccontextmanager
async def opened(path, profile, width=1300):
    """Open a file; what it asks for, and the errors of its scripts, are kept in `events`."""
    options = ("--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", "--no-first-run")
    command = [CHROMIUM, *options, f"--user-data-dir={profile}", "about:blank"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            page = Page(await websocket_connect(await _address(process), max_message_size=1 << 28))
            for domain in ("Network", "Runtime", "Log", "Page"):
                await page.call(f"{domain}.enable")
            await page.resize(width)
            await page.call("Page.navigate", url=path.as_uri())
            await page.until("document.body && document.body.dataset.ready === 'yes'")
            yield page
        finally:
            process.terminate()
            process.stderr.close()


async def _address(process):
    told = next(line for line in process.stderr if "DevTools listening" in line)
    port = re.search(r":(\d+)/", told)[1]
    answer = await AsyncHTTPClient().fetch(f"http://127.0.0.1:{port}/json/list")
    return next(tab["webSocketDebuggerUrl"] for tab in json.loads(answer.body) if tab["type"] == "page")


class Page:
    """An open page."""

    def __init__(self, socket):
        self.socket, self.events, self._count = socket, [], 0

    async def call(self, method, **parameters):
        self._count += 1
        await self.socket.write_message(json.dumps({"id": self._count, "method": method, "params": parameters}))
        while True:
            message = json.loads(await self.socket.read_message())
            if message.get("id") == self._count:
                assert "error" not in message, message
                return message["result"]
            self.events.append(message)

    async def value(self, expression):
        answer = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    async def until(self, expression):
        end = time.monotonic() + _PATIENCE_S
        while not await self.value(expression):
            assert time.monotonic() < end, f"not within {_PATIENCE_S} s: {expression}; {self.problems()}"

    async def again(self, until):
        """Load the page anew."""
        await self.call("Page.reload")
        await self.until(until)

    async def click(self, selector):
        """Click with the mouse, as only a person may who wants something in the clipboard."""
        place = "(({x, y, width, height}) => [x + width / 2, y + height / 2])(node.getBoundingClientRect())"
        x, y = await self.value(
            f"(node => {{ node.scrollIntoView(); return {place}; }})(document.querySelector('{selector}'))"
        )
        for kind in ("mousePressed", "mouseReleased"):
            await self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    async def resize(self, width):
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        await self.call("Emulation.setDeviceMetricsOverride", **size)

    def problems(self):
        kinds = ("Runtime.exceptionThrown", "Log.entryAdded")
        return [event["params"] for event in self.events if event["method"] in kinds]

    def requests(self):
        return [e["params"]["request"]["url"] for e in self.events if e["method"] == "Network.requestWillBeSent"]
