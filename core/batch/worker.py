"""What a worker process does with one file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

import numpy as np

from parfocal.batch.arguments import arguments_for
from parfocal.batch.rows import image_row, patch_rows, plane_rows, refused_row
from parfocal.focus_quality.measure import measure_image_focus
from parfocal.focus_quality.result import ImageFocus
from parfocal.images.metadata import ImageItem, UnreadableImage
from parfocal.images.planes import as_planes
from parfocal.images.reading import read_images
from parfocal.registry import ModelError

# Folders of pictures in the output folder.
OVERLAYS, SHARPEST = "overlays", "sharpest"


@dataclass(frozen=True)
class FileTask:
    """One file to measure.

    Attributes
    ----------
    index : int
        Place in the table.
    path : Path
    name : str
        Path below the folder that all files share, with `/`: pictures get this name.
    """

    index: int
    path: Path
    name: str


@dataclass(frozen=True)
class WorkSettings:
    """What every file is measured with, and what is written of it.

    Attributes
    ----------
    output : Path
    given : dict
        Arguments of `measure_image_focus` that the user gave.
    overlays, sharpest, patches : bool
        Write overlays; write the sharpest plane of each stack; list the patches.
    """

    output: Path
    given: dict[str, Any]
    overlays: bool = True
    sharpest: bool = False
    patches: bool = False


@dataclass
class FileReport:
    """Rows of one file for the tables of images, planes and patches."""

    images: list[dict[str, Any]] = field(default_factory=list)
    planes: list[dict[str, Any]] = field(default_factory=list)
    patches: list[dict[str, Any]] = field(default_factory=list)


_settings: Optional[WorkSettings] = None


def start_worker(settings: WorkSettings) -> None:
    """Keep the settings for all files of this process; the model is loaded once, with the first file."""
    global _settings
    _settings = settings


def measure_file(task: FileTask) -> FileReport:
    """Measure every image of a file with the settings of this process.

    A file or image that cannot be read or measured gives a row with the status `unreadable` and the reason.
    """
    assert _settings is not None, "start_worker was not called"
    report = FileReport()
    try:
        for item in read_images(task.path):
            _measure_item(task, item, _settings, report)
    except (UnreadableImage, OSError, MemoryError) as error:
        report.images.append(refused_row(task.path, str(error) or type(error).__name__))
    else:
        if not report.images:
            reason = "the file holds no image of its own: it is part of a set whose images begin in other files"
            report.images.append(refused_row(task.path, reason))
    return report


def _measure_item(task: FileTask, item: ImageItem, settings: WorkSettings, report: FileReport) -> None:
    arguments, warnings = arguments_for(item.metadata, settings.given)
    try:
        measured = measure_image_focus(item.pixels, **arguments)
    except ModelError:
        raise
    except (TypeError, ValueError) as error:
        report.images.append(refused_row(task.path, str(error), item))
        return
    row = image_row(item, measured, arguments)
    row["warnings"] = ";".join(filter(None, (row["warnings"], *warnings)))
    report.planes.extend(plane_rows(item, measured, arguments.get("z_step_um")))
    if settings.patches:
        report.patches.extend(patch_rows(item, measured))
    row.update(_write_pictures(task, item, measured, arguments, settings))
    report.images.append(row)


def _write_pictures(
    task: FileTask, item: ImageItem, measured: ImageFocus, arguments: dict[str, Any], settings: WorkSettings
) -> dict[str, str]:
    """Write what was asked for of an image; returns the paths, relative to the output folder, by column."""
    name = task.name + _suffix_of(item)
    written: dict[str, str] = {}
    if measured.sharpest_plane_index is None:
        return written
    if settings.overlays:
        written["overlay"] = f"{OVERLAYS}/{name}.png"
        _write_overlay(settings.output / written["overlay"], item, measured)
    if settings.sharpest and len(measured.planes) > 1:
        written["sharpest_plane_file"] = f"{SHARPEST}/{name}.ome.tif"
        plane = item.pixels[measured.sharpest_plane_index]
        _write_plane(settings.output / written["sharpest_plane_file"], plane, arguments.get("pixel_size_um"))
    return written


def _suffix_of(item: ImageItem) -> str:
    """Tell images of one file apart in names, where there may be several."""
    about = item.metadata
    numbers = (("s", about.series), ("t", about.time), ("c", about.channel))
    return "".join(f"_{letter}{number}" for letter, number in numbers if number)


def _write_overlay(path: Path, item: ImageItem, measured: ImageFocus) -> None:
    import imageio.v3 as iio

    from parfocal.report.overlay import draw_overlay

    index = measured.sharpest_plane_index or 0
    picture = draw_overlay(as_planes(item.pixels)[0][index], measured.planes[index].patches)
    path.parent.mkdir(parents=True, exist_ok=True)
    iio.imwrite(path, np.rint(255 * picture).astype(np.uint8))


def _write_plane(path: Path, plane: np.ndarray, pixel_size_um: Optional[float]) -> None:
    """Write a plane as OME-TIFF in the type it was read in, with its pixel size if that is known."""
    import tifffile

    about: dict[str, Any] = {"axes": "YXS" if plane.ndim == 3 else "YX"}
    if pixel_size_um is not None:
        about.update({"PhysicalSizeX": pixel_size_um, "PhysicalSizeY": pixel_size_um})
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, plane, photometric="rgb" if plane.ndim == 3 else "minisblack", metadata=about)


def common_names(paths: list[Path]) -> Iterator[str]:
    """Names of the files below the folder that they share, with `/`."""
    import os.path

    parents = [os.path.abspath(path.parent) for path in paths]
    base = os.path.commonpath(parents)
    for path, parent in zip(paths, parents):
        yield Path(os.path.relpath(os.path.join(parent, path.name), base)).as_posix()
