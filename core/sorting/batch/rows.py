"""Rows and tables of a batch of sorted images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from parfocal import status
from parfocal.batch.arguments import used_optics
from parfocal.batch.rows import identity_row, measured_shape, stack_rows
from parfocal.images.metadata import ImageItem
from parfocal.sorting.flag import flag_defocused
from parfocal.sorting.result import DefocusFlag, PlaneFlag

if TYPE_CHECKING:
    import pandas as pd

_NUMBERS = ("probability", "threshold", "defocus_level")
_OPTICS = ("pixel_size_um", "numerical_aperture", "emission_wavelength_um", "immersion_index")
# What `parfocal restore --only-flagged` reads comes first.
_FIRST = ("file", "series", "time", "channel", "flagged", "probability", "threshold", "defocus_level")


def image_row(item: ImageItem, flag: DefocusFlag, arguments: dict[str, Any], warnings: Sequence[str]) -> dict[str, Any]:
    """Row of an image: which one it is, how it was sorted, and the optics it was sorted with."""
    height, width = measured_shape(item)
    return {
        **identity_row(item),
        "n_planes": len(flag.planes),
        "height_px": height,
        "width_px": width,
        "flagged": flag.flagged,
        "threshold": flag.threshold,
        "sharpest_plane_index": flag.sharpest_plane_index,
        **_answer(flag.main_plane),
        "warnings": ";".join((*flag.warnings, *warnings)),
        **used_optics(arguments, flag_defocused),
    }


def plane_rows(item: ImageItem, flag: DefocusFlag) -> list[dict[str, Any]]:
    """Rows of the table of planes, see `stack_rows`."""
    told = [{**_answer(plane), "warnings": ";".join(plane.warnings)} for plane in flag.planes]
    return stack_rows(item, item.metadata.z_step_um, told)


def _answer(plane: PlaneFlag) -> dict[str, Any]:
    return {
        "probability": plane.probability,
        "defocus_level": plane.defocus_level,
        "answered": plane.answered,
        "status": plane.status,
        "reason": plane.reason,
    }


def sorting_table(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Table of images: the same columns and types whatever the files hold; `flagged` is empty without an answer."""
    from parfocal.batch.tables import IMAGE_TEXTS, IMAGE_WHOLE_NUMBERS, image_table

    whole = (*IMAGE_WHOLE_NUMBERS, "sharpest_plane_index")
    table = image_table([{"flagged": None, **row} for row in rows], (*_NUMBERS, *_OPTICS), whole, IMAGE_TEXTS)
    table["flagged"] = table["flagged"].astype("boolean")
    return table[[*_FIRST, *(name for name in table.columns if name not in _FIRST)]]


def plane_table(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Table of the planes of stacks."""
    from parfocal.batch.tables import IMAGE_TEXTS, image_table

    texts = [name for name in IMAGE_TEXTS if name != "modality"]
    return image_table(
        list(rows), ("probability", "defocus_level", "z_um"), ("series", "time", "channel", "plane"), texts
    )


def count_by_outcome(table: pd.DataFrame) -> dict[str, int]:
    """Number of images by what came out, in words for people; what did not occur is left out."""
    flagged, found = table["flagged"], table["status"]
    others = sorted(set(found) - {status.OK, status.UNREADABLE})
    counts = {
        "sharp": (~flagged).sum(),
        "defocused": flagged.sum(),
        **{f"without an answer ({name})": (found == name).sum() for name in others},
        "unreadable": (found == status.UNREADABLE).sum(),
    }
    return {name: int(count) for name, count in counts.items() if count}
