"""Picture of the distances that a distance model reads off beads: of a single plane by bead, of a stack by plane."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from parfocal.beads.distance.result import DistanceEstimate
from parfocal.beads.result import BeadFocalPlane
from parfocal.report.beads_style import legend_below

_USED, _OTHER, _MEAN = "#2166ac", "0.6", "#b2182b"


def draw_distances(result: BeadFocalPlane, path: str | Path) -> Path:
    """Draw what a distance model reads, um, positive above the reference focal plane (REFP).

    Parameters
    ----------
    result : BeadFocalPlane
        With `plane_distances`: of one plane each bead is shown, of several the mean of each plane against its z.
    path : path
        PNG file to write.

    Returns
    -------
    Path
        The file written.
    """
    from matplotlib.figure import Figure

    figure = Figure((9.0, 3.1), dpi=150, layout="constrained")
    single = len(result.plane_distances) == 1
    plots = figure.subplots(1, 1 if single else 2, squeeze=False)[0]
    if single:
        _draw_beads(plots[0], result, result.plane_distances[0])
    else:
        _draw_planes(plots, result)
    plots[0].set_ylabel("distance from the REFP, um", fontsize=8)
    for plot in plots:
        plot.tick_params(labelsize=8)
    if plots[0].get_legend_handles_labels()[0]:
        legend_below(figure, plots[0])
    path = Path(path)
    figure.savefig(path)
    return path


def _draw_beads(axes: Any, result: BeadFocalPlane, found: DistanceEstimate) -> None:
    number, distance = np.arange(1, len(found.bead_distance_um) + 1), found.bead_distance_um
    used = np.array([bead.used for bead in result.beads], bool)
    for chosen, color, label in ((used, _USED, "bead"), (~used & np.isfinite(distance), _OTHER, "bead left out")):
        if chosen.any():
            axes.plot(number[chosen], distance[chosen], "o", color=color, markersize=5, label=label)
    if result.answered:
        ends = [result.z_um[0] - end for end in result.interval_um]
        text = f"its {100 * result.reference.level:g} % interval"
        axes.axhspan(*ends, color=_MEAN, alpha=0.15, linewidth=0, label=text)
        axes.axhline(found.distance_um, color=_MEAN, linewidth=1.3, label="mean")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlim(0.5, max(len(number), 1) + 0.5)
    axes.set_xlabel("bead", fontsize=8)
    axes.set_title("distance read off each bead", fontsize=9, loc="left")


def _draw_planes(plots: Any, result: BeadFocalPlane) -> None:
    """Draw what is read against z, and by how much it differs from what the stack says."""
    order = np.argsort(result.z_um)
    expected = (result.z_um - result.reference_focal_plane_um)[order]
    distance = np.array([found.distance_um for found in result.plane_distances])[order]
    error = np.array([found.standard_error_um for found in result.plane_distances])[order]
    z = result.z_um[order]
    style = {"color": _USED, "markersize": 3.5, "elinewidth": 0.8}
    for plot, values in zip(plots, (distance, distance - expected)):
        shown = np.isfinite(values)
        if shown.any():
            plot.errorbar(z[shown], values[shown], error[shown], fmt="o", label="read, standard error", **style)
        plot.set_xlabel("z, um", fontsize=8)
    if result.answered:
        plots[0].plot(z, expected, color=_MEAN, linewidth=1.0, label="z less the REFP of the stack")
        plots[1].axhline(0.0, color=_MEAN, linewidth=1.0)
    plots[0].set_title("distance read off each plane by itself", fontsize=9, loc="left")
    plots[1].set_title("what it differs by from the stack", fontsize=9, loc="left")
