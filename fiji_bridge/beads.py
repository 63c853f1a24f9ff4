"""Beads in ImageJ: the reference focal plane of a stack, its profile as a plot, the beads as ROIs and as a table."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jpype import JArray, JClass, JDouble

from parfocal.answers import measured, outputs_of
from parfocal.beads.drawn import DrawnBead, DrawnProfile, drawn_beads, drawn_profiles

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
        add_rois(image, places, drawn_beads(result))
    if arguments.get(PLOT.name) and not is_headless():
        for profile in drawn_profiles(result):
            _plot(profile, str(image.getTitle())).show()
        show_table(result.bead_table(), f"Beads of {image.getTitle()}")
    return warned({**row.outputs, "rows": [row]}, warnings)


def add_rois(image: Any, places: Sequence[Place], beads: Sequence[DrawnBead]) -> None:
    """Add a circle for each bead to the ROI Manager, in the slice nearest to its focal plane."""
    manager = JClass("ij.plugin.frame.RoiManager").getRoiManager()
    for bead in beads:
        manager.addRoi(_circle(image, places[bead.plane_index], bead))


def _circle(image: Any, place: Place, bead: DrawnBead) -> Any:
    # A pixel of ImageJ begins at a whole number, one of core has its middle there.
    left, top = bead.x_px + 0.5 - bead.diameter_px / 2, bead.y_px + 0.5 - bead.diameter_px / 2
    roi = JClass("ij.gui.OvalRoi")(float(left), float(top), float(bead.diameter_px), float(bead.diameter_px))
    roi.setName(bead.name)
    if image.isHyperStack():
        roi.setPosition(*place)
    else:
        roi.setPosition(image.getStackIndex(*place))
    return roi


def _plot(profile: DrawnProfile, title: str) -> Any:
    """Plot of a feature over z: medians of the planes, smooth curve, and the REFP."""
    plot = JClass("ij.gui.Plot")(f"{profile.name} of beads, {title}", "z (um)", profile.name)
    plot.setLimits(*profile.limits)
    plot.setColor(_CURVE)
    plot.add("circle", _doubles(profile.z_um), _doubles(profile.median))
    if len(profile.smooth_z_um):
        plot.add("line", _doubles(profile.smooth_z_um), _doubles(profile.smooth))
    if math.isfinite(profile.reference_um):
        plot.setColor(_REFP)
        plot.add("line", _doubles([profile.reference_um] * 2), _doubles(profile.limits[2:]))
    plot.setColor("black")
    plot.addLegend("\n".join(profile.legend))
    return plot


def _doubles(values: Any) -> Any:
    return JArray(JDouble)(np.asarray(values, float).tolist())
