"""The focal plane of every single bead, for the tilt of the field and the spread of the beads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from parfocal.beads.alignment import align
from parfocal.beads.curve import fit_curve
from parfocal.beads.planes import LEAST_PLANES, checked_stack, feature_planes
from parfocal.beads.pooling import profile_of, reason_for_refusal


@dataclass(frozen=True)
class BeadFocalPlanes:
    """Focal plane of each bead.

    Attributes
    ----------
    z_um, slope_z_um, centre_z_um : ndarray
        (bead,) mean of both features, minimum of the slope, maximum of the centre intensity; NaN without an answer.
    error_um : ndarray
        (bead,) standard error of `z_um` from the residuals of the fits; what all beads have in common is not in it.
    reasons : tuple of str
        For each bead empty, or why it has no focal plane.
    """

    z_um: np.ndarray
    slope_z_um: np.ndarray
    centre_z_um: np.ndarray
    error_um: np.ndarray
    reasons: tuple[str, ...]


def bead_focal_planes(
    z_um: np.ndarray, steepest_slope_bz: np.ndarray, centre_intensity_bz: np.ndarray
) -> BeadFocalPlanes:
    """Find the focal plane of each bead: the curves of the stack are shifted and scaled to fit the bead.

    All planes of a bead take part, so that this is more precise than the extremum of its own curve, and works where its
    extremum is saturated.

    Parameters
    ----------
    z_um : array_like
        (n,) positions of the planes, um.
    steepest_slope_bz, centre_intensity_bz : array_like
        (bead, n) features, NaN where excluded.

    Raises
    ------
    ValueError
        Where shapes do not fit.
    """
    z, features = checked_stack(z_um, steepest_slope_bz=steepest_slope_bz, centre_intensity_bz=centre_intensity_bz)
    slope, centre = (_one_feature(z, values, is_slope) for values, is_slope in zip(features, (True, False)))
    reasons = tuple(a or b for a, b in zip(slope[2], centre[2]))
    error = np.hypot(slope[1], centre[1]) / 2
    return BeadFocalPlanes((slope[0] + centre[0]) / 2, slope[0], centre[0], error, reasons)


def _one_feature(z_um: np.ndarray, values_bz: np.ndarray, is_slope: bool) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Focal planes, their errors, and reasons, each by bead."""
    none = np.full(len(values_bz), np.nan)
    planes = feature_planes(z_um, values_bz)
    if len(planes) < LEAST_PLANES:
        return none, none, [f"{len(planes)} planes are usable, at least {LEAST_PLANES} are needed"] * len(none)
    fit = fit_curve(planes, is_slope)
    reason = fit.reason_for_no_extremum()
    if reason:
        return none, none, [reason] * len(none)
    values = fit.sign * fit.planes.values_bz
    if is_slope:
        values = np.where(values == 0, np.nan, values)
    fitted = align(profile_of(fit), fit.planes.z_um, values, np.ones(len(fit.planes)))
    reasons = reason_for_refusal(fitted)
    refused = np.array([bool(text) for text in reasons], dtype=bool)
    found = np.where(refused, np.nan, fit.extremum_um + fitted.shift_um)
    return found, np.where(refused, np.nan, fitted.shift_error_um), reasons
