"""Planes of a stack that the host lays into its memory when they are asked for: the whole need not fit there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Optional

import numpy as np

from parfocal.images.plane_stack import PlaneStack
from parfocal.images.planes import as_planes
from parfocal.worker.memory import read_array

# Has the planes from this index on laid into the window, and waits until they are there.
Supply = Callable[[int], None]


def pixels_of(described: Any, supply: Optional[Supply]) -> Any:
    """Copy of an image in the memory of the host, or a `PlaneStack` where only a window of it is there.

    Raises
    ------
    ValueError
        Where it is neither.
    """
    if not isinstance(described, Mapping):
        raise ValueError(f"image must be given as an NDArray of Appose, got {described!r}")
    if "window" not in described:
        return read_array(described, "image")
    window, n_planes = described["window"], int(described["planes"])
    if supply is None or not isinstance(window, Mapping):
        raise ValueError(f"window of the image must be an NDArray of Appose, got {window!r}")
    return _WindowedPlanes(window, n_planes, supply).stack()


class _WindowedPlanes:
    """Reads planes one after the other, as many at once as the window of the host holds."""

    def __init__(self, window: Mapping[str, Any], n_planes: int, supply: Supply) -> None:
        self._window, self._n_planes, self._supply = window, n_planes, supply
        self._first, self._held = 0, np.empty(0)

    def stack(self) -> PlaneStack:
        """All of them, each read when it is asked for."""
        plane = self._read(0)
        return PlaneStack(self._read, (self._n_planes, *plane.shape), self._held.dtype)

    def _read(self, index: int) -> np.ndarray:
        if not self._first <= index < self._first + len(self._held):
            self._supply(index)
            self._held, self._first = read_array(self._window, "window of the image"), index
        plane: np.ndarray = as_planes(self._held[index - self._first])[0][0]
        return plane
