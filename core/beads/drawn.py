"""What hosts draw of a stack of beads: the profiles over z, and a circle for each bead."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from parfocal.beads.focal_plane import FeatureCurve
from parfocal.beads.result import BeadFocalPlane, BeadMeasurement

_FREE = 0.05  # free share of a plot above and below the curves


@dataclass(frozen=True)
class DrawnProfile:
    """A plot of a feature over z.

    Attributes
    ----------
    name : str
    z_um, median : ndarray
        Median over the beads for each plane.
    smooth_z_um, smooth : ndarray
        Smooth curve; empty where there is none.
    limits : tuple of float
        Of the plot: first and last z in um, lowest and highest value.
    reference_um : float
        Reference focal plane, um; NaN without an answer.
    legend : tuple of str
        Of the medians, the smooth curve and the reference focal plane, as far as they are there.
    """

    name: str
    z_um: np.ndarray
    median: np.ndarray
    smooth_z_um: np.ndarray
    smooth: np.ndarray
    limits: tuple[float, float, float, float]
    reference_um: float
    legend: tuple[str, ...]


@dataclass(frozen=True)
class DrawnBead:
    """A circle around a bead.

    Attributes
    ----------
    name : str
    y_px, x_px : float
        Centre; whole numbers are the middles of pixels.
    diameter_px : float
    plane_index : int
        Plane nearest to the focal plane of the bead; the middle one where it has none.
    """

    name: str
    y_px: float
    x_px: float
    diameter_px: float
    plane_index: int


def drawn_profiles(result: BeadFocalPlane) -> list[DrawnProfile]:
    """Steepest slope and centre intensity over z, those that there are."""
    curves = {"Steepest slope": result.reference.slope, "Centre intensity": result.reference.centre}
    return [_profile(result, curve, name) for name, curve in curves.items() if len(curve.z_um)]


def drawn_beads(result: BeadFocalPlane) -> list[DrawnBead]:
    """A circle for each bead that was found, also those not used."""
    diameter_px = result.bead_diameter_um / result.pixel_size_um
    return [_drawn(result, bead, diameter_px) for bead in result.beads]


def _profile(result: BeadFocalPlane, curve: FeatureCurve, name: str) -> DrawnProfile:
    low, high = float(np.nanmin(curve.median)), float(np.nanmax(curve.median))
    free = (high - low) * _FREE or 1.0
    legend = ["median of a plane", *["smooth curve"] * bool(len(curve.smooth_z_um))]
    if result.answered:
        legend.append(f"REFP, {result.reference_focal_plane_um:.2f} um")
    return DrawnProfile(
        name=name,
        z_um=curve.z_um,
        median=curve.median,
        smooth_z_um=curve.smooth_z_um,
        smooth=curve.smooth,
        limits=(float(result.z_um.min()), float(result.z_um.max()), low - free, high + free),
        reference_um=result.reference_focal_plane_um if result.answered else math.nan,
        legend=tuple(legend),
    )


def _drawn(result: BeadFocalPlane, bead: BeadMeasurement, diameter_px: float) -> DrawnBead:
    at = f"{bead.focal_plane_um:.2f} um" if math.isfinite(bead.focal_plane_um) else "no focal plane"
    name = f"bead {bead.label}, {at}" + ("" if bead.used else ", not used")
    return DrawnBead(name, bead.y_px, bead.x_px, diameter_px, _nearest(result, bead))


def _nearest(result: BeadFocalPlane, bead: BeadMeasurement) -> int:
    if not math.isfinite(bead.focal_plane_um):
        return len(result.z_um) // 2
    return int(np.argmin(np.abs(result.z_um - bead.focal_plane_um)))
