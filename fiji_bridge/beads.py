"""Beads in ImageJ: the reference focal plane of a stack, its profile as a plot, the beads as ROIs and as a table."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jpype import JArray, JClass, JDouble

from parfocal.answers import measured, outputs_of
from parfocal.beads.focal_plane import FeatureCurve
from parfocal.beads.result import BeadFocalPlane, BeadMeasurement

from .folders import show_table
from .imagej1 import is_headless
from .images import held, planes_of
from .measuring import warned
from .metadata import with_stated
from .options import PLOT, ROIS
from .other_images import taken_images
from .places import Place, label_of, shown_places
from .results import Row

_REFP, _CURVE = "#b2182b", "#2166ac"
_BANDS = 0.05  # free share of the plot above and below the curves


def measure_beads(command: Callable[..., Any], arguments: dict[str, Any], image: Any) -> dict[str, Any]:
    """Measure a stack of beads in ImageJ; those count that lie within the selection, if there is one.

    Raises
    ------
    ValueError, TypeError
        Where an argument is wrong, or neither it nor the calibration says how large a pixel is.
    """
    given = {name: value for name, value in arguments.items() if name not in (PLOT.name, ROIS.name)}
    with held(image):
        places = shown_places(image)
        given, mask_yx = taken_images(given, image)
        given, warnings = with_stated(command, given, image)
        result = measured(command, planes_of(image, places), given, mask_yx)
        row = Row(label_of(image, places), outputs_of(result))
    if arguments.get(ROIS.name) and not is_headless():  # ImageJ has no ROI Manager without a window
        add_rois(image, places, result)
    if arguments.get(PLOT.name) and not is_headless():
        for plot in plots(result, str(image.getTitle())):
            plot.show()
        show_table(result.bead_table(), f"Beads of {image.getTitle()}")
    return warned({**row.outputs, "rows": [row]}, warnings)


def plots(result: BeadFocalPlane, title: str) -> list[Any]:
    """Plots of steepest slope and centre intensity over z: medians of the planes, smooth curves, and the REFP."""
    curves = {"Steepest slope": result.reference.slope, "Centre intensity": result.reference.centre}
    return [_plot(result, curve, name, title) for name, curve in curves.items() if len(curve.z_um)]


def add_rois(image: Any, places: Sequence[Place], result: BeadFocalPlane) -> None:
    """Add a circle for each bead to the ROI Manager, in the slice nearest to its focal plane."""
    manager = JClass("ij.plugin.frame.RoiManager").getRoiManager()
    for bead in result.beads:
        manager.addRoi(_circle(image, places[_nearest(result, bead)], result, bead))


def _circle(image: Any, place: Place, result: BeadFocalPlane, bead: BeadMeasurement) -> Any:
    diameter = result.bead_diameter_um / result.pixel_size_um
    # A pixel of ImageJ begins at a whole number, one of core has its middle there.
    left, top = bead.x_px + 0.5 - diameter / 2, bead.y_px + 0.5 - diameter / 2
    roi = JClass("ij.gui.OvalRoi")(float(left), float(top), float(diameter), float(diameter))
    at = f"{bead.focal_plane_um:.2f} um" if math.isfinite(bead.focal_plane_um) else "no focal plane"
    roi.setName(f"bead {bead.label}, {at}" + ("" if bead.used else ", not used"))
    if image.isHyperStack():
        roi.setPosition(*place)
    else:
        roi.setPosition(image.getStackIndex(*place))
    return roi


def _nearest(result: BeadFocalPlane, bead: BeadMeasurement) -> int:
    if not math.isfinite(bead.focal_plane_um):
        return len(result.z_um) // 2
    return int(np.argmin(np.abs(result.z_um - bead.focal_plane_um)))


def _plot(result: BeadFocalPlane, curve: FeatureCurve, name: str, title: str) -> Any:
    plot = JClass("ij.gui.Plot")(f"{name} of beads, {title}", "z (um)", name)
    low, high = float(np.nanmin(curve.median)), float(np.nanmax(curve.median))
    free = (high - low) * _BANDS or 1.0
    plot.setLimits(float(result.z_um.min()), float(result.z_um.max()), low - free, high + free)
    plot.setColor(_CURVE)
    plot.add("circle", _doubles(curve.z_um), _doubles(curve.median))
    if len(curve.smooth_z_um):
        plot.add("line", _doubles(curve.smooth_z_um), _doubles(curve.smooth))
    legend = ["median of a plane", "smooth curve"][: 1 + bool(len(curve.smooth_z_um))]
    if result.answered:
        plot.setColor(_REFP)
        z = result.reference_focal_plane_um
        plot.add("line", _doubles([z, z]), _doubles([low - free, high + free]))
        legend.append(f"REFP, {z:.2f} um")
    plot.setColor("black")
    plot.addLegend("\n".join(legend))
    return plot


def _doubles(values: Any) -> Any:
    return JArray(JDouble)(np.asarray(values, float).tolist())
