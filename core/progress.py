"""How far a command has come, for whoever wants to know; without a listener nothing is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# Not the Callable of collections.abc, which takes no types in Python 3.8: CellProfiler as it is downloaded has that.
from typing import Any, Callable, Optional  # noqa: UP035

Listener = Callable[[int, int], None]

_listener: ContextVar[Optional[Listener]] = ContextVar("listener", default=None)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Have a function called before each step of the commands that run meanwhile in this thread, and after the last.

    It gets the number of steps done and the number of steps. An exception that it raises ends the command.
    """
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def steps(items: Any) -> Iterator[Any]:
    """Go through items that have a length, and tell how many are done."""
    count = len(items)
    for done, item in enumerate(items):
        tell(done, count)
        yield item
    tell(count, count)


@contextmanager
def step_of(done: int, count: int) -> Iterator[None]:
    """Tell that a step begins; steps of commands within it are told as this one, as signs of life."""
    tell(done, count)
    listener = _listener.get()
    if listener is None:
        yield
        return
    with listening(lambda *own: listener(done, count)):
        yield


def tell(done: int, count: int) -> None:
    """Tell whoever listens how many steps are done."""
    listener = _listener.get()
    if listener is not None:
        listener(done, count)
