"""Planes of a TIFF file that is open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional, overload

import numpy as np

from parfocal.images.metadata import UnreadableImage


class TiffPlanes(Sequence[np.ndarray]):
    """Planes (y, x), or (y, x, colour), of one image of an open TIFF file, each read when asked for.

    Attributes
    ----------
    pages : list
        The pages of the file, one a plane; none where the planes are stored in one piece.
    """

    def __init__(self, series: Any, numbers: np.ndarray, page_axes: str, mapped: Optional[np.ndarray]) -> None:
        self._shape, self._numbers, self._page_axes, self._mapped = series.keyframe.shape, numbers, page_axes, mapped
        # Taken from the series at once: later it may refuse, when another series with pages of another size was read.
        self.pages = [] if mapped is not None else [series[int(number)] for number in numbers]

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, index: int) -> np.ndarray: ...
    @overload
    def __getitem__(self, index: slice) -> list[np.ndarray]: ...
    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        missing = self.missing(index)
        if missing:
            raise UnreadableImage(missing)
        pixels = self.pages[index].asarray() if self._mapped is None else self._mapped[int(self._numbers[index])]
        pixels = np.moveaxis(pixels, 0, -1) if self._page_axes == "SYX" else pixels
        return np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("="))

    @property
    def shape_yx(self) -> tuple[int, int]:
        """Height and width, px, without reading a plane."""
        shape = self._shape
        return (shape[-2], shape[-1]) if self._page_axes in ("YX", "SYX") else (shape[-3], shape[-2])

    def missing(self, index: int) -> str:
        """Say what of a plane the file lacks, or nothing: decoders fill up with zeros, which pass for an image."""
        if self._mapped is not None:
            return ""
        number, page = int(self._numbers[index]), self.pages[index]
        if page is None:
            return f"plane {number} is missing in the file"
        ends = [start + count for start, count in zip(page.dataoffsets, page.databytecounts)]
        size = page.parent.filehandle.size
        cut_off = bool(ends) and max(ends) > size
        return f"the file is cut off: plane {number} needs {max(ends)} bytes, there are {size}" if cut_off else ""
