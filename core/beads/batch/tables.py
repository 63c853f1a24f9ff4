"""Tables of a batch of bead stacks: beads, planes, and a summary."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from parfocal.beads.batch.pooled import PooledStack
from parfocal.beads.batch.stack import MeasuredStack
from parfocal.beads.batch.targets import Target
from parfocal.beads.batch.verdict import Verdict
from parfocal.beads.focal_plane import FeatureCurve

if TYPE_CHECKING:
    import pandas as pd

BEADS, PLANES, SUMMARY, SUMMARY_JSON = "beads.csv", "planes.csv", "summary.csv", "summary.json"
_WIDTHS = ("lateral_fwhm_um", "axial_fwhm_um", "signal_to_background")
# A plane belongs to a point of the curve that lies within this share of the usual step.
_SAME_PLANE = 0.1


@dataclass(frozen=True)
class JudgedStack:
    """A stack with all that is said of it.

    Attributes
    ----------
    measured : MeasuredStack
    verdict : Verdict
    pooled : PooledStack or None
        None where stacks were not pooled.
    targets : tuple of Target
    """

    measured: MeasuredStack
    verdict: Verdict
    pooled: Optional[PooledStack] = None
    targets: tuple[Target, ...] = ()

    @property
    def target_z_um(self) -> tuple[float, ...]:
        """Position of each target, um; NaN without a reference focal plane."""
        return tuple(self.measured.result.reference_focal_plane_um + target.offset_um for target in self.targets)


def bead_rows(stack: MeasuredStack) -> pd.DataFrame:
    """Beads and refused candidates of a stack, one row each."""
    table = stack.result.bead_table()
    table.insert(0, "stack", stack.name)
    return table


def plane_rows(stack: MeasuredStack) -> list[dict[str, Any]]:
    """Rows of all planes of a stack, those left out with the reason; features are medians over the beads."""
    reference, usable = stack.result.reference, stack.usable
    rows: list[dict[str, Any]] = [
        {"stack": stack.name, "plane": index, "file": file, "z_um": z, "measured": not reason, "reason": reason}
        for index, (file, z, reason) in enumerate(zip(stack.files, stack.z_um, stack.reasons))
    ]
    columns: dict[str, np.ndarray] = {}
    if len(stack.result.saturated_share_z) == len(usable):
        columns["saturated_share"] = stack.result.saturated_share_z
    for name, curve in (("steepest_slope", reference.slope), ("centre_intensity", reference.centre)):
        columns.update(_curve_columns(name, curve, stack.result.z_um))
    columns.update(_distance_columns(stack))
    for name, values in columns.items():
        for index, value in zip(usable, values):
            rows[int(index)][name] = value
    return rows


def _distance_columns(stack: MeasuredStack) -> dict[str, Any]:
    """What a distance model reads off each plane; nothing without one."""
    found = stack.result.plane_distances
    if not found:
        return {}
    return {
        "distance_um": [distance.distance_um for distance in found],
        "distance_error_um": [distance.standard_error_um for distance in found],
        "distance_beads": [distance.n_beads for distance in found],
        "distance_status": [distance.status for distance in found],
    }


def _curve_columns(name: str, curve: FeatureCurve, z_um: np.ndarray) -> dict[str, np.ndarray]:
    """Median, smooth curve and number of beads at each plane; NaN where a plane was not usable for this feature."""
    columns = {key: np.full(len(z_um), np.nan) for key in (name, f"{name}_smooth", f"{name}_beads")}
    if len(curve.z_um):
        nearest = np.abs(curve.z_um[None, :] - z_um[:, None]).argmin(axis=1)
        here = np.abs(curve.z_um[nearest] - z_um) <= same_plane_um(curve.z_um)
        columns[name][here] = curve.median[nearest[here]]
        columns[f"{name}_beads"][here] = curve.n_beads[nearest[here]]
    if len(curve.smooth_z_um):
        smooth = np.interp(z_um, curve.smooth_z_um, curve.smooth, left=np.nan, right=np.nan)
        columns[f"{name}_smooth"] = smooth
    return columns


def same_plane_um(z_um: np.ndarray) -> float:
    """Distance up to which a plane counts as one of those at these positions, um."""
    return _SAME_PLANE * float(np.median(np.diff(z_um))) if len(z_um) > 1 else 0.0


def summary_row(stack: JudgedStack) -> dict[str, Any]:
    """Row of a stack: what it is, its reference focal plane, its field, and the verdict."""
    measured, result = stack.measured, stack.measured.result
    reference, shape, z = result.reference, result.field_shape, measured.z_um[np.isfinite(measured.z_um)]
    low, high = result.interval_um
    row = {
        "stack": measured.name,
        "path": measured.path,
        "contrast": result.contrast,
        "bead_diameter_um": result.bead_diameter_um,
        "pixel_size_um": result.pixel_size_um,
        "n_planes": len(measured.reasons),
        "n_planes_left_out": sum(map(bool, measured.reasons)),
        "z_origin": measured.z_origin,
        "z_lowest_um": float(z.min()) if len(z) else math.nan,
        "z_highest_um": float(z.max()) if len(z) else math.nan,
        "status": result.status,
        "reason": result.reason,
        "reference_focal_plane_um": result.reference_focal_plane_um,
        "interval_low_um": low,
        "interval_high_um": high,
        "interval_level": reference.level,
        "distance_um": result.distance_um,
        "slope_z_um": reference.slope_z_um,
        "centre_z_um": reference.centre_z_um,
        "n_beads": result.n_beads,
        "n_found": len(result.beads),
        "n_refused": len(result.refused),
        "tilt_um_per_mm": shape.tilt_um_per_mm,
        "tilt_error_um_per_mm": shape.tilt_error_um_per_mm,
        "tilt_direction_deg": shape.tilt_direction_deg,
        "curvature_um_per_mm2": shape.curvature_um_per_mm2,
        "curvature_error_um_per_mm2": shape.curvature_error_um_per_mm2,
        "field_residual_um": shape.residual_um,
        **{f"median_{name}": median_width(measured, name) for name in _WIDTHS},
        "verdict": stack.verdict.word,
        "warnings": ";".join(measured.warnings),
        "targets": "; ".join(map(str, stack.targets)),
        "target_z_um": "; ".join(f"{z:.6g}" if abs(z) < 1000 else f"{z:.3f}" for z in stack.target_z_um),
    }
    return {**row, **_pooled_columns(stack.pooled)} if stack.pooled is not None else row


def median_width(stack: MeasuredStack, name: str) -> float:
    """Median of a width of the beads that were used, um; NaN in bright field."""
    values = [getattr(bead.widths, name) for bead in stack.result.beads if bead.widths is not None and bead.used]
    known = [value for value in values if math.isfinite(value)]
    return float(np.median(known)) if known else math.nan


def _pooled_columns(pooled: PooledStack) -> dict[str, Any]:
    return {f"pooled_{name}": value for name, value in asdict(pooled).items()}


def write_tables(output: Path, stacks: Sequence[JudgedStack], about: dict[str, Any]) -> list[Path]:
    """Write the tables; `about` (date, instrument, limits) goes into the JSON file beside the rows.

    Returns
    -------
    list of Path
        The files written.
    """
    import pandas as pd

    rows = [summary_row(stack) for stack in stacks]
    beads = _all_beads(stacks)
    planes = pd.DataFrame([row for stack in stacks for row in plane_rows(stack.measured)], columns=_PLANE_COLUMNS)
    for name in ("bead", "n_planes", "saturated_planes"):
        beads[name] = beads[name].astype("Int64")
    for name in ("steepest_slope_beads", "centre_intensity_beads", "distance_beads"):
        planes[name] = planes[name].astype("Int64")
    written = [output / name for name in (BEADS, PLANES, SUMMARY, SUMMARY_JSON)]
    for path, frame in zip(written, (beads, planes, pd.DataFrame(rows))):
        frame.to_csv(path, index=False)
    details = [{**row, **_details(stack)} for row, stack in zip(rows, stacks)]
    text = json.dumps(_without_nan({**about, "stacks": details}), indent=2, ensure_ascii=False, allow_nan=False)
    written[-1].write_text(text + "\n", encoding="utf-8")
    return written


def _all_beads(stacks: Sequence[JudgedStack]) -> pd.DataFrame:
    import pandas as pd

    frames = [bead_rows(stack.measured) for stack in stacks]
    full = [frame for frame in frames if len(frame)]
    return pd.concat(full, ignore_index=True) if full else frames[0]


def _details(stack: JudgedStack) -> dict[str, Any]:
    """What of a stack is a list in the JSON file and a text in the table."""
    targets = zip(stack.targets, stack.target_z_um)
    return {
        "warnings": list(stack.measured.warnings),
        "criteria": [asdict(criterion) for criterion in stack.verdict.criteria],
        "targets": [{"name": t.name, "offset_um": t.offset_um, "z_um": z} for t, z in targets],
        "target_z_um": list(stack.target_z_um),
    }


def _without_nan(value: Any) -> Any:
    """Put null where JSON has no number: NaN and infinity."""
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(item) for item in value]
    if isinstance(value, (np.integer, np.floating)):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


_PLANE_COLUMNS = [
    "stack",
    "plane",
    "file",
    "z_um",
    "steepest_slope",
    "steepest_slope_smooth",
    "steepest_slope_beads",
    "centre_intensity",
    "centre_intensity_smooth",
    "centre_intensity_beads",
    "saturated_share",
    "distance_um",
    "distance_error_um",
    "distance_beads",
    "distance_status",
    "measured",
    "reason",
]
