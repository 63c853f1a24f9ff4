"""What a worker process does with one file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Optional

import numpy as np

from parfocal.batch.arguments import arguments_for
from parfocal.batch.files import FileReport, FileTask, each_image, suffix_of
from parfocal.batch.rows import image_row, patch_rows, plane_rows
from parfocal.focus_quality.measure import measure_image_focus
from parfocal.focus_quality.result import ImageFocus
from parfocal.images.metadata import ImageItem
from parfocal.images.planes import as_planes
from parfocal.images.writing import write_ome_tiff
from parfocal.restoration.result import RESTORED_IMAGE, is_marked_restored

# Folders of pictures in the output folder.
OVERLAYS, SHARPEST = "overlays", "sharpest"


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
    report.images = each_image(task.path, partial(_measure_item, task, _settings, report))
    return report


def _measure_item(task: FileTask, settings: WorkSettings, report: FileReport, item: ImageItem) -> dict[str, Any]:
    arguments, warnings = arguments_for(item.metadata, settings.given)
    measured = measure_image_focus(item.pixels, **arguments)
    row = image_row(item, measured, arguments)
    restored = RESTORED_IMAGE if is_marked_restored(item.metadata.description) else ""
    row["warnings"] = ";".join(filter(None, (row["warnings"], *warnings, restored)))
    report.planes.extend(plane_rows(item, measured, arguments.get("z_step_um")))
    if settings.patches:
        report.patches.extend(patch_rows(item, measured))
    return {**row, **_write_pictures(task, item, measured, arguments, settings)}


def _write_pictures(
    task: FileTask, item: ImageItem, measured: ImageFocus, arguments: dict[str, Any], settings: WorkSettings
) -> dict[str, str]:
    """Write what was asked for of an image; returns the paths, relative to the output folder, by column."""
    name = task.name + suffix_of(item)
    written: dict[str, str] = {}
    told = measured.sharpest_plane_index is not None
    # An image whose parts disagree has no level, and its patches are the answer.
    if settings.overlays and (told or measured.planes[0].patches is not None):
        written["overlay"] = f"{OVERLAYS}/{name}.png"
        write_overlay(settings.output / written["overlay"], item, measured)
    if settings.sharpest and told and len(measured.planes) > 1:
        written["sharpest_plane_file"] = f"{SHARPEST}/{name}.ome.tif"
        about = replace(item.metadata, pixel_size_um=arguments.get("pixel_size_um"), z_step_um=None)
        path = settings.output / written["sharpest_plane_file"]
        write_ome_tiff(path, item.pixels[measured.sharpest_plane_index], about)
    return written


def write_overlay(path: Path, item: ImageItem, measured: ImageFocus) -> None:
    """Draw the patches of an image, of a stack of its sharpest plane, onto it; without an answer it alone is drawn."""
    import imageio.v3 as iio

    from parfocal.report.overlay import draw_overlay

    index = measured.sharpest_plane_index or 0
    picture = draw_overlay(as_planes(item.pixels)[0][index], measured.planes[index].patches)
    path.parent.mkdir(parents=True, exist_ok=True)
    iio.imwrite(path, np.rint(255 * picture).astype(np.uint8))
