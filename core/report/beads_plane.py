"""Picture of a plane of a bead stack with what was found in it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np

from parfocal.beads.bead import RefusedBead
from parfocal.beads.result import BeadFocalPlane, BeadMeasurement
from parfocal.report.beads_style import legend_below

_USED_COLOR, _UNUSED_COLOR = "#35d0ff", "#ffb000"
_REFUSED_COLORS = ("#ff5a5a", "#ff9f1c", "#e05cff", "#f4e04d", "#8bd450")
_CONTRAST_PERCENTILES = (0.5, 99.8)
# With more beads than this their numbers would hide the picture.
_MOST_LABELS = 60


def draw_beads(result: BeadFocalPlane, plane_yx: np.ndarray, z_um: float, path: str | Path) -> Path:
    """Draw a plane of the stack with the beads and the refused candidates.

    Circles have the diameter of the beads: used ones with their number, others dashed; a cross and the reason's name
    mark each refused candidate.

    Parameters
    ----------
    result : BeadFocalPlane
    plane_yx : ndarray
        (y, x), any counts.
    z_um : float
        Its position, um.
    path : path
        PNG file to write.

    Returns
    -------
    Path
        The file written.
    """
    from matplotlib.figure import Figure

    figure = Figure((4.6, 3.9), dpi=200, layout="constrained")
    axes = figure.add_subplot()
    finite = plane_yx[np.isfinite(plane_yx)]
    low, high = np.percentile(finite, _CONTRAST_PERCENTILES) if finite.size else (0.0, 1.0)
    axes.imshow(plane_yx, cmap="gray", vmin=low, vmax=max(high, low + 1e-9), interpolation="antialiased")
    radius = result.bead_diameter_um / result.pixel_size_um / 2
    few = len(result.beads) <= _MOST_LABELS
    for bead in result.beads:
        _circle(axes, bead, radius, few)
    groups = _by_reason(result.refused)
    for (reason, places), color in zip(groups, cycle(_REFUSED_COLORS)):
        y, x = zip(*places)
        label = f"{reason.replace('_', ' ')} ({len(places)})"
        axes.plot(x, y, "x", markersize=4, markeredgewidth=0.9, color=color, label=label)
    height, width = plane_yx.shape
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    axes.set_xlabel("x, px", fontsize=8)
    axes.set_ylabel("y, px", fontsize=8)
    axes.tick_params(labelsize=8)
    axes.set_title(_plane_text(result, z_um), fontsize=8, loc="left")
    legend_below(figure, axes)
    path = Path(path)
    figure.savefig(path)
    return path


def _circle(axes: Any, bead: BeadMeasurement, radius: float, labelled: bool) -> None:
    from matplotlib.patches import Circle
    from matplotlib.patheffects import withStroke

    color, style = (_USED_COLOR, "-") if bead.used else (_UNUSED_COLOR, "--")
    place = (bead.x_px, bead.y_px)
    axes.add_patch(Circle(place, radius, fill=False, edgecolor=color, linewidth=1.1, linestyle=style))
    if labelled:
        text = axes.text(bead.x_px + radius, bead.y_px, str(bead.label), color=color, fontsize=6, clip_on=True)
        text.set(va="center", path_effects=[withStroke(linewidth=1.5, foreground="black")])
        text.set_in_layout(False)


def _by_reason(refused: Sequence[RefusedBead]) -> list[tuple[str, list[tuple[float, float]]]]:
    """Places (y, x) of the candidates by reason, the most frequent reason first."""
    groups: dict[str, list[tuple[float, float]]] = {}
    for bead in refused:
        groups.setdefault(bead.reason, []).append((bead.y_px, bead.x_px))
    return sorted(groups.items(), key=lambda group: -len(group[1]))


def _plane_text(result: BeadFocalPlane, z_um: float) -> str:
    used = f"{result.n_beads} beads used, {len(result.refused)} candidates refused"
    if not result.answered:
        return f"plane at z {z_um:.2f} um; {used}"
    return f"plane at z {z_um:.2f} um, {z_um - result.reference_focal_plane_um:+.2f} um from the REFP\n{used}"
