"""Map of the field of a bead stack: the focal planes of the beads on the surface fitted to them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from parfocal.beads.bead import RefusedBead
from parfocal.beads.result import BeadFocalPlane, BeadMeasurement
from parfocal.report.beads_style import legend_below

_COLORS = "viridis"
_POINTS = 200
_LEAST_SPAN_UM = 0.1


def draw_field(result: BeadFocalPlane, shape_yx: tuple[int, int], path: str | Path) -> Path:
    """Draw the focal plane of each bead in its place over the surface fitted to them.

    Heights are relative to the reference focal plane, positive above it; beads that the surface does not rest on are
    drawn smaller, refused candidates as grey crosses.

    Parameters
    ----------
    result : BeadFocalPlane
    shape_yx : tuple of int
        Height and width of the field, px.
    path : path
        PNG file to write.

    Returns
    -------
    Path
        The file written.
    """
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

    figure = Figure((4.6, 3.9), dpi=150, layout="constrained")
    axes = figure.add_subplot()
    pixel = result.pixel_size_um
    height, width = (pixel * size for size in shape_yx)
    beads = [bead for bead in result.beads if np.isfinite(bead.focal_plane_um)]
    middle = result.reference_focal_plane_um
    if not np.isfinite(middle):
        middle = float(np.median([bead.focal_plane_um for bead in beads])) if beads else 0.0
    surface = _surface(result, width, height) - middle
    heights = np.array([bead.focal_plane_um - middle for bead in beads if bead.in_field])
    norm = Normalize(*_limits(np.concatenate([surface[np.isfinite(surface)].ravel(), heights])))
    if np.isfinite(surface).any():
        _arrow(axes, result)
        axes.imshow(
            surface, norm=norm, cmap=_COLORS, extent=(0, width, height, 0), alpha=0.65, interpolation="bilinear"
        )
    for in_field, size, name in ((True, 70, "bead"), (False, 26, "bead outside the fit")):
        shown = [bead for bead in beads if bead.in_field is in_field]
        _dots(axes, shown, [bead.focal_plane_um - middle for bead in shown], pixel, norm, size, name)
    _crosses(axes, result.refused, pixel)
    axes.set(xlim=(0, width), ylim=(height, 0), aspect="equal")
    axes.set_xlabel("x, um", fontsize=8)
    axes.set_ylabel("y, um", fontsize=8)
    axes.tick_params(labelsize=8)
    axes.set_title(_field_text(result), fontsize=8, loc="left")
    if beads:
        from matplotlib.cm import ScalarMappable

        bar = figure.colorbar(ScalarMappable(norm, _COLORS), ax=axes, shrink=0.8)
        bar.set_label("focal plane above the REFP, um" if result.answered else "focal plane, um", fontsize=8)
        bar.ax.tick_params(labelsize=8)
    legend_below(figure, axes)
    path = Path(path)
    figure.savefig(path)
    return path


def _surface(result: BeadFocalPlane, width: float, height: float) -> np.ndarray:
    """The fitted surface at the middles of a grid over the field; NaN beyond the beads it was fitted to."""
    # The corner of the first pixel is 0 in the picture, its middle in the fit.
    half = result.pixel_size_um / 2
    x = (np.arange(_POINTS) + 0.5) / _POINTS * width - half
    y = (np.arange(_POINTS) + 0.5) / _POINTS * height - half
    surface = result.field_shape.surface_um(x[None, :], y[:, None])
    return np.where(_among_beads(result, x, y), surface, np.nan)


def _among_beads(result: BeadFocalPlane, x_um: np.ndarray, y_um: np.ndarray) -> np.ndarray:
    """Whether places lie between the beads of the fit: beyond them the surface would be a guess."""
    from scipy.spatial import Delaunay

    places = [(bead.x_px, bead.y_px) for bead in result.beads if bead.in_field]
    if result.field_shape.reason or not np.isfinite(result.field_shape.tilt_um_per_mm):
        return np.zeros((len(y_um), len(x_um)), bool)
    grid = np.stack(np.meshgrid(x_um, y_um), axis=-1)
    return np.asarray(Delaunay(np.array(places) * result.pixel_size_um).find_simplex(grid) >= 0)


def _arrow(axes: Any, result: BeadFocalPlane) -> None:
    """Draw the direction in which the focal plane rises, in a corner; y grows downwards."""
    angle = np.radians(result.field_shape.tilt_direction_deg)
    along = 0.08 * np.array([np.cos(angle), -np.sin(angle)])
    style = {"arrowstyle": "->", "color": "black", "linewidth": 1.3}
    ends = {"xy": 0.11 + along, "xytext": 0.11 - along}
    axes.annotate("", **ends, xycoords="axes fraction", textcoords="axes fraction", arrowprops=style, zorder=4)


def _limits(values: np.ndarray) -> tuple[float, float]:
    if not len(values):
        return -1.0, 1.0
    low, high = float(values.min()), float(values.max())
    spare = max(0.0, _LEAST_SPAN_UM - (high - low)) / 2
    return low - spare, high + spare


def _dots(
    axes: Any,
    beads: Sequence[BeadMeasurement],
    heights: Sequence[float],
    pixel: float,
    norm: Any,
    size: float,
    name: str,
) -> None:
    if beads:
        x, y = ([(getattr(bead, key) + 0.5) * pixel for bead in beads] for key in ("x_px", "y_px"))
        axes.scatter(
            x, y, c=heights, norm=norm, cmap=_COLORS, s=size, edgecolors="black", linewidths=0.8, label=name, zorder=3
        )


def _crosses(axes: Any, refused: Sequence[RefusedBead], pixel: float) -> None:
    if refused:
        x, y = ([(getattr(bead, key) + 0.5) * pixel for bead in refused] for key in ("x_px", "y_px"))
        axes.scatter(x, y, marker="x", c="0.45", s=18, linewidths=0.9, label="refused", zorder=2)


def _field_text(result: BeadFocalPlane) -> str:
    shape = result.field_shape
    if shape.reason:
        return f"no surface: {shape.reason}"
    if not np.isfinite(shape.tilt_um_per_mm):
        return "no surface"
    text = f"tilt {shape.tilt_um_per_mm:.2f}{_plus_minus(shape.tilt_error_um_per_mm)} um per mm"
    text += ", rising along the arrow\n"
    if shape.curvature_reason:
        return f"{text}no curvature: {shape.curvature_reason}"
    return (
        f"{text}curvature {shape.curvature_um_per_mm2:.2f}{_plus_minus(shape.curvature_error_um_per_mm2)} um per mm$^2$"
    )


def _plus_minus(error: float) -> str:
    return f" \u00b1 {error:.2f}" if np.isfinite(error) else ""
