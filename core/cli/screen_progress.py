"""How far a screen has come: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from parfocal.screen.progress import ScreenProgress

_LINE_S = 30.0


@contextmanager
def shown_progress() -> Iterator[Callable[[ScreenProgress], None]]:
    """Give a function that shows how many files are done, how many a second, and how long the others take."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (TextColumn("screening"), BarColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("starting", total=None)
        yield lambda told: bar.update(task, description=line(told), completed=told.done, total=told.total)


class _Lines:
    """Writes a line every so often: a log file must not grow with the number of files."""

    def __init__(self) -> None:
        self._next = time.monotonic()

    def __call__(self, told: ScreenProgress) -> None:
        if time.monotonic() >= self._next:
            print(line(told), file=sys.stderr, flush=True)
            self._next = time.monotonic() + _LINE_S


def line(told: ScreenProgress) -> str:
    """Say how far a screen has come; the number of files is left out while they are still being counted."""
    of = "" if told.total is None else f" of {told.total}"
    parts = [f"{told.done}{of} files"]
    if told.waiting_for:
        parts.append(f"waiting for {told.waiting_for}")
    elif told.now and told.seconds > 0:
        rate = told.now / told.seconds
        parts.append(f"{rate:.3g} a second")
        if told.total is not None:
            parts.append(f"{duration(max(0, told.total - told.done) / rate)} left")
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """Time in the unit that fits: seconds, minutes, or hours and minutes."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
