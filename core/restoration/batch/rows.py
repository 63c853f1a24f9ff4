"""Rows and table of a batch of restorations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

from parfocal import status
from parfocal.batch.arguments import used_optics
from parfocal.batch.rows import file_row, identity_row, measured_shape, stack_rows
from parfocal.images.metadata import ImageItem
from parfocal.restoration.restore import restore_defocus
from parfocal.restoration.result import PlaneRestoration, Restoration

if TYPE_CHECKING:
    import pandas as pd

FILE_COLUMNS = ("restored_file", "uncertainty_file", "preview")
_NUMBERS = ("defocus_level", "change", "intensity_ratio")
_OPTICS = ("pixel_size_um", "numerical_aperture", "emission_wavelength_um", "immersion_index")


def restoration_row(
    item: ImageItem, restored: Restoration, arguments: dict[str, Any], warnings: Sequence[str]
) -> dict[str, Any]:
    """Row of an image: which one it is, what was done to it, and the optics that were reckoned with."""
    height, width = measured_shape(item)
    return {
        **identity_row(item),
        "n_planes": len(restored.planes),
        "height_px": height,
        "width_px": width,
        **_done(restored.main_plane),
        "n_planes_restored": sum(plane.restored for plane in restored.planes),
        "warnings": ";".join((*restored.warnings, *warnings)),
        **used_optics(arguments, restore_defocus),
    }


def unread_rows(path: Path, told: Mapping[Optional[tuple[int, int, int]], PlaneRestoration]) -> list[dict[str, Any]]:
    """Rows of a file that is left alone without being read: one for each image that is known of it, by its place."""
    about = {**file_row(path), "n_planes_restored": 0, "warnings": ""}
    names = ("series", "time", "channel")
    return [{**about, **_done(plane), **dict(zip(names, place or ()))} for place, plane in told.items()]


def plane_rows(item: ImageItem, restored: Restoration) -> list[dict[str, Any]]:
    """Rows of the table of planes, see `stack_rows`."""
    told = [{**_done(plane), "warnings": ";".join(plane.warnings)} for plane in restored.planes]
    return stack_rows(item, item.metadata.z_step_um, told)


def _done(plane: PlaneRestoration) -> dict[str, Any]:
    return {
        "defocus_level": plane.defocus_level,
        "answered": plane.answered,
        "status": plane.status,
        "reason": plane.reason,
        "restored": plane.restored,
        "change": plane.change,
        "intensity_ratio": plane.intensity_ratio,
    }


def restoration_table(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Table of images: the same columns and types whatever the files hold."""
    from parfocal.batch.tables import IMAGE_TEXTS, IMAGE_WHOLE_NUMBERS, image_table

    nothing_done = {"restored": False, "n_planes_restored": 0}
    return image_table(
        [{**nothing_done, **row} for row in rows],
        (*_NUMBERS, *_OPTICS),
        (*IMAGE_WHOLE_NUMBERS, "n_planes_restored"),
        (*IMAGE_TEXTS, *FILE_COLUMNS),
    )


def plane_table(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Table of the planes of stacks."""
    from parfocal.batch.tables import IMAGE_TEXTS, image_table

    texts = [name for name in IMAGE_TEXTS if name != "modality"]
    return image_table(list(rows), (*_NUMBERS, "z_um"), ("series", "time", "channel", "plane"), texts)


def count_by_outcome(table: pd.DataFrame) -> dict[str, int]:
    """Number of images by what became of them, in words for people; outcomes that did not occur are left out."""
    restored, found = table["restored"].astype(bool), table["status"]
    left_alone = ~restored & (found == status.OK)
    flagged = ~table["reason"].str.startswith("not flagged")
    counts = {
        "restored": restored.sum(),
        "in focus": (left_alone & flagged).sum(),
        "not flagged": (left_alone & ~flagged).sum(),
        **{f"refused ({name})": (found == name).sum() for name in sorted(set(found) - {status.OK, status.UNREADABLE})},
        "unreadable": (found == status.UNREADABLE).sum(),
    }
    return {name: int(count) for name, count in counts.items() if count}
