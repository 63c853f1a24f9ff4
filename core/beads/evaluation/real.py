"""Real bead stacks: agreement of repeated acquisitions, beside a simple measure on the same planes."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from parfocal.beads.measure import measure_bead_focal_plane

if TYPE_CHECKING:
    import pandas as pd


def run_real(images: str, stacks: str) -> pd.DataFrame:
    """Measure the real stacks of a list that lie below a folder.

    Parameters
    ----------
    images : str
        Folder.
    stacks : str
        JSON in the form of `models/bead_stacks.json`: path, `repeat_of` (name of the field that is repeated), optics.

    Returns
    -------
    pandas.DataFrame
        One row for each stack that was found: REFP, interval, beads, and the plane by a parabola through the
        normalised variance of whole planes.
    """
    import pandas as pd
    import tifffile

    rows = []
    for entry in json.loads(Path(stacks).read_text())["stacks"]:
        path = Path(images) / entry["path"]
        if not path.exists():
            continue
        stack = tifffile.imread(path)
        with path.with_name(f"{path.stem}_planes.csv").open() as table:
            z_um = np.array([float(row["z_um"]) for row in csv.DictReader(table)])
        rows.append(_row(entry, stack, z_um))
    return pd.DataFrame(rows)


def _row(entry: dict[str, Any], stack_zyx: np.ndarray, z_um: np.ndarray) -> dict[str, Any]:
    found = measure_bead_focal_plane(
        stack_zyx, entry["pixel_size_um"], entry["bead_diameter_um"], z_um=z_um, contrast=entry["contrast"]
    )
    widths = [bead.widths for bead in found.beads if bead.widths is not None and bead.used]
    return {
        "stack": entry["name"],
        "field": entry.get("repeat_of", entry["name"]),
        "z_step_um": float(np.median(np.diff(np.sort(z_um)))),
        "status": found.status,
        "used": found.n_beads,
        "refused": len(found.refused),
        "refp_um": found.reference_focal_plane_um,
        "half_interval_um": (found.interval_um[1] - found.interval_um[0]) / 2,
        "tilt_um_per_mm": found.field_shape.tilt_um_per_mm,
        "lateral_fwhm_um": _median([width.lateral_fwhm_um for width in widths]),
        "axial_fwhm_um": _median([width.axial_fwhm_um for width in widths]),
        "parabola_um": parabola_of_variance(stack_zyx, z_um),
    }


def _median(values: list[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.median(known)) if known else float("nan")


def parabola_of_variance(stack_zyx: np.ndarray, z_um: np.ndarray) -> float:
    """Vertex (um) of the parabola through the largest normalised variance of whole planes and its two neighbours."""
    order = np.argsort(z_um)
    planes, z = stack_zyx[order].astype(float), z_um[order]
    measure = planes.var(axis=(1, 2)) / planes.mean(axis=(1, 2))
    top = int(np.clip(np.argmax(measure), 1, len(z) - 2))
    a, b, _ = np.polyfit(z[top - 1 : top + 2] - z[top], measure[top - 1 : top + 2], 2)
    return float(z[top] - b / (2 * a))


def repeatability(rows: pd.DataFrame) -> pd.DataFrame:
    """Difference of repeated acquisitions of a field in um and in percent of the z step, by REFP and by parabola."""
    import pandas as pd

    found = []
    for field, own in rows.groupby("field", sort=False):
        if len(own) < 2:
            continue
        step = float(own["z_step_um"].iloc[0])
        row: dict[str, Any] = {"field": field, "acquisitions": len(own)}
        for name, column in (("REFP", "refp_um"), ("parabola", "parabola_um")):
            difference = float(np.ptp(own[column]))
            row.update({f"{name}, um": difference, f"{name}, % of step": 100 * difference / step})
        found.append(row)
    return pd.DataFrame(found)
