"""The window of a labelling session: a page that this machine alone serves, to whoever knows its token."""

from __future__ import annotations

import hmac
import json
import secrets
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Optional
from urllib.parse import parse_qs, urlsplit

from parfocal.images.metadata import UnreadableImage
from parfocal.labels.agreement import summary_lines
from parfocal.labels.keys import page_constants
from parfocal.labels.session import LabelSession

PAGE = Path(__file__).with_name("page.html")
_ADDRESS = "127.0.0.1"
_LARGEST_BODY = 4096
# How soon `close` is noticed.
_POLL_S = 0.05
_GAMMA = (0.1, 5.0)
# The page asks for nothing but itself and its images, and no other page may show it.
_POLICY = (
    "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class LabelServer:
    """Serves a session on 127.0.0.1.

    Parameters
    ----------
    session : LabelSession
    port : int
        0 takes a free one.

    Attributes
    ----------
    url : str
        Address of the page, with its token.
    finished : threading.Event
        Set when the person has ended the session on the page.
    """

    def __init__(self, session: LabelSession, port: int = 0) -> None:
        self.session = session
        self.token = secrets.token_urlsafe(18)
        self.finished = threading.Event()
        self._lock = threading.Lock()
        try:
            self._http = _Http((_ADDRESS, port), _Handler)
        except OSError as error:
            raise OSError(
                f"port {port} cannot be had ({error.strerror}): give another, or none to take a free one"
            ) from error
        self._http.labels = self
        self.url = f"http://{_ADDRESS}:{self._http.server_address[1]}/{self.token}/"
        serve = partial(self._http.serve_forever, poll_interval=_POLL_S)
        self._thread = threading.Thread(target=serve, name="labels", daemon=True)

    def start(self) -> None:
        """Serve until `close`."""
        self._thread.start()

    def close(self) -> None:
        """Stop to serve."""
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def state(self, error: str = "") -> dict[str, Any]:
        """What the page shows; the image that comes next is prepared meanwhile."""
        with self._lock:
            return self._state(error)

    def act(self, action: str, given: dict[str, Any]) -> dict[str, Any]:
        """Do what was asked for on the page.

        Raises
        ------
        ValueError, KeyError, TypeError
            Where it cannot be done; nothing has changed then.
        """
        with self._lock:
            session = self.session
            if action == "answer":
                session.answer(given["number"], given["label"], given.get("plane"))
            elif action == "skip":
                session.skip(given["number"])
            elif action == "undo":
                if not session.undo():
                    raise ValueError("there is nothing to undo in this session")
            elif action == "move":
                session.move(given["step"])
            else:
                self.finished.set()
            return self._state("")

    def picture(self, number: int, plane: int, gamma: float) -> bytes:
        """PNG of a plane of a showing; IndexError where there is none."""
        if not 0 <= number < len(self.session.showings) or plane < 0:
            raise IndexError(f"no plane {plane} of image {number}")
        if not _GAMMA[0] <= gamma <= _GAMMA[1]:
            raise ValueError(f"gamma must be in {list(_GAMMA)}, got {gamma}")
        gamma = round(gamma, 2)
        self.session.pictures.gamma = gamma
        return self.session.pictures.png(self.session.path_of(number), plane, gamma)

    def _state(self, error: str) -> dict[str, Any]:
        view = self.session.view()
        coming = self.session.upcoming()
        if view is not None and coming is not None:
            self.session.pictures.prepare(coming)
        state: dict[str, Any] = {
            "view": None if view is None else vars(view),
            "unreadable": [f"{file}: {reason}" for file, reason in self.session.unreadable.items()],
            "finished": self.finished.is_set(),
            "error": error,
        }
        if view is None or self.finished.is_set():
            state["summary"] = summary_lines(self.session.rows)
        return state


ACTIONS = ("answer", "skip", "undo", "move", "finish")


def _page() -> bytes:
    return PAGE.read_bytes().replace(b'"CONSTANTS"', json.dumps(page_constants()).encode(), 1)


class _Http(ThreadingHTTPServer):
    labels: LabelServer
    daemon_threads = True


class _Handler(BaseHTTPRequestHandler):
    server: _Http
    protocol_version = "HTTP/1.1"
    server_version = "Parfocal"
    sys_version = ""
    timeout = 60

    def do_GET(self) -> None:
        """Answer with the page, the state of the session, or an image."""
        asked = self._asked()
        if asked is None:
            return
        name, query = asked
        if name == "":
            self._send(200, "text/html; charset=utf-8", _page())
        elif name == "state":
            self._send_json(200, self.server.labels.state())
        elif name == "image":
            self._send_image(query)
        else:
            self._refuse(404, "no such page")

    def do_POST(self) -> None:
        """Do what was asked for, and answer with the new state."""
        body = self._body()
        asked = self._asked()
        if asked is None:
            return
        if asked[0] not in ACTIONS:
            self._refuse(404, "no such action")
            return
        try:
            given = json.loads(body or "")
            if not isinstance(given, dict):
                raise ValueError("the request must be a JSON object")
        except ValueError as error:
            self._refuse(400, str(error))
            return
        labels = self.server.labels
        try:
            self._send_json(200, labels.act(asked[0], given))
        except (ValueError, KeyError, TypeError) as error:
            self._send_json(409, labels.state(str(error)))
        except OSError as error:  # a full disk, or a table that another program holds
            self._send_json(500, labels.state(f"the answer could not be written: {error}"))

    def _asked(self) -> Optional[tuple[str, dict[str, list[str]]]]:
        """What is asked for below the token; refuses, and gives None, where the token is not right."""
        parts = urlsplit(self.path)
        token, slash, name = parts.path.lstrip("/").partition("/")
        if not slash or not hmac.compare_digest(token.encode(), self.server.labels.token.encode()):
            self._refuse(403, "the address is not complete: take the one that parfocal label printed")
            return None
        return name, parse_qs(parts.query)

    def _body(self) -> Optional[bytes]:
        """Read the body; None, and the connection is not used again, where its length is not given or too large."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > _LARGEST_BODY:
            self.close_connection = True
            return None
        return self.rfile.read(int(length))

    def _send_image(self, query: dict[str, list[str]]) -> None:
        try:
            number, plane = (int(query[name][0]) for name in ("number", "plane"))
            picture = self.server.labels.picture(number, plane, float(query["gamma"][0]))
        except (KeyError, IndexError, UnreadableImage, OSError) as error:
            self._refuse(404, f"no image: {error}")
        except ValueError as error:
            self._refuse(400, str(error))
        else:
            self._send(200, "image/png", picture)

    def _send_json(self, status: int, content: dict[str, Any]) -> None:
        self._send(status, "application/json", json.dumps(content).encode())

    def _refuse(self, status: int, reason: str) -> None:
        self._send(status, "text/plain; charset=utf-8", f"{reason}\n".encode())

    def _send(self, status: int, kind: str, content: bytes) -> None:
        self.send_response(status)
        headers = {"Content-Type": kind, "Content-Length": str(len(content)), "Cache-Control": "no-store"}
        headers.update({"Content-Security-Policy": _POLICY, "Referrer-Policy": "no-referrer"})
        for name, value in {**headers, "X-Content-Type-Options": "nosniff"}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Write nothing: the terminal is the person's."""
