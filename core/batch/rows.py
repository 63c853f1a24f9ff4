"""Rows of tables: of images and files whatever is done with them, and of results of `measure_image_focus`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from parfocal import status
from parfocal.batch.arguments import used_optics
from parfocal.batch.places import place_of
from parfocal.focus_quality.result import FocusEstimate, ImageFocus
from parfocal.images.metadata import ImageItem


def image_row(item: ImageItem, measured: ImageFocus, arguments: dict[str, Any]) -> dict[str, Any]:
    """Row of the table of images: which image, its focus, and the optics it was measured with."""
    shape = measured_shape(item)
    index = measured.sharpest_plane_index
    return {
        **identity_row(item),
        "n_planes": len(measured.planes),
        "height_px": shape[0],
        "width_px": shape[1],
        **_numbers(measured.estimate),
        "sharpest_plane_index": index,
        "sharpest_plane_z_um": measured.sharpest_plane_z_um,
        **_answer(measured.estimate),
        **used_optics(arguments),
        **measured.metrics(),
    }


def refused_row(path: Path, reason: str, item: ImageItem | None = None) -> dict[str, Any]:
    """Row of a file, or of an image in it, that could not be measured."""
    identity = identity_row(item) if item else file_row(path)
    return {**identity, "answered": False, "status": status.UNREADABLE, "reason": reason, "warnings": ""}


def plane_rows(item: ImageItem, measured: ImageFocus, z_step_um: float | None) -> list[dict[str, Any]]:
    """Rows of the table of planes, see `stack_rows`."""
    told = [{**_numbers(plane.estimate), **_answer(plane.estimate), **plane.metrics} for plane in measured.planes]
    return stack_rows(item, z_step_um, told)


def stack_rows(item: ImageItem, z_step_um: float | None, told: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of planes of which this is told: one for each plane of a stack, none for a single image."""
    if len(told) < 2:
        return []
    return [
        {**identity_row(item), "plane": index, "z_um": None if z_step_um is None else index * z_step_um, **plane}
        for index, plane in enumerate(told)
    ]


def patch_rows(item: ImageItem, measured: ImageFocus) -> list[dict[str, Any]]:
    """Rows of the table of patches, of every plane that was answered."""
    rows = []
    for index, plane in enumerate(measured.planes):
        if plane.patches is None:
            continue
        patches = plane.patches
        for (y, x), level, certainty in zip(patches.corners_yx, patches.defocus_level, patches.certainty):
            corner = {"plane": index, "y_px": float(y), "x_px": float(x), "size_px": float(patches.size_px)}
            rows.append({**identity_row(item), **corner, "defocus_level": float(level), "certainty": float(certainty)})
    return rows


def measured_shape(item: ImageItem) -> tuple[int, int]:
    """Height and width of the planes of an item, px."""
    has_colors = item.pixels.ndim > 2 and item.pixels.shape[-1] in (3, 4)
    height, width = item.pixels.shape[-3:-1] if has_colors else item.pixels.shape[-2:]
    return int(height), int(width)


def identity_row(item: ImageItem) -> dict[str, Any]:
    """Columns that say which image it is."""
    about, place = item.metadata, _place(item.path)
    return {
        "file": str(item.path),
        "series": about.series,
        "series_name": about.series_name,
        "time": about.time,
        "channel": about.channel,
        **place,
        **({"well": about.well, "site": about.site} if about.well else {}),
        "channel_name": about.channel_name or place["channel_name"],
    }


def file_row(path: Path) -> dict[str, Any]:
    """Columns that say which file it is, without looking into it."""
    return {"file": str(path), **_place(path)}


def _place(path: Path) -> dict[str, Any]:
    place = place_of(path.name)
    return {
        "channel_name": place.channel if place else "",
        "well": place.well if place else "",
        "site": place.site if place else "",
    }


def _numbers(estimate: FocusEstimate) -> dict[str, float]:
    return {
        "defocus_level": estimate.defocus_level,
        "predicted_level": estimate.predicted_level,
        "certainty": estimate.certainty,
        "mean_certainty": estimate.mean_certainty,
        "blur_diameter_px": estimate.blur_diameter_px,
        "defocus_distance_um": estimate.defocus_distance_um,
    }


def _answer(estimate: FocusEstimate) -> dict[str, Any]:
    return {
        "answered": estimate.answered,
        "status": estimate.status,
        "reason": estimate.reason,
        "warnings": ";".join(estimate.warnings),
    }
