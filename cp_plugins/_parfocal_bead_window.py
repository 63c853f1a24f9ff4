"""What MeasureBeadFocalPlane shows in its window: plain arrays, which analysis workers can send."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np

if __package__:
    from ._parfocal_bead_result import MeasuredBeads
else:  # CellProfiler imports the files of its plugins folder one by one, with the folder on the path.
    from _parfocal_bead_result import MeasuredBeads

_REFP, _TARGET, _PLANE = "#b2182b", "#1b7837", "#737373"
_CURVES = {"slope": ("#2166ac", "steepest slope"), "centre": ("#e08214", "center intensity")}


def window_data(measured: MeasuredBeads, index: Optional[int]) -> dict[str, Any]:
    """Collect what `draw` needs; `index` is the plane of a group, or None."""
    reference = measured.result.reference
    numbers = measured.features() if index is None else {**measured.features(), **measured.plane_features(index)}
    rows = [[name, text] for name, text in measured.texts().items() if text]
    rows += [[name, f"{value:.4g}"] for name, value in numbers.items() if np.isfinite(value)]
    data: dict[str, Any] = {"table": rows, "plane_yx": measured.plane_yx, "lines_um": _lines(numbers)}
    data["interval_um"] = [float(end) for end in measured.result.interval_um]
    data["diameter_px"] = float(measured.diameter_px)
    data["places_yx"] = measured.places_zyx_px()[:, 1:]
    data["used"] = measured.bead_features()["Used"]
    for name, curve in (("slope", reference.slope), ("centre", reference.centre)):
        low, height = _range(curve.smooth if len(curve.smooth) else curve.median)
        data[f"{name}_z_um"], data[f"{name}_smooth_z_um"] = curve.z_um, curve.smooth_z_um
        data[f"{name}_median"], data[f"{name}_smooth"] = (curve.median - low) / height, (curve.smooth - low) / height
    return data


def _lines(numbers: dict[str, float]) -> list[list[Any]]:
    """Lines across the profile: label, z, colour."""
    lines = (("REFP", "ReferenceFocalPlaneUm", _REFP), ("target", "TargetUm", _TARGET))
    lines += (("this plane", "PlaneZUm", _PLANE),)
    return [[label, numbers[name], color] for label, name, color in lines if np.isfinite(numbers.get(name, np.nan))]


def _range(values: np.ndarray) -> tuple[float, float]:
    """Lowest value and height, for curves of different units in one plot."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    return float(finite.min()), float(np.ptp(finite)) or 1.0


def draw(figure: Any, data: dict[str, Any], image_name: str) -> None:
    """Draw the profile, the plane nearest to focus with its beads, and the numbers."""
    figure.set_subplots((2, 2))
    _draw_profile(figure.subplot(0, 0), data)
    figure.subplot_table(1, 0, data["table"], col_labels=("Measurement", image_name))
    if data["plane_yx"] is not None:
        title = "Plane nearest to focus: used beads are green, others red"
        figure.subplot_imshow_grayscale(0, 1, data["plane_yx"], title=title)
        _draw_beads(figure.subplot(0, 1), data)


def _draw_profile(axes: Any, data: dict[str, Any]) -> None:
    for name, (color, label) in _CURVES.items():
        axes.plot(data[f"{name}_z_um"], data[f"{name}_median"], ".", color=color, markersize=4)
        axes.plot(data[f"{name}_smooth_z_um"], data[f"{name}_smooth"], color=color, label=label)
    if np.isfinite(data["interval_um"]).all():
        axes.axvspan(*data["interval_um"], color=_REFP, alpha=0.2, linewidth=0)
    for label, z, color in data["lines_um"]:
        axes.axvline(z, color=color, linewidth=1.0, linestyle="-" if color == _REFP else "--", label=label)
    axes.set_xlabel("z, um")
    axes.set_ylabel("share of the curve's height")
    axes.set_title("Features of the beads over z")
    axes.legend(fontsize="small", framealpha=0.6)


def _draw_beads(axes: Any, data: dict[str, Any]) -> None:
    from matplotlib.patches import Circle

    for (y, x), used in zip(data["places_yx"], data["used"]):
        color = "#33ff33" if used else "#ff3333"
        axes.add_patch(Circle((x, y), data["diameter_px"] / 2, fill=False, color=color))
