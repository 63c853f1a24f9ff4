"""Arrays that two processes of one computer share by a file, which the system holds in memory.

It is a file and not Python's shared memory: that starts a helper by `sys.executable`, which in CellProfiler as it is
downloaded is CellProfiler once more.
"""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from parfocal.system_errors import told_plainly

_ALIGNED = 64
# A file system in memory, where the computer has one with so much room; containers often have little.
_MEMORY, _ROOM_BYTES = Path("/dev/shm"), 2**30
# Booleans, numbers and text of a fixed length: what says by its type alone what its bytes mean.
_KINDS = "biufU"


class SharedFile:
    """An empty file to share arrays by, in memory where there is room for it, readable by this user alone.

    It is held while its owner lives: by a lock, or on Windows by being open. Those that nobody holds any more, since
    their owner was killed, are removed when the next one is made.

    Attributes
    ----------
    path : Path
    """

    def __init__(self) -> None:
        folder = _folder()
        _remove_left(folder)
        while True:
            self._handle, name = tempfile.mkstemp(prefix=_prefix(), dir=folder)
            self.path = Path(name)
            _lock(self._handle, wait=True)
            # Another start may have taken it for one that was left, in the moment before it was locked.
            if self.path.exists():
                break
            os.close(self._handle)

    def close(self) -> None:
        """Let it go, and remove it."""
        os.close(self._handle)
        with suppress(OSError):
            self.path.unlink()


def _folder() -> Path:
    if not _MEMORY.is_dir() or not os.access(_MEMORY, os.W_OK) or shutil.disk_usage(_MEMORY).free < _ROOM_BYTES:
        return Path(tempfile.gettempdir())
    return _MEMORY


def _prefix() -> str:
    """Begin of the names of this computer: a folder may be shared with others, whose locks are not seen here."""
    return f"parfocal-memory-{zlib.crc32(platform.node().encode()):08x}-"


def _remove_left(folder: Path) -> None:
    for path in folder.glob(f"{_prefix()}*"):
        with suppress(OSError):
            if os.name == "nt":
                # Refused where it is open.
                path.unlink()
            elif path.is_file() and not path.is_symlink():
                with open(path, "r+b") as file:
                    if _lock(file.fileno(), wait=False):
                        path.unlink()


def _lock(handle: int, wait: bool) -> bool:
    """Lock a file for as long as it is open; whether that was done. Where there are no locks nothing is removed."""
    # Windows has no such module, nor has every program that brings its own Python.
    with suppress(ImportError, OSError):
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        return True
    return False


class ArrayWriter:
    """Writes arrays into a file one after the other, over what was there; a context."""

    def __init__(self, path: Path) -> None:
        self._failure = f"the file by which pixels go to Parfocal and back, {path}, cannot be written"
        with told_plainly(self._failure):
            self._file = open(path, "wb")  # noqa: SIM115 (it is a context itself)

    def __enter__(self) -> ArrayWriter:
        return self

    def __exit__(self, *raised: object) -> None:
        with told_plainly(self._failure):
            self._file.close()

    def put(self, array: np.ndarray) -> dict[str, Any]:
        """Write an array (TypeError where it holds objects); says where it lies, in plain JSON."""
        if array.dtype.kind not in _KINDS:
            raise TypeError(f"arrays of {array.dtype} do not go between processes")
        with told_plainly(self._failure):
            self._file.write(b"\0" * (-self._file.tell() % _ALIGNED))
            at = self._file.tell()
            self._file.write(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
        return {"dtype": array.dtype.str, "shape": list(array.shape), "at": at}


class ArrayReader:
    """Reads arrays from a file that `ArrayWriter` has written."""

    def __init__(self, path: Path) -> None:
        self._bytes = path.read_bytes()

    def take(self, described: Mapping[str, Any]) -> np.ndarray:
        """Copy of an array (ValueError where there is none of this kind)."""
        dtype, shape = np.dtype(described["dtype"]), tuple(map(int, described["shape"]))
        if dtype.kind not in _KINDS:
            raise ValueError(f"arrays of {dtype} do not go between processes")
        count = int(np.prod(shape, dtype=np.int64))
        return np.frombuffer(self._bytes, dtype, count, int(described["at"])).reshape(shape).copy()
