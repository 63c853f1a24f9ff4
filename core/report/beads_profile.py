"""Picture of the two features of bead stacks over z, with the reference focal plane."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from parfocal.beads.focal_plane import FeatureCurve
from parfocal.beads.result import BeadFocalPlane
from parfocal.report.beads_style import legend_below

REFP_COLOR, CURVE_COLOR, TARGET_COLOR = "#b2182b", "#2166ac", "#1b7837"
# A plane of the stack belongs to a point of the curve that lies within this share of the usual step.
_SAME_PLANE = 0.1
_UNITS = {"bright_field": ("background per um", "background"), "fluorescence": ("counts per um", "counts")}


def draw_profiles(
    result: BeadFocalPlane, path: str | Path, targets: Sequence[tuple[str, float]] = (), title: str = ""
) -> Path:
    """Draw steepest slope and centre intensity over z: beads, medians, smooth curves, and the planes found.

    Grey lines are single beads, dots the medians of the planes, hollow ones those of planes that were left out (too few
    beads could be measured there). The band is the interval of the reference focal plane (REFP).

    Parameters
    ----------
    result : BeadFocalPlane
    path : path
        PNG file to write.
    targets : sequence of (name, z_um)
        Target planes, um.
    title : str

    Returns
    -------
    Path
        The file written.
    """
    from matplotlib.figure import Figure

    figure = Figure((9.0, 3.1), dpi=150, layout="constrained")
    slope_unit, centre_unit = _UNITS[result.contrast]
    axes = figure.subplots(1, 2, sharex=True)
    reference = result.reference
    _draw(axes[0], result, reference.slope, _values(result, "steepest_slope_bz"))
    _draw(axes[1], result, reference.centre, _values(result, "centre_intensity_bz"))
    axes[0].set_title("steepest slope", fontsize=9, loc="left")
    axes[1].set_title("centre intensity", fontsize=9, loc="left")
    axes[0].set_ylabel(slope_unit, fontsize=8)
    axes[1].set_ylabel(centre_unit, fontsize=8)
    for plot in axes:
        for number, (_, z_um) in enumerate(targets):
            label = "target planes" if number == 0 else None
            plot.axvline(z_um, color=TARGET_COLOR, linewidth=1.0, linestyle=(0, (1, 1.5)), label=label)
        plot.set_xlabel("z, um", fontsize=8)
        plot.tick_params(labelsize=8)
        plot.ticklabel_format(axis="x", useOffset=False)
    for name, z_um in targets:
        axes[0].text(z_um, 1.0, f" {name}", transform=axes[0].get_xaxis_transform(), fontsize=7, color=TARGET_COLOR)
    legend_below(figure, *axes)
    figure.suptitle(title, fontsize=10)
    path = Path(path)
    figure.savefig(path)
    return path


def _values(result: BeadFocalPlane, name: str) -> np.ndarray:
    """A feature (bead, plane) of the beads that can be used; no bead where there are none."""
    features = result.features
    if features is None:
        return np.empty((0, len(result.z_um)))
    return np.asarray(getattr(features, name)[features.usable_b])


def _draw(axes: Any, result: BeadFocalPlane, curve: FeatureCurve, values_bz: np.ndarray) -> None:
    z = result.z_um
    order = np.argsort(z)
    for number, values in enumerate(values_bz):
        label = "single beads" if number == 0 else None
        axes.plot(z[order], values[order], color="0.8", linewidth=0.7, zorder=1, label=label)
    low, high = result.interval_um
    if np.isfinite([low, high]).all():
        text = f"its {100 * result.reference.level:g} % interval"
        axes.axvspan(low, high, color=REFP_COLOR, alpha=0.15, linewidth=0, zorder=0, label=text)
    if result.answered:
        axes.axvline(result.reference_focal_plane_um, color=REFP_COLOR, linewidth=1.3, zorder=2, label="REFP")
    if np.isfinite(curve.extremum_um):
        axes.axvline(
            curve.extremum_um,
            color=CURVE_COLOR,
            linewidth=1.0,
            linestyle="--",
            zorder=2,
            label="plane by this feature alone",
        )
    axes.plot(curve.smooth_z_um, curve.smooth, color=CURVE_COLOR, linewidth=1.3, zorder=3, label="smooth curve")
    axes.plot(curve.z_um, curve.median, "o", color=CURVE_COLOR, markersize=3.5, zorder=4, label="median of a plane")
    _draw_left_out(axes, z, curve, values_bz)


def _draw_left_out(axes: Any, z_um: np.ndarray, curve: FeatureCurve, values_bz: np.ndarray) -> None:
    """Hollow dots at the planes that were not used; at the lower edge where no bead could be measured at all."""
    left_out = ~_among(z_um, curve.z_um)
    if not left_out.any():
        return
    style = {"marker": "o", "color": "none", "markeredgecolor": CURVE_COLOR, "markersize": 4.5, "linestyle": "none"}
    values = values_bz[:, left_out]
    known = np.isfinite(values).any(axis=0) if len(values) else np.zeros(left_out.sum(), bool)
    if known.any():
        medians = np.nanmedian(values[:, known], axis=0)
        axes.plot(z_um[left_out][known], medians, **style, zorder=4, label="plane left out")
    if not known.all():
        at_edge = np.full((~known).sum(), 0.03)
        label = None if known.any() else "plane left out"
        axes.plot(z_um[left_out][~known], at_edge, **style, transform=axes.get_xaxis_transform(), zorder=4, label=label)


def _among(z_um: np.ndarray, used_um: np.ndarray) -> np.ndarray:
    """Whether each plane is one of those used, of which those at one position were merged."""
    if not len(used_um):
        return np.zeros(len(z_um), bool)
    reach = _SAME_PLANE * float(np.median(np.diff(used_um))) if len(used_um) > 1 else 0.0
    return np.asarray(np.abs(z_um[:, None] - used_um[None, :]).min(axis=1) <= reach)
