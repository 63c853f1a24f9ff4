"""What a radial profile says of focus: steepest slope, centre intensity, background, saturation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

import numpy as np

from parfocal.beads import refusal
from parfocal.beads.radial import RadialProfile, knot_spacing_um, pixels_around, radial_profile

CONTRASTS = ("bright_field", "fluorescence")
# Chalfoun et al. 2024 take the background 20 to 40 pixels of 1.5 um from the centre of beads of 28 um.
BACKGROUND_DIAMETERS = (30.0 / 28.0, 60.0 / 28.0)
# Of that ring at least this much, in diameters, must be free.
NARROWEST_BACKGROUND_DIAMETERS = 0.2
# Pixels this close to a neighbour, and nearer to it than to the bead, belong to it.
NEIGHBOUR_REACH_DIAMETERS = 1.25
# Share of the pixels of the bead and its surroundings that may be NaN or infinite.
LARGEST_NOT_FINITE_SHARE = 0.02
# Places per knot at which the steepest slope is looked for.
_STEPS_PER_KNOT = 16


@dataclass(frozen=True)
class BeadFeatures:
    """Features of one bead in one plane.

    Attributes
    ----------
    steepest_slope_per_um : float
        Most negative derivative of the spline: from the bright middle to the dark ring in bright field, at the edge
        in fluorescence. Bright field: per um, divided by the background. Fluorescence, whose background is near 0:
        counts per um.
    centre_intensity : float
        Spline at 1 pixel from the centre. Bright field: divided by the background. Fluorescence: background
        subtracted, counts.
    background : float
        Mean of the spline over the ring around the bead, counts.
    saturated_share : float
        Share of the bead's pixels that are at the camera's limit, 0 to 1.
    residual : float
        Standard deviation of the pixels about the spline, in the unit of `centre_intensity`.
    reason : str
        Empty, or why the features are NaN: see `parfocal.beads.refusal`.
    """

    steepest_slope_per_um: float = float("nan")
    centre_intensity: float = float("nan")
    background: float = float("nan")
    saturated_share: float = 0.0
    residual: float = float("nan")
    reason: str = refusal.USED


def bead_features(
    plane_yx: np.ndarray,
    centre_yx_px: tuple[float, float],
    bead_diameter_um: float,
    pixel_size_um: float,
    contrast: str = "bright_field",
    saturation_level: float = float("inf"),
    neighbours_yx_px: Optional[np.ndarray] = None,
    black_level: float = 0.0,
) -> BeadFeatures:
    """Measure the features of one bead in one plane (Chalfoun et al. 2024, doi:10.1038/s41598-024-57123-w).

    Parameters
    ----------
    plane_yx : ndarray
        Plane (y, x), counts.
    centre_yx_px : tuple of float
        Centre of the bead (y, x), px.
    bead_diameter_um, pixel_size_um : float
        Diameter of the bead and size of a pixel, um.
    contrast : str
        `bright_field` or `fluorescence`.
    saturation_level : float
        Count from which a pixel is saturated; a bead with such a pixel is excluded in this plane.
    neighbours_yx_px : ndarray, optional
        (n, 2) centres of other things, whose pixels are left out.
    black_level : float
        Counts without light. Taken off in bright field before anything is divided by the background.
    """
    _check_contrast(contrast)
    pixels = pixels_around(plane_yx, centre_yx_px, 0.5 * bead_diameter_um / pixel_size_um + 1)
    if pixels.finite_share < 1 - LARGEST_NOT_FINITE_SHARE:
        return BeadFeatures(reason=refusal.NOT_FINITE)
    saturated = float(np.mean(pixels.values >= saturation_level))
    if saturated > 0:
        return BeadFeatures(saturated_share=saturated, reason=refusal.SATURATED)
    profile = radial_profile(
        plane_yx,
        centre_yx_px,
        pixel_size_um,
        BACKGROUND_DIAMETERS[1] * bead_diameter_um,
        knot_spacing_um(bead_diameter_um, pixel_size_um),
        neighbours_yx_px,
        NEIGHBOUR_REACH_DIAMETERS * bead_diameter_um,
    )
    if profile is None:
        return BeadFeatures(reason=refusal.NO_BACKGROUND)
    return _of(profile, bead_diameter_um, black_level if contrast == "bright_field" else None)


def steepest_slope_per_um(profile: RadialProfile, bead_diameter_um: float) -> float:
    """Most negative derivative within the bead and its rim, where the background begins; counts per um.

    The paper takes the derivative farthest from 0, which is negative for its beads, and minimises it over z. Where the
    rise from the dark ring to the background is about as steep, that would change sign from plane to plane.
    """
    end_um = min(BACKGROUND_DIAMETERS[0] * bead_diameter_um, profile.end_um)
    n_places = int(np.ceil(_STEPS_PER_KNOT * end_um / profile.spline.spacing)) + 1
    return float(profile.slope(np.linspace(0.0, end_um, n_places)).min())


def background(profile: RadialProfile, bead_diameter_um: float) -> float:
    """Mean of the spline over the ring around the bead as far as it is free; NaN where hardly any of it is."""
    start_um, end_um = (factor * bead_diameter_um for factor in BACKGROUND_DIAMETERS)
    end_um = min(end_um, profile.end_um)
    if end_um - start_um < NARROWEST_BACKGROUND_DIAMETERS * bead_diameter_um:
        return float("nan")
    n_places = int(np.ceil(4 * (end_um - start_um) / profile.spline.spacing)) + 1
    return float(profile.intensity(np.linspace(start_um, end_um, n_places)).mean())


def _of(profile: RadialProfile, bead_diameter_um: float, black_level: Optional[float]) -> BeadFeatures:
    """Features of a profile: relative to the background above a black level, or above the background without one."""
    level = background(profile, bead_diameter_um)
    offset, scale = (level, 1.0) if black_level is None else (black_level, level - black_level)
    if not np.isfinite(level) or scale <= 0:
        return BeadFeatures(reason=refusal.NO_BACKGROUND)
    centre = float(profile.intensity(profile.pixel_size_um))
    return BeadFeatures(
        steepest_slope_per_um=steepest_slope_per_um(profile, bead_diameter_um) / scale,
        centre_intensity=(centre - offset) / scale,
        background=level,
        residual=profile.residual / scale,
    )


def _check_contrast(contrast: str) -> None:
    if contrast not in CONTRASTS:
        raise ValueError(f"contrast must be one of {', '.join(CONTRASTS)}, got {contrast!r}")
