"""A stack whose planes are read when they are asked for, so that it need not fit into memory."""

from __future__ import annotations

from collections.abc import Callable

# Not that of collections.abc, of which Python 3.8 makes no classes: CellProfiler as it is downloaded has that.
from typing import Any, Generic, Sequence, TypeVar  # noqa: UP035

import numpy as np

_T = TypeVar("_T")


class Planewise(Sequence[_T], Generic[_T]):
    """Something for each plane of a stack, made anew each time it is asked for."""

    def __init__(self, make: Callable[[int], _T], count: int) -> None:
        self._make, self._count = make, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Any) -> Any:
        return self._make(range(self._count)[index])


class PlaneStack(Planewise[np.ndarray]):
    """Planes (y, x) of one size and type.

    Commands take it for a stack (z, y, x), and hold a plane at a time.

    Parameters
    ----------
    read : callable
        Gives the plane of an index, (y, x).
    shape : tuple of int
        (z, y, x).
    dtype : data-type
        Of what was stored, also where colours are averaged.
    """

    def __init__(self, read: Callable[[int], np.ndarray], shape: tuple[int, int, int], dtype: Any) -> None:
        super().__init__(read, shape[0])
        self.shape, self.dtype = shape, np.dtype(dtype)

    def changed(self, change: Callable[[np.ndarray], np.ndarray]) -> PlaneStack:
        """The same with a function applied to each plane, which keeps its size."""
        return PlaneStack(lambda index: change(self[index]), self.shape, self.dtype)

    def each(self, make: Callable[[np.ndarray], _T]) -> Planewise[_T]:
        """What a function makes of each plane."""
        return Planewise(lambda index: make(self[index]), len(self))

    def cropped(self, rows: slice, columns: slice) -> PlaneStack:
        """The same part of each plane."""
        n_planes, height, width = self.shape
        shape = (n_planes, len(range(height)[rows]), len(range(width)[columns]))
        return PlaneStack(lambda index: self[index][rows, columns], shape, self.dtype)
