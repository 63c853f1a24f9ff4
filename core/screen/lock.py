"""A lock on a folder: two runs that write to one would spoil each other's results."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAME = ".parfocal-running"


@contextmanager
def only_run(folder: Path) -> Iterator[None]:
    """Hold the folder for this process; the system lets go of it when the process ends, however that comes.

    Raises
    ------
    BlockingIOError
        Where another process holds it.
    """
    descriptor = os.open(folder / NAME, os.O_RDWR | os.O_CREAT)
    try:
        try:
            _lock(descriptor)
        except OSError as error:
            told = f"{folder} is being written by another run: wait for its end, or choose another output folder"
            raise BlockingIOError(told) from error
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
