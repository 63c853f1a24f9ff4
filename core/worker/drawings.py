"""What hosts draw, as it goes over."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from parfocal.focus_quality.network import N_LEVELS


def patches_of(result: Any) -> dict[str, Any]:
    """`patches` of each plane, empty where it has none, and `level_rgb`, the colours of the levels."""
    patches = [_patches(plane) for plane in getattr(result, "planes", ())]
    return {"patches": patches, "level_rgb": _rgb(np.arange(N_LEVELS), np.ones(N_LEVELS))}


def bead_drawings_of(result: Any) -> dict[str, Any]:
    """`profiles` over z, `circles` around beads, and their `table`; empty for other commands."""
    if not hasattr(result, "bead_table"):
        return {}
    from parfocal.beads.drawn import drawn_beads, drawn_profiles

    return {
        "profiles": [asdict(profile) for profile in drawn_profiles(result)],
        "circles": [asdict(bead) for bead in drawn_beads(result)],
        "table": _table(result.bead_table()),
    }


def _patches(plane: Any) -> dict[str, Any]:
    """Patches of a plane with the colours in which hosts draw them; nothing where it has none."""
    from parfocal.report.overlay import border_width_px

    patches = plane.patches
    if patches is None:
        return {}
    return {
        "size_px": patches.size_px,
        "border_px": border_width_px(patches.size_px),
        "corners_yx": patches.corners_yx,
        "defocus_level": patches.defocus_level,
        "certainty": patches.certainty,
        "rgb": _rgb(patches.defocus_level, patches.certainty),
    }


def _rgb(levels: np.ndarray, certainties: np.ndarray) -> np.ndarray:
    from parfocal.report.overlay import level_colors

    return np.rint(255 * level_colors(levels, certainties)).astype(int)


def _table(frame: Any) -> dict[str, Any]:
    """A table of pandas: its `columns`, which of them are `numeric`, and its `rows`."""
    from pandas.api.types import is_numeric_dtype

    numeric = [bool(is_numeric_dtype(frame[name])) for name in frame.columns]
    rows = [
        [_number(value) if number else "" if value is None else str(value) for value, number in zip(row, numeric)]
        for row in frame.itertuples(index=False)
    ]
    return {"columns": list(frame.columns), "numeric": numeric, "rows": rows}


def _number(value: Any) -> float:
    try:
        return float(value)
    except TypeError:  # pandas' own mark of what is missing
        return float("nan")
