"""What MeasureBeadFocalPlane shows in its window: plain arrays, which analysis workers can send."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np

if __package__:
    from ._parfocal_bead_result import MeasuredBeads
else:  # CellProfiler imports the files of its plugins folder one by one, with the folder on the path.
    from _parfocal_bead_result import MeasuredBeads

_REFP, _TARGET, _PLANE = "#b2182b", "#1b7837", "#737373"
_USED, _NOT_USED = "#33ff33", "#ff3333"
_CURVES = {"slope": ("#2166ac", "steepest slope"), "centre": ("#e08214", "center intensity")}


def window_data(measured: MeasuredBeads, index: Optional[int]) -> dict[str, Any]:
    """Collect what `draw` needs; `index` is the plane of a group, or None."""
    numbers = measured.features() if index is None else {**measured.features(), **measured.plane_features(index)}
    rows = [[name, text] for name, text in measured.texts().items() if text]
    rows += [[name, f"{value:.4g}"] for name, value in numbers.items() if np.isfinite(value)]
    beads = measured.bead_features()
    data: dict[str, Any] = {"table": rows, "plane_yx": measured.plane_yx, "single": measured.single}
    data["diameter_px"] = float(measured.diameter_px)
    data["places_yx"] = measured.places_zyx_px()[:, 1:]
    data["used"] = beads["Used"]
    if measured.single:
        ends = ("DistanceUm", "DistanceLowUm", "DistanceHighUm")
        return {**data, "told_um": -beads["FocalPlaneUm"], "distance_um": [float(numbers[name]) for name in ends]}
    data["lines_um"] = _lines(numbers)
    data["interval_um"] = [float(end) for end in measured.result.interval_um]
    return {**data, **_curves(measured.result.reference)}


def _curves(reference: Any) -> dict[str, np.ndarray]:
    """Points and curve of each feature over z, as a share of the curve's height."""
    data = {}
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
    """Draw the profile, or the distance by each bead, the plane nearest to focus with its beads, and the numbers."""
    figure.set_subplots((2, 2))
    (_draw_distances if data["single"] else _draw_profile)(figure.subplot(0, 0), data)
    figure.subplot_table(1, 0, data["table"], col_labels=("Measurement", image_name))
    if data["plane_yx"] is not None:
        shown = image_name if data["single"] else "Plane nearest to focus"
        title = f"{shown}: used beads are green, others red"
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


def _draw_distances(axes: Any, data: dict[str, Any]) -> None:
    distance, *interval = data["distance_um"]
    told, used = np.asarray(data["told_um"]), np.asarray(data["used"]) > 0
    for chosen, color, label in ((used, _USED, "used"), (~used, _NOT_USED, "not used")):
        if np.isfinite(told[chosen]).any():
            number = np.flatnonzero(chosen) + 1
            axes.plot(number, told[chosen], "o", color=color, markeredgecolor="black", label=label)
    if np.isfinite(distance):
        axes.axhspan(*interval, color=_REFP, alpha=0.2, linewidth=0)
        axes.axhline(distance, color=_REFP, linewidth=1.0, label="mean, interval")
        axes.legend(fontsize="small", framealpha=0.6)
    axes.set_xlim(0.5, max(len(told), 1) + 0.5)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel("bead")
    axes.set_ylabel("um above the REFP")
    axes.set_title("Distance of the plane by each bead")


def _draw_beads(axes: Any, data: dict[str, Any]) -> None:
    from matplotlib.patches import Circle

    for (y, x), used in zip(data["places_yx"], data["used"]):
        color = _USED if used else _NOT_USED
        axes.add_patch(Circle((x, y), data["diameter_px"] / 2, fill=False, color=color))
