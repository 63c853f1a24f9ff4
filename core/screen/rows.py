"""Rows of the table of a screen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from parfocal import status
from parfocal.batch.rows import image_row, refused_row
from parfocal.images.metadata import ImageItem
from parfocal.screen.columns import COLUMNS, FLAG, TEXT, WHOLE
from parfocal.screen.image import ScreenedImage
from parfocal.screen.task import ScreenTask

# Warnings of images whose pictures could not be written.
NOT_WRITTEN = "picture_not_written"


def screened_row(
    item: ImageItem, screened: ScreenedImage, arguments: dict[str, Any], warnings: Sequence[str]
) -> dict[str, Any]:
    """Row of an image: which one, its focus, whether it is flagged, and what restoring did."""
    row = image_row(item, screened.focus, arguments)
    flag, restoration = screened.flag, screened.restoration
    told = {
        "warnings": ";".join(filter(None, (row["warnings"], *warnings))),
        "flagged": flag.flagged,
        "probability": flag.probability,
        "threshold": flag.threshold,
        "sorting_status": flag.status,
        "sorting_reason": flag.reason,
        "sorting_warnings": ";".join(flag.warnings),
        "restored": False,
    }
    if restoration is not None:
        done = restoration.main_plane
        told["restored"] = done.restored
        told["change"], told["intensity_ratio"] = done.change, done.intensity_ratio
        told["restoration_status"], told["restoration_reason"] = done.status, done.reason
        told["restoration_warnings"] = ";".join(restoration.warnings)
    return {**row, **told, "acquired": item.metadata.acquired, "plate": item.metadata.plate}


def unreadable_row(task: ScreenTask, reason: str) -> dict[str, Any]:
    """Row of a file of which nothing could be read."""
    return refused_row(Path(task.path), reason)


def finished_row(row: dict[str, Any], task: ScreenTask, seconds: float) -> dict[str, Any]:
    """Row with all its columns, as plain values that JSON holds: None where there is no number."""
    refused = {"sorting_status": status.UNREADABLE, "sorting_reason": row["reason"]}
    whole = {**(refused if row["status"] == status.UNREADABLE else {}), "restored": False, **row}
    whole.update(task.told)
    whole.update(file=task.shown, seconds=seconds)
    kinds = {**dict.fromkeys(whole, ""), **COLUMNS}
    return {name: _plain(whole.get(name), kind) for name, kind in kinds.items()}


def _plain(value: Any, kind: str) -> Any:
    if kind == TEXT:
        # Bytes of a name that are no text are spelled out: neither Parquet nor JSON holds them.
        return "" if value is None else str(value).encode("utf-8", "backslashreplace").decode()
    if value is None or (isinstance(value, (float, np.floating)) and not math.isfinite(value)):
        return None
    return bool(value) if kind == FLAG else int(value) if kind == WHOLE else float(value)
