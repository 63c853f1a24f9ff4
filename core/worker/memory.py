"""Arrays in shared memory of the host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np


def read_array(described: Mapping[str, Any], name: str) -> np.ndarray:
    """Copy of an array, so that no memory of the host is held while a command runs.

    Raises
    ------
    ValueError
        Where it is no NDArray of Appose, or there is no such memory or too little of it.
    """
    with _memory_of(described, name) as array:
        return np.array(array)


def write_array(described: Mapping[str, Any], name: str, pixels: np.ndarray) -> None:
    """Write pixels over an array; ValueError as `read_array`, and where shape or type differ."""
    with _memory_of(described, name) as array:
        if (array.shape, array.dtype) != (pixels.shape, pixels.dtype):
            raise ValueError(
                f"{name} must be {pixels.dtype} of shape {pixels.shape}, got {array.dtype} of shape {array.shape}"
            )
        array[...] = pixels


@contextmanager
def _memory_of(described: Mapping[str, Any], name: str) -> Iterator[np.ndarray]:
    from appose import SharedMemory

    try:
        shape, dtype = tuple(described["shape"]), np.dtype(described["dtype"])
        told = described["shm"]
        memory = SharedMemory(name=told["name"], rsize=told["rsize"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"{name} must be an NDArray of Appose, got {described!r}") from error
    except OSError as error:
        raise ValueError(f"{name}: no shared memory {described['shm']['name']!r}: {error}") from error
    try:
        if memory.size < int(np.prod(shape)) * dtype.itemsize:
            raise ValueError(f"{name}: {dtype} of shape {shape} does not fit into {memory.size} bytes")
        array = np.ndarray(shape, dtype, buffer=memory.buf)
        yield array
        del array
    finally:
        memory.close()
