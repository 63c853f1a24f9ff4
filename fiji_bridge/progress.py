"""ImageJ's bar of progress and its line of status; Escape ends what is running."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from jpype import JClass

from parfocal.progress import listening


class Cancelled(Exception):
    """Escape was pressed."""


@contextmanager
def shown_progress(title: str) -> Iterator[None]:
    """Show how far the commands have come that run meanwhile in this thread.

    Raises
    ------
    Cancelled
        Where Escape is pressed in ImageJ, before the next step.
    """
    imagej, begun, steps = JClass("ij.IJ"), time.monotonic(), 0

    def tell(done: int, total: int) -> None:
        nonlocal steps
        steps += 1
        if imagej.escapePressed():
            raise Cancelled("cancelled")
        imagej.showProgress(done / total)
        imagej.showStatus(f"{title}: {done} of {total}, Escape cancels")

    imagej.resetEscape()
    imagej.showStatus(f"{title}...")
    end = ""
    try:
        with listening(tell):
            yield
        # What goes on in a window of its own is not done yet.
        end = f"{title}: {time.monotonic() - begun:.1f} s" if steps else ""
    except Cancelled:
        end = f"{title}: cancelled"
        raise
    finally:
        imagej.showProgress(1.0)
        imagej.showStatus(end)
