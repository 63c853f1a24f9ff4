"""What a worker process does with one file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Optional

import numpy as np

from parfocal import status
from parfocal.batch.arguments import arguments_for
from parfocal.batch.files import FileReport, FileTask, each_image, suffix_of
from parfocal.images.metadata import ImageItem
from parfocal.images.planes import as_planes
from parfocal.images.writing import write_ome_tiff
from parfocal.restoration.batch.flags import Flags
from parfocal.restoration.batch.rows import plane_rows, restoration_row, unread_rows
from parfocal.restoration.restore import restore_defocus
from parfocal.restoration.result import PlaneRestoration, Restoration, already_restored_reason, is_marked_restored

# Folders in the output folder.
RESTORED, UNCERTAINTY, PREVIEWS = "restored", "uncertainty", "previews"


@dataclass(frozen=True)
class RestoreSettings:
    """What every file is restored with, and what is written of it.

    Attributes
    ----------
    output : Path
    given : dict
        Arguments of `restore_defocus` that the user gave.
    flags : Flags or None
        Which images are to be restored; None for all.
    all_images : bool
        Write also images that were left alone, unchanged.
    previews : bool
        Draw before, after and difference of each restored image.
    """

    output: Path
    given: dict[str, Any]
    flags: Optional[Flags] = None
    all_images: bool = False
    previews: bool = False


_settings: Optional[RestoreSettings] = None


def start_worker(settings: RestoreSettings) -> None:
    """Keep the settings for all files of this process; the models are loaded once, with the first file."""
    global _settings
    _settings = settings


def restore_file(task: FileTask) -> FileReport:
    """Restore every image of a file with the settings of this process; the file itself is only read.

    A file or image that cannot be read or restored gives a row with the status `unreadable` and the reason.
    """
    assert _settings is not None, "start_worker was not called"
    flags = _settings.flags
    if flags is not None and not _settings.all_images:
        found = flags.of_file(task.path)
        if not any(flag.flagged for flag in found.values()):
            told = {place: flag.left_alone(flags.table) for place, flag in found.items()}
            return FileReport(unread_rows(task.path, told))
    report = FileReport()
    report.images = each_image(task.path, partial(_restore_item, task, _settings, report))
    return report


def _restore_item(task: FileTask, settings: RestoreSettings, report: FileReport, item: ImageItem) -> dict[str, Any]:
    arguments, warnings = arguments_for(item.metadata, settings.given, restore_defocus)
    restored = restore_unless_marked(item, arguments, settings.flags)
    row = restoration_row(item, restored, arguments, warnings)
    report.planes.extend(plane_rows(item, restored))
    return {**row, **write_restored(settings, task.name + suffix_of(item), item, restored)}


def restore_unless_marked(item: ImageItem, arguments: dict[str, Any], flags: Optional[Flags] = None) -> Restoration:
    """Restore an image of a file, unless its metadata mark it as restored before, or a table does not flag it."""
    if is_marked_restored(item.metadata.description):
        reason = already_restored_reason(item.metadata.description)
        return _left_alone(item.pixels, PlaneRestoration(status=status.ALREADY_RESTORED, reason=reason))
    if flags is None:
        return restore_defocus(item.pixels, **arguments)
    flag = flags.of_image(item.path, item.metadata)
    if not flag.flagged:
        return _left_alone(item.pixels, flag.left_alone(flags.table))
    restored = restore_defocus(item.pixels, **arguments)
    return restored if restored.restored else _contradicting(restored, flags)


def _contradicting(restored: Restoration, flags: Flags) -> Restoration:
    """Say of planes in focus that the table has flagged the image."""
    told = f", though flagged in {Path(flags.table).name}"
    planes = tuple(replace(plane, reason=plane.reason + told) if plane.answered else plane for plane in restored.planes)
    return replace(restored, planes=planes)


def _left_alone(pixels: np.ndarray, told: PlaneRestoration) -> Restoration:
    return Restoration(pixels, None, (told,) * len(as_planes(pixels)[0]))


def write_restored(settings: RestoreSettings, name: str, item: ImageItem, restored: Restoration) -> dict[str, str]:
    """Write what was asked for of an image; returns the paths, relative to the output folder, by column."""
    written: dict[str, str] = {}
    if not restored.restored and not settings.all_images:
        return written
    # The mark stands before what the original says of itself.
    text = "\n".join(filter(None, (restored.provenance, item.metadata.description)))
    about = replace(item.metadata, description=text)
    written["restored_file"] = f"{RESTORED}/{name}.ome.tif"
    write_ome_tiff(settings.output / written["restored_file"], restored.image, about)
    if restored.restored and restored.uncertainty is not None:
        written["uncertainty_file"] = f"{UNCERTAINTY}/{name}.ome.tif"
        deviation = "Standard deviation of the error to be expected at each pixel, in the unit of the image. "
        about = replace(about, description=deviation + text)
        write_ome_tiff(settings.output / written["uncertainty_file"], restored.uncertainty, about)
    if restored.restored and settings.previews:
        written["preview"] = f"{PREVIEWS}/{name}.png"
        _draw(settings.output / written["preview"], item, restored)
    return written


def _draw(path: Path, item: ImageItem, restored: Restoration) -> None:
    """Draw the plane that was changed most."""
    import imageio.v3 as iio

    from parfocal.report.restoration import draw_restoration

    index = restored.planes.index(restored.main_plane)
    before, after = (as_planes(pixels)[0][index] for pixels in (item.pixels, restored.image))
    path.parent.mkdir(parents=True, exist_ok=True)
    iio.imwrite(path, np.rint(255 * draw_restoration(before, after)).astype(np.uint8))
