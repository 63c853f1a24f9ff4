"""Arrays that two processes of one computer share by a file, which the system holds in memory.

It is a file and not Python's shared memory: that starts a helper by `sys.executable`, which in CellProfiler as it is
downloaded is CellProfiler once more.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional

import numpy as np

_ALIGNED = 64
# A file system in memory, where the computer has one with so much room; containers often have little.
_MEMORY, _ROOM_BYTES = Path("/dev/shm"), 2**30
# Booleans, numbers and text of a fixed length: what says by its type alone what its bytes mean.
_KINDS = "biufU"


def new_file() -> Path:
    """Make an empty file to share arrays by, in memory where there is room for it, readable by this user alone."""
    handle, path = tempfile.mkstemp(prefix="parfocal-", dir=_folder_in_memory())
    os.close(handle)
    return Path(path)


def _folder_in_memory() -> Optional[str]:
    if not _MEMORY.is_dir() or not os.access(_MEMORY, os.W_OK) or shutil.disk_usage(_MEMORY).free < _ROOM_BYTES:
        return None
    return str(_MEMORY)


class ArrayWriter:
    """Writes arrays into a file one after the other, over what was there; a context."""

    def __init__(self, path: Path) -> None:
        self._file = open(path, "wb")  # noqa: SIM115 (it is a context itself)

    def __enter__(self) -> ArrayWriter:
        return self

    def __exit__(self, *raised: object) -> None:
        self._file.close()

    def put(self, array: np.ndarray) -> dict[str, Any]:
        """Write an array (TypeError where it holds objects); says where it lies, in plain JSON."""
        if array.dtype.kind not in _KINDS:
            raise TypeError(f"arrays of {array.dtype} do not go between processes")
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
