"""Micro-Manager's core in the Java of another process, whose host fetches calls as requests and hands in answers."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from .calls import BoundedCalls
from .microscope import MMCoreMicroscope

# What the core may take to say whether an acquisition runs.
_ANSWER_S = 1.0
# By these wrappers of other languages are told apart; Java's core has none of them.
_NOT_OF_JAVA = ("this", "snap_image", "getLastImageAndMD")
ENGAGED = "takesSingleImages"


class RemoteError(RuntimeError):
    """The core has thrown something, or there is nobody any more who calls it."""


class Requests:
    """Calls that wait for the host, and what wakes it."""

    def __init__(self) -> None:
        self._turn = threading.Condition()
        self._asked: deque[dict[str, Any]] = deque()
        self._waiting: dict[int, Future[Any]] = {}
        self._count, self._ended, self._news = 0, "", False

    def call(self, name: str, *arguments: Any) -> Any:
        """Have the host call a method, and wait for its answer.

        Raises
        ------
        RemoteError
            With the text of what the method has thrown; also where the host has gone.
        """
        answer: Future[Any] = Future()
        with self._turn:
            if self._ended:
                raise RemoteError(self._ended)
            self._count += 1
            self._waiting[self._count] = answer
            # Calls of one thread come one after the other, and wait for none of another.
            thread = threading.current_thread().name
            self._asked.append({"number": self._count, "thread": thread, "name": name, "arguments": arguments})
            self._turn.notify_all()
        return answer.result()

    def answer(self, number: int, value: Any = None, error: str = "") -> None:
        """Hand in the answer of a request."""
        with self._turn:
            waiting = self._waiting.pop(number, None)
        if waiting is None:
            return
        if error:
            waiting.set_exception(RemoteError(error))
        else:
            waiting.set_result(value)

    def tell(self) -> None:
        """There is something new to see."""
        with self._turn:
            self._news = True
            self._turn.notify_all()

    def take(self, wait_s: float) -> tuple[list[dict[str, Any]], bool]:
        """Requests that were made, and whether there are news, once there is either but no later than said."""
        with self._turn:
            self._turn.wait_for(lambda: self._asked or self._news, wait_s)
            asked, news = list(self._asked), self._news
            self._asked.clear()
            self._news = False
        return asked, news

    def end(self, why: str) -> None:
        """Fail what waits, and all that is asked for later."""
        with self._turn:
            self._ended = why
            waiting, self._waiting = list(self._waiting.values()), {}
        for answer in waiting:
            answer.set_exception(RemoteError(why))


class RemoteCore:
    """Has the methods of Micro-Manager's Java core."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_") or name in _NOT_OF_JAVA:
            raise AttributeError(name)
        return lambda *arguments: self._requests.call(name, *arguments)


class RemoteMicroscope(MMCoreMicroscope):
    """That core as a microscope; while an acquisition takes single images nothing is looked at or moved."""

    def __init__(self, requests: Requests) -> None:
        super().__init__(RemoteCore(requests))
        self._requests, self._host_calls = requests, BoundedCalls("host")

    def engaged(self) -> str:
        """Say where an acquisition takes single images, which nobody else may take or move the stage between."""
        try:
            acquiring = self._host_calls("asking Micro-Manager", _ANSWER_S, self._requests.call, ENGAGED)
        except (TimeoutError, RemoteError):  # whatever is wrong, a look will say
            return ""
        return "an acquisition of Micro-Manager runs" if acquiring else ""
