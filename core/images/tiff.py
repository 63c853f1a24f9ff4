"""TIFF files: plain, multi-page, OME and ImageJ; what they say of the optics is read in `tiff_metadata`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Optional

import numpy as np

from parfocal.images.metadata import ImageItem, ImageMetadata, UnreadableImage
from parfocal.images.tiff_metadata import series_metadata
from parfocal.images.tiff_planes import TiffPlanes
from parfocal.images.tiff_positions import tiff_positions_um
from parfocal.images.tiff_times import acquired_at

_PHOTOMETRIC_RGB = 2
# Kinds of series, as tifffile names them, of files that describe no axes.
_PLAIN = ("generic", "uniform")


def read_tiff(path: Path) -> Iterator[ImageItem]:
    """Read the images of a TIFF file one after the other: (y, x) or (z, y, x) for each series, time and channel.

    Pages of a plain multi-page file are the planes of a stack. Of an OME-TIFF set over several files, each file gives
    the images that begin in it.

    Raises
    ------
    UnreadableImage
        Where the file is damaged or its axes cannot be told apart.
    """
    with open_tiff(path) as images:
        for image in images:
            pixels = np.stack(list(image.planes)) if image.is_stack else np.array(image.planes[0])
            yield ImageItem(path, pixels, image.metadata)


@dataclass(frozen=True)
class TiffImage:
    """An image or stack of a TIFF file that is open, its planes still on disk.

    Attributes
    ----------
    planes : TiffPlanes
    metadata : ImageMetadata
    is_stack : bool
        Whether the file names several planes, or a z axis.
    z_um : tuple of float or None
        Positions of the planes, where the file states them.
    is_plain : bool
        Whether the file says nothing of its pages: they were put together by their size alone.
    """

    planes: TiffPlanes
    metadata: ImageMetadata
    is_stack: bool
    z_um: Optional[tuple[float, ...]] = None
    is_plain: bool = False


@contextmanager
def open_tiff(path: Path) -> Iterator[Iterator[TiffImage]]:
    """Give the images of a TIFF file as `read_tiff` does; within the context a plane is read when it is asked for.

    Raises
    ------
    UnreadableImage
        As `read_tiff`; a plane that cannot be read raises when it is asked for.
    """
    with _quiet_log() as complaints, _opened(path) as tif:
        len(tif.pages)  # walks the chain of pages; a broken link is only logged
        if complaints:
            raise UnreadableImage(f"the TIFF file is damaged or cut off: {complaints[0]}")
        yield _images(tif)


def _all_series(tif: Any) -> list[Any]:
    """Series of a file; where its pages only seem to be of one size, those that come of looking at every page."""
    try:
        return list(tif.series)
    except RuntimeError as error:
        if "incompatible keyframe" not in str(error):
            raise
        return list(tif._series_generic())


def _images(tif: Any) -> Iterator[TiffImage]:
    found = _all_series(tif)
    full_size = [series for series in found if not series.keyframe.is_reduced] or found
    for series, channels in zip(full_size, series_metadata(tif, full_size)):
        for time, channel, planes, is_stack in _series_images(tif, series):
            about = channels[min(channel, len(channels) - 1)]
            z_um = tiff_positions_um(tif, about.series, time, channel, planes.pages, len(planes))
            is_plain = series.kind.lower() in _PLAIN
            about = replace(about, channel=channel, time=time)
            yield TiffImage(planes, replace(about, acquired=acquired_at(tif, about)), is_stack, z_um, is_plain)


def _opened(path: Path) -> Any:
    import tifffile

    try:
        return tifffile.TiffFile(path)
    except tifffile.TiffFileError as error:
        if "not a TIFF file" not in str(error):
            raise
        raise UnreadableImage("the name says TIFF, the content is something else") from error


def _series_images(tif: Any, series: Any) -> Iterator[tuple[int, int, TiffPlanes, bool]]:
    """Time, channel, planes of each image of a series, and whether it is a stack."""
    leading, page_axes = _axes(series)
    numbers = _page_numbers(leading, series.shape[: len(leading)])
    for time, channel in np.ndindex(numbers.shape[:2]):
        planes = numbers[time, channel]
        mapped = _whole(series, len(leading)) if len(series.pages) != numbers.size else None
        if mapped is None and series[int(planes[0])] is not None and series[int(planes[0])].parent is not tif:
            continue
        yield time, channel, TiffPlanes(series, planes, page_axes, mapped), "Z" in leading


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
