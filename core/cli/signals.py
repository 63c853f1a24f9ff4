"""Signals that ask a process to end, taken as Ctrl-C is: what is at work can leave things in order."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Optional

# SIGHUP, of a terminal that is closed, is unknown to Windows.
_NAMES = ("SIGTERM", "SIGHUP")


@contextmanager
def ended_as_by_ctrl_c() -> Iterator[None]:
    """Raise KeyboardInterrupt at the first SIGTERM or SIGHUP; further ones are ignored while things are put in order.

    A signal that is ignored already stays so (`nohup`). Only the main thread gets signals: elsewhere nothing changes.
    """
    before = _taken() if threading.current_thread() is threading.main_thread() else {}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _taken() -> dict[int, Any]:
    numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    before = {n: signal.getsignal(n) for n in numbers if signal.getsignal(n) is not signal.SIG_IGN}

    def end(number: int, frame: Optional[FrameType]) -> None:
        for other in before:
            signal.signal(other, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in before:
        signal.signal(number, end)
    return before
