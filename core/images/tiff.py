"""TIFF files: plain, multi-page, OME and ImageJ; what they say of the optics is read in `tiff_metadata`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from parfocal.images.metadata import ImageItem, UnreadableImage
from parfocal.images.tiff_metadata import series_metadata

_PHOTOMETRIC_RGB = 2


def read_tiff(path: Path) -> Iterator[ImageItem]:
    """Read the images of a TIFF file one after the other: (y, x) or (z, y, x) for each series, time and channel.

    Pages of a plain multi-page file are the planes of a stack. Of an OME-TIFF set over several files, each file gives
    the images that begin in it.

    Raises
    ------
    UnreadableImage
        Where the file is damaged or its axes cannot be told apart.
    """
    with _quiet_log() as complaints, _opened(path) as tif:
        len(tif.pages)  # walks the chain of pages; a broken link is only logged
        if complaints:
            raise UnreadableImage(f"the TIFF file is damaged or cut off: {complaints[0]}")
        full_size = [series for series in tif.series if not series.keyframe.is_reduced] or list(tif.series)
        for series, channels in zip(full_size, series_metadata(tif, full_size)):
            for time, channel, pixels in _series_images(tif, series):
                about = channels[min(channel, len(channels) - 1)]
                yield ImageItem(path, pixels, replace(about, channel=channel, time=time))


def _opened(path: Path) -> Any:
    import tifffile

    try:
        return tifffile.TiffFile(path)
    except tifffile.TiffFileError as error:
        if "not a TIFF file" not in str(error):
            raise
        raise UnreadableImage("the name says TIFF, the content is something else") from error


def _series_images(tif: Any, series: Any) -> Iterator[tuple[int, int, np.ndarray]]:
    """Time, channel and pixels of each image of a series."""
    leading, page_axes = _axes(series)
    numbers = _page_numbers(leading, series.shape[: len(leading)])
    for time, channel in np.ndindex(numbers.shape[:2]):
        planes = numbers[time, channel]
        if len(series.pages) != numbers.size:
            pixels = _whole(series, len(leading))[planes]
        elif series[int(planes[0])] is not None and series[int(planes[0])].parent is not tif:
            continue
        else:
            pixels = np.stack([_page(series[int(number)], int(number)) for number in planes])
        if page_axes == "SYX":
            pixels = np.moveaxis(pixels, 1, -1)
        pixels = pixels if "Z" in leading else pixels[0]
        yield time, channel, np.ascontiguousarray(pixels, pixels.dtype.newbyteorder("="))


def _axes(series: Any) -> tuple[str, str]:
    """Axes before those of a page, and those of a page: YX, YXS or SYX."""
    axes, shape = series.axes, series.shape
    samples = shape[axes.index("S")] if "S" in axes else 0
    page_axes = next((end for end in ("YXS", "SYX", "YX") if axes.endswith(end)), "")
    if page_axes == "SYX" and (series.keyframe.photometric != _PHOTOMETRIC_RGB or series.dtype != np.uint8):
        # Stacks of three or four planes, written without naming their axes, look like separate colours; colours
        # that are really stored apart have 8 bits.
        axes, page_axes = axes.replace("S", "Q"), "YX"
    leading = axes[: len(axes) - len(page_axes)]
    if "Z" not in leading and sum(axis in "IQ" for axis in leading) == 1:
        leading = leading.replace("I", "Z").replace("Q", "Z")
    if not page_axes or not set(leading) <= set("TCZ") or ("S" in page_axes and samples not in (3, 4)):
        raise UnreadableImage(
            f"the axes of shape {shape} are not known (the file says {series.axes}): save it as OME-TIFF or as an "
            "ImageJ hyperstack, which name them, or as one file for each stack"
        )
    return leading, page_axes


def _page_numbers(leading: str, sizes: tuple[int, ...]) -> np.ndarray:
    """Numbers of the pages as (t, c, z)."""
    order = leading + "".join(axis for axis in "TCZ" if axis not in leading)
    numbers = np.arange(int(np.prod(sizes))).reshape((*sizes, *[1] * (3 - len(sizes))))
    return numbers.transpose([order.index(axis) for axis in "TCZ"])


def _page(page: Any, number: int) -> np.ndarray:
    """Read a page, unless some of it is missing: decoders fill up with zeros, which would pass for an image."""
    if page is None:
        raise UnreadableImage(f"plane {number} is missing in the file")
    ends = [start + count for start, count in zip(page.dataoffsets, page.databytecounts)]
    size = page.parent.filehandle.size
    if ends and max(ends) > size:
        raise UnreadableImage(f"the file is cut off: plane {number} needs {max(ends)} bytes, there are {size}")
    return page.asarray()


def _whole(series: Any, n_leading: int) -> np.ndarray:
    """All planes of a series that is stored in one piece: mapped, so that only what is used comes into memory."""
    try:
        pixels = series.asarray(out="memmap")
    except ValueError as error:
        raise UnreadableImage(f"the file is cut off: its pixels need more bytes than it has ({error})") from error
    return pixels.reshape(-1, *pixels.shape[n_leading:])


@contextmanager
def _quiet_log() -> Iterator[list[str]]:
    """Keep the reader's log off the terminal and collect what it says about damage."""
    complaints: list[str] = []

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            text = record.getMessage()
            if any(word in text for word in ("invalid page offset", "corrupt", "unexpected end")):
                complaints.append(text)

    log, handler = logging.getLogger("tifffile"), Collect()
    propagate, log.propagate = log.propagate, False
    log.addHandler(handler)
    try:
        yield complaints
    finally:
        log.removeHandler(handler)
        log.propagate = propagate
