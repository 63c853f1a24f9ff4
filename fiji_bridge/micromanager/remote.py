"""Micro-Manager's core in the Java of another process, whose host fetches calls as requests and hands in answers."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Optional

from .acquisition import AcquiredImage, AcquisitionState
from .following import FollowingMicroscope

# By these wrappers of other languages are told apart; Java's core has none of them.
_NOT_OF_JAVA = ("this", "snap_image", "getLastImageAndMD")


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


class RemoteAcquisition:
    """Acquisition (`parfocal.fiji_bridge.micromanager.acquisition.Acquisition`) of the host's Micro-Manager."""

    def __init__(self, requests: Requests) -> None:
        self._call = requests.call

    def takes_single_images(self) -> bool:
        """Whether one runs, and not as a sequence."""
        return bool(self._call("takesSingleImages"))

    def state(self) -> Optional[AcquisitionState]:
        """What it is like now; None where there is none, or nothing is told of it."""
        told = self._call("acquisition")
        if told is None:
            return None
        lists = {name: None if told[name] is None else tuple(told[name]) for name in ("slices_um", "channels")}
        return AcquisitionState(**{**told, **lists})

    def image(self, time_point: int, channel: int, z_slice: int) -> Optional[AcquiredImage]:
        """Image of a place; None where there is none, or it is not known where it was taken."""
        place = (time_point, channel, z_slice)
        z_um = self._call("acquiredZ", *place)
        return None if z_um is None else AcquiredImage(float(z_um), lambda: self._call("acquiredPixels", *place))


class RemoteMicroscope(FollowingMicroscope):
    """That core as a microscope that minds acquisitions.

    Parameters
    ----------
    requests : Requests
    searching : callable
        As for `FollowingMicroscope`.
    """

    def __init__(self, requests: Requests, searching: Callable[[], bool]) -> None:
        super().__init__(RemoteCore(requests), RemoteAcquisition(requests), searching, (RemoteError,))
