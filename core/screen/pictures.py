"""Pictures of a screen: overlays, restored images, their uncertainty, and previews."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from parfocal import status
from parfocal.batch.files import suffix_of
from parfocal.batch.worker import OVERLAYS, write_overlay
from parfocal.images.metadata import ImageItem
from parfocal.images.reading import one_line
from parfocal.restoration.batch.rows import FILE_COLUMNS
from parfocal.restoration.batch.worker import PREVIEWS, RESTORED, UNCERTAINTY, RestoreSettings, write_restored
from parfocal.restoration.result import PlaneRestoration
from parfocal.screen.image import ScreenedImage
from parfocal.screen.settings import RECORD, ScreenSettings
from parfocal.screen.task import ScreenTask

FOLDERS = (OVERLAYS, RESTORED, UNCERTAINTY, PREVIEWS)


def write_pictures(
    task: ScreenTask, item: ImageItem, screened: ScreenedImage, settings: ScreenSettings
) -> tuple[ScreenedImage, dict[str, str], str]:
    """Write what is to be seen of an image.

    Returns
    -------
    screened : ScreenedImage
        With the reason where the restored image could not be written.
    written : dict
        Paths, relative to the output folder, by column.
    problem : str
        Why pictures are missing; empty where none is.
    """
    name, written, problem = task.name + suffix_of(item), {}, ""
    output = Path(settings.output)
    if not (output / RECORD).exists():
        problem = f"the output folder {output} is not there on the machine that worked on the image"
    try:
        if not problem and screened.restoration is not None and screened.restoration.restored:
            written.update(write_restored(_restoring(settings), name, item, screened.restoration))
        if not problem and _is_to_be_seen(screened, settings.overlays) and item.pixels.size:
            write_overlay(output / OVERLAYS / f"{name}.png", item, screened.focus)
            written["overlay"] = f"{OVERLAYS}/{name}.png"
    except OSError as error:
        problem = one_line(error)
    if not problem:
        return screened, written, ""
    return _not_written(screened, problem, written), written, problem


def _restoring(settings: ScreenSettings) -> RestoreSettings:
    return RestoreSettings(Path(settings.output), {}, previews=settings.previews)


def _is_to_be_seen(screened: ScreenedImage, overlays: str) -> bool:
    """Whether an overlay is drawn: of all images, of none, or of those that are flagged or have no answer."""
    undecided = screened.flag.flagged is not False or not screened.focus.estimate.answered
    return overlays == "all" or (overlays == "flagged" and undecided)


def _not_written(screened: ScreenedImage, problem: str, written: dict[str, Any]) -> ScreenedImage:
    """Withdraw the restoration where its image is not there."""
    restoration = screened.restoration
    if restoration is None or not restoration.restored or FILE_COLUMNS[0] in written:
        return screened
    told = PlaneRestoration(status=status.NOT_WRITTEN, reason=problem)
    left = replace(restoration, planes=(told,) * len(restoration.planes))
    return replace(screened, restoration=left)
