"""A lock on a folder: two runs that write to one would spoil each other's results."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

NAME = ".parfocal-running"
# Errors that say that another has the lock.
_HELD = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)


@contextmanager
def only_run(folder: Path) -> Iterator[None]:
    """Hold the folder for this process; the system lets go of it when the process ends, however that comes.

    The file that stands for it is taken away at the end; one that a killed run has left does no harm.

    Raises
    ------
    BlockingIOError
        Where another process holds it.
    OSError
        Where the folder cannot be written.
    """
    path = folder / NAME
    descriptor = _held(path)
    try:
        yield
    finally:
        # Windows deletes no file that is open; elsewhere it must be gone before others can have it.
        with suppress(OSError):
            if os.name != "nt":
                path.unlink()
        os.close(descriptor)
        if os.name == "nt":
            with suppress(OSError):
                path.unlink()


def _held(path: Path) -> int:
    """Open the file and lock it; once more where the run that held it took it away in between."""
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise OSError(f"the folder {path.parent} cannot be written: {error.strerror or error}") from error
        try:
            _lock(descriptor)
        except OSError as error:
            os.close(descriptor)
            if error.errno not in _HELD:
                told = f"the folder {path.parent} cannot be locked: {error.strerror or error}"
                raise OSError(f"{told}; choose an output folder on another disk") from error
            told = f"{path.parent} is being written by another run: wait for its end, or choose another output folder"
            raise BlockingIOError(told) from error
        if _is_there(path, descriptor):
            return descriptor
        os.close(descriptor)


def _is_there(path: Path, descriptor: int) -> bool:
    """Whether the file that is open still is the one that others would open."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _lock(descriptor: int) -> None:
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
