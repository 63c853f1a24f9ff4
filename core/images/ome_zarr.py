"""OME-Zarr (https://ngff.openmicroscopy.org), through ome-zarr of the extra `formats`: images, series and plates."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any, Optional

import numpy as np

from parfocal.images.makers import reader_of
from parfocal.images.metadata import ImageItem, ImageMetadata, UnreadableImage, length_um

SUFFIX = ".zarr"
# Axes of versions that do not name them (0.1 and 0.2).
_OLD_AXES = "tczyx"
_UNITS = {"nanometer": "nm", "micrometer": "um", "millimeter": "mm", "meter": "m"}


def zarr_root(path: PurePath) -> Optional[PurePath]:
    """The folder `*.zarr` that a path is, or lies in; None for other paths."""
    return next((place for place in (path, *path.parents) if place.name.lower().endswith(SUFFIX)), None)


def zarr_fields(path: Path) -> Iterator[Path]:
    """Give the images of an OME-Zarr folder by the folders they lie in: the fields of a plate, series, or itself.

    Raises
    ------
    UnreadableImage
        Where it is none, or the package that reads it is missing.
    """
    attributes = _opened(path).root_attrs
    if "plate" in attributes:
        for well in attributes["plate"].get("wells", []):
            images = _opened(path / well["path"]).root_attrs.get("well", {}).get("images", [])
            yield from (path / well["path"] / image["path"] for image in images)
    elif "multiscales" in attributes:
        yield path
    elif "bioformats2raw.layout" in attributes:
        numbered = (entry for entry in os.scandir(path) if entry.is_dir() and entry.name.isdigit())
        yield from (Path(entry.path) for entry in sorted(numbered, key=lambda entry: int(entry.name)))
    else:
        raise UnreadableImage("the folder holds no OME-Zarr image (no multiscales, plate or series)")


def read_ome_zarr(path: Path) -> Iterator[ImageItem]:
    """Read OME-Zarr at its largest resolution: (y, x) or (z, y, x) for each field or series, time and channel.

    Parameters
    ----------
    path : Path
        A folder `*.zarr`, or that of an image in it, such as a field `plate.zarr/B/03/0`.

    Raises
    ------
    UnreadableImage
        Where it is no OME-Zarr, or its axes are not those of the specification.
    """
    for series, field in enumerate(zarr_fields(path)):
        yield from _images(path, field, series)


def _images(path: Path, field: Path, series: int) -> Iterator[ImageItem]:
    location = _opened(field)
    scales = location.root_attrs["multiscales"][0]
    # Not by the library's `load`: of chunks that are named in another way than its own it makes zeros.
    array = reader_of("zarr", field).open_array(str(field / scales["datasets"][0]["path"]), mode="r")
    axes = [axis if isinstance(axis, str) else axis["name"] for axis in scales.get("axes", _OLD_AXES)]
    if len(axes) != array.ndim or axes[-2:] != ["y", "x"] or not set(axes) <= set(_OLD_AXES):
        raise UnreadableImage(f"axes {axes} of shape {array.shape} are not known: they must be of t, c, z, y, x")
    sizes = dict(zip(axes, array.shape))
    about = replace(_metadata(scales, axes, path, field), series=series)
    channels = location.root_attrs.get("omero", {}).get("channels", [])
    for time, channel in np.ndindex(sizes.get("t", 1), sizes.get("c", 1)):
        place = tuple({"t": time, "c": channel}.get(axis, slice(None)) for axis in axes)
        pixels = np.asarray(array[place])
        name = str(channels[channel].get("label", "")) if channel < len(channels) else ""
        single = pixels[0] if "z" in axes and sizes["z"] == 1 else pixels
        single = np.ascontiguousarray(single, single.dtype.newbyteorder("="))
        yield ImageItem(path, single, replace(about, time=time, channel=channel, channel_name=name))


def _metadata(scales: dict[str, Any], axes: list[str], path: Path, field: Path) -> ImageMetadata:
    """Pixel size and z step where axes have units of length, and the place on the plate."""
    steps = np.ones(len(axes))
    for level in (scales["datasets"][0], scales):
        for transformation in level.get("coordinateTransformations", []):
            if transformation.get("type") == "scale":
                steps = steps * np.asarray(transformation["scale"], float)
    named = {axis["name"]: axis for axis in scales.get("axes", []) if isinstance(axis, dict)}
    units = {name: _UNITS.get(str(axis.get("unit", "")).lower(), "") for name, axis in named.items()}
    # A scale of exactly 1 is what writers put where nothing is known.
    known_axes = {axis: step for axis, step in zip(axes, steps) if step != 1}
    lengths = {axis: length_um(step, units.get(axis, "")) for axis, step in known_axes.items()}
    known = ImageMetadata(
        pixel_size_um=lengths.get("x"), z_step_um=lengths.get("z"), series_name=scales.get("name") or ""
    )
    return replace(known, **_place(path, field))


def _place(path: Path, field: Path) -> dict[str, Any]:
    """Plate, well and site of a field; nothing for images that are none."""
    root = zarr_root(field)
    within = () if root is None else field.relative_to(root).parts
    if root is None or len(within) != 3:
        return {}
    plate = _opened(Path(root)).root_attrs.get("plate")
    row, column, site = within
    if plate is None or not column.isdigit():
        return {}
    name = plate.get("name") or root.name[: -len(SUFFIX)]
    place = {"plate": str(name), "well": f"{row.upper()}{int(column):02d}", "site": site}
    return place if path == field else {**place, "series_name": "/".join(within)}


def _opened(path: Path) -> Any:
    library = reader_of("ome_zarr.io", Path(zarr_root(path) or path))
    with _quiet():
        location = library.parse_url(path)
    if location is None:
        raise UnreadableImage("the folder holds no OME-Zarr image, or its metadata are damaged")
    return location


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what the library says of versions and errors off the terminal: errors reach the user as reasons."""
    log, silent = logging.getLogger("ome_zarr"), logging.NullHandler()
    propagate, log.propagate = log.propagate, False
    log.addHandler(silent)
    try:
        yield
    finally:
        log.removeHandler(silent)
        log.propagate = propagate
