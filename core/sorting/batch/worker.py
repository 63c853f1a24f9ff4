"""What a worker process does with one file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Optional

import numpy as np

from parfocal import status
from parfocal.batch.files import FileReport, FileTask, each_image
from parfocal.images.metadata import ImageItem
from parfocal.images.planes import as_planes
from parfocal.sorting.batch.rows import image_row, plane_rows
from parfocal.sorting.items import flag_item
from parfocal.sorting.result import DefocusFlag

# Width of the pictures of the summary, in pixels of the image: a reduced picture of a defocused image looks sharp.
VIEW_PX = 160


@dataclass(frozen=True)
class SortSettings:
    """What every file is sorted with.

    Attributes
    ----------
    given : dict
        Arguments of `flag_defocused` that the user gave.
    warnings : tuple of str
        Warnings that hold for all images.
    """

    given: dict[str, Any]
    warnings: tuple[str, ...] = ()


_settings: Optional[SortSettings] = None


def start_worker(settings: SortSettings) -> None:
    """Keep the settings for all files of this process; the models are loaded once, with the first file."""
    global _settings
    _settings = settings


def sort_file(task: FileTask) -> FileReport:
    """Sort every image of a file with the settings of this process; the file itself is only read.

    A file or image that cannot be read or sorted gives a row with the status `unreadable` and the reason; `view` in a
    row is a picture for the summary.
    """
    assert _settings is not None, "start_worker was not called"
    report = FileReport()
    report.images = each_image(task.path, partial(_sort_item, _settings, report))
    return report


def _sort_item(settings: SortSettings, report: FileReport, item: ImageItem) -> dict[str, Any]:
    flag, arguments, warnings = flag_item(item, settings.given)
    row = image_row(item, flag, arguments, (*warnings, *settings.warnings))
    report.planes.extend(plane_rows(item, flag))
    to_be_seen = flag.flagged is not False and flag.status != status.ALREADY_RESTORED
    return {**row, "view": view(item, flag)} if to_be_seen and item.pixels.size else row


def view(item: ImageItem, flag: DefocusFlag) -> np.ndarray:
    """Part of the plane that stands for an image, where it shows most, at full resolution: (y, x), uint8."""
    from parfocal.report.overlay import grey

    plane = as_planes(item.pixels)[0][flag.planes.index(flag.main_plane)]
    shades = grey(plane)
    places = [(y, x) for y in _starts(plane.shape[0]) for x in _starts(plane.shape[1])]
    parts = [shades[y : y + VIEW_PX, x : x + VIEW_PX] for y, x in places]
    return np.rint(255 * max(parts, key=lambda part: float(part.std()))).astype(np.uint8)


def _starts(length: int) -> list[int]:
    return [*range(0, length - VIEW_PX, VIEW_PX), max(0, length - VIEW_PX)]
