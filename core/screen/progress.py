"""How far a screen has come."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sized
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Optional


@dataclass(frozen=True)
class ScreenProgress:
    """How far a screen has come.

    Attributes
    ----------
    done : int
        Files that have rows, those of earlier runs too.
    total : int or None
        Number of files; None while they are still being listed.
    now : int
        Files done since this run began.
    seconds : float
        Since the first worker was there.
    waiting_for : str
        What the work waits for, such as workers that start; empty while somebody is at work.
    """

    done: int
    total: Optional[int]
    now: int = 0
    seconds: float = 0.0
    waiting_for: str = ""


class Total:
    """Number of files, counted beside the work: listing them may take long.

    Attributes
    ----------
    count : int or None
        None while they are still being listed, and where they cannot be.
    """

    def __init__(self, tasks: Iterable[Any]) -> None:
        self.count: Optional[int] = None
        self._tasks = tasks
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        # The work lists them too, and says what is wrong.
        with suppress(Exception):
            self.count = sum(1 for _ in self._tasks)


class Teller:
    """Tells how far a screen has come, after each file and now and then.

    Parameters
    ----------
    done : sized
        What is done; it grows.
    total : Total
    awaited : str
        What is waited for while there is no worker.
    told : callable
        Gets the `ScreenProgress`.
    """

    def __init__(self, done: Sized, total: Total, awaited: str, told: Callable[[ScreenProgress], None]) -> None:
        self._done, self._total, self._awaited, self._told = done, total, awaited, told
        self._before, self._workers, self._begun = len(done), 0, 0.0

    def workers(self, count: int) -> None:
        """Tell with this number of workers from now on."""
        if count and not self._begun:
            self._begun = time.monotonic()
        self._workers = count
        self.tell()

    def tell(self) -> None:
        """Tell how far it is now."""
        done, seconds = len(self._done), time.monotonic() - self._begun if self._begun else 0.0
        waiting_for = "" if self._workers else self._awaited
        self._told(ScreenProgress(done, self._total.count, done - self._before, seconds, waiting_for))
