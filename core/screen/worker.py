"""What a worker process does with one file."""

from __future__ import annotations

import time
from functools import lru_cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from parfocal import status
from parfocal.batch.arguments import arguments_for
from parfocal.batch.files import each_image
from parfocal.focus_quality.measure import measure_image_focus
from parfocal.images.metadata import ImageItem
from parfocal.images.reading import one_line
from parfocal.registry import ModelError
from parfocal.restoration.result import RESTORED_IMAGE, PlaneRestoration, is_marked_restored
from parfocal.screen.image import ScreenedImage, screen_image, unchanged
from parfocal.screen.pictures import write_pictures
from parfocal.screen.rows import NOT_WRITTEN, finished_row, screened_row, unreadable_row
from parfocal.screen.settings import ScreenSettings
from parfocal.screen.task import ScreenTask
from parfocal.sorting.items import restored_before
from parfocal.system_errors import why_unread

Rows = list[dict[str, Any]]


class OtherVersion(ValueError):
    """A machine that works with another version of Parfocal than the one that runs the screen."""


def screen_file(task: ScreenTask, settings: ScreenSettings) -> Rows:
    """Measure, flag and, where that is wanted, restore every image of a file: its rows, as plain values.

    A file or image that cannot be read, or whose work fails, gives a row with the status `unreadable` and the reason.

    Raises
    ------
    OtherVersion
        Where this machine has another version.
    parfocal.registry.ModelError
        Where a model cannot be loaded here.
    """
    if settings.version != installed_version():
        raise OtherVersion(f"a worker has Parfocal {installed_version()}, the screen runs {settings.version}")
    begun = time.perf_counter()
    rows = _rows(task, settings)
    seconds = (time.perf_counter() - begun) / len(rows)
    return [finished_row(row, task, seconds) for row in rows]


def _rows(task: ScreenTask, settings: ScreenSettings) -> Rows:
    if task.problem:
        return [unreadable_row(task, task.problem)]
    try:
        return each_image(Path(task.path), partial(_screen_item, task, settings))
    except ModelError:
        raise
    except Exception as error:  # one image that a library stumbles over ends no screen
        return [unreadable_row(task, why_unread(error) or f"{type(error).__name__}: {one_line(error)}")]


@lru_cache(maxsize=1)
def installed_version() -> str:
    """Version of Parfocal here."""
    return version("parfocal")


def _screen_item(task: ScreenTask, settings: ScreenSettings, item: ImageItem) -> dict[str, Any]:
    arguments, warnings = arguments_for(item.metadata, settings.given, screen_image)
    if is_marked_restored(item.metadata.description):
        screened, warnings = _marked(item, arguments), (*warnings, RESTORED_IMAGE)
    else:
        screened = screen_image(item.pixels, **arguments)
    screened, written, problem = write_pictures(task, item, screened, settings)
    row = screened_row(item, screened, arguments, (*warnings, *((NOT_WRITTEN,) if problem else ())))
    return {**row, **written, "reason": row["reason"] or problem}


def _marked(item: ImageItem, arguments: dict[str, Any]) -> ScreenedImage:
    """Measure an image that is marked as restored; it is not sorted and not restored once more."""
    names = ("threshold", "restore", "method", "smallest_level", "uncertainty", "sorting_model", "restoration_model")
    measured = {name: value for name, value in arguments.items() if name not in names}
    if "focus_model" in measured:
        measured["model"] = measured.pop("focus_model")
    flag = restored_before(item.pixels, item.metadata.description)
    told = PlaneRestoration(status=status.ALREADY_RESTORED, reason=flag.reason)
    left = unchanged(item.pixels, told) if arguments.get("restore") else None
    return ScreenedImage(measure_image_focus(item.pixels, **measured), flag, left)
