"""Calls that may hang, made in a thread of their own so that whoever asked can stop waiting."""

from __future__ import annotations

import queue
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from typing import Any


class BoundedCalls:
    """Makes one call after the other and waits for each no longer than it may take.

    A call that was given up goes on until it returns, since nothing can end it from outside; the next one waits for it
    within its own time. The thread ends with this object, and does not keep Python from ending.
    """

    def __init__(self, name: str) -> None:
        self._tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._asking = threading.Lock()
        self._last: tuple[str, Future[Any]] | None = None
        threading.Thread(target=_work, args=(self._tasks,), name=f"parfocal {name}", daemon=True).start()
        # Not at the end of Python: whoever ends a session then still calls.
        weakref.finalize(self, self._tasks.put, None).atexit = False

    def __call__(self, what: str, timeout_s: float, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call the function and return what it returns, or raise what it raises.

        Raises
        ------
        TimeoutError
            Where it takes longer; `what` names it in the message.
        """
        until = time.monotonic() + timeout_s
        with self._asking:
            self._wait_for_last(until, timeout_s)
            answer: Future[Any] = Future()
            self._last = (what, answer)
            self._tasks.put((answer, function, arguments))
        return _result(answer, what, until, timeout_s)

    def _wait_for_last(self, until: float, timeout_s: float) -> None:
        if self._last is None:
            return
        what, answer = self._last
        try:
            answer.exception(max(0.0, until - time.monotonic()))
        except Late:
            raise TimeoutError(f"{what}, asked for before, has still not returned after {timeout_s:g} s more") from None


def _result(answer: Future[Any], what: str, until: float, timeout_s: float) -> Any:
    try:
        answer.exception(max(0.0, until - time.monotonic()))
    except Late:
        raise TimeoutError(f"{what} has not returned within {timeout_s:g} s") from None
    return answer.result()


def _work(tasks: queue.SimpleQueue[Any]) -> None:
    while (task := tasks.get()) is not None:
        answer, function, arguments = task
        try:
            answer.set_result(function(*arguments))
        except BaseException as error:  # whatever it is, it belongs to who asked
            answer.set_exception(error)
        # Else an image would live on until the next one.
        del task, answer, function, arguments
