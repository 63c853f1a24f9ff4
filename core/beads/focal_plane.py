"""The reference focal plane of a stack of beads, from two features of each bead in each plane."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Optional

import numpy as np

from parfocal import status
from parfocal.beads.bootstrap import Uncertainty, uncertainties
from parfocal.beads.curve import AT_END, CurveFit, fit_curve
from parfocal.beads.planes import LEAST_PLANES, FeaturePlanes, checked_stack, feature_planes

NAN = float("nan")
# At the mean of both extrema each curve should still have this share of its height; else they are of two planes.
_LEAST_SHARE_AT_MEAN = 0.5
_LEAST_DRAWS = 50


@dataclass(frozen=True)
class FeatureCurve:
    """One feature over z, for plots and tables.

    Attributes
    ----------
    z_um, median, n_beads : ndarray
        (n,) usable planes, the median over their beads, and how many beads that is after outliers are left out.
    smooth_z_um, smooth : ndarray
        (m,) the smoothing spline, on a fine grid, over the planes that it was fitted to.
    extremum_um : float
        Place of the minimum (slope) or maximum (centre intensity), um.
    interval_um : tuple of float
        Lower and upper end of its interval, um.
    signal_to_noise : float
        Height of the extremum above the curve's median against the standard error of the curve there.
    reason : str
        Why there is no extremum, or nothing.
    warnings : tuple of str
        `extremum_at_end_of_stack`, `extremum_beside_excluded_planes`, `plateau_at_extremum`.
    """

    z_um: np.ndarray = field(default_factory=lambda: np.empty(0), repr=False)
    median: np.ndarray = field(default_factory=lambda: np.empty(0), repr=False)
    n_beads: np.ndarray = field(default_factory=lambda: np.empty(0, int), repr=False)
    smooth_z_um: np.ndarray = field(default_factory=lambda: np.empty(0), repr=False)
    smooth: np.ndarray = field(default_factory=lambda: np.empty(0), repr=False)
    extremum_um: float = NAN
    interval_um: tuple[float, float] = (NAN, NAN)
    signal_to_noise: float = NAN
    reason: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReferenceFocalPlane:
    """The reference effective focal plane (REFP) of a stack.

    Attributes
    ----------
    z_um : float
        Mean of `slope_z_um` and `centre_z_um`; NaN where either is.
    slope_z_um : float
        REFP_SS, where the steepest slope is smallest (most negative).
    centre_z_um : float
        REFP_CI, where the centre intensity is largest.
    interval_um : tuple of float
        Interval of `z_um`, lower and upper end; NaN where an extremum lies at the end of the stack, since it may lie
        anywhere beyond.
    standard_error_um : float
        The interval's standard error before Student's factor.
    level : float
        Share of intervals that should hold the true plane.
    n_beads : int
        Beads of which at least one plane was measured.
    slope, centre : FeatureCurve
        The curves behind the numbers.
    status, reason : str
        `ok`; `no_content` where no extremum stands out; `too_small` with fewer than 4 usable planes.
    warnings : tuple of str
        Those of the curves, and `features_disagree` (at the mean of the two planes one curve has lost half of its
        height: they are not extrema of one focus), `single_bead` (the interval is that of this bead: how beads differ
        is not known), `few_beads` (two: the interval is wide).
    """

    z_um: float = NAN
    slope_z_um: float = NAN
    centre_z_um: float = NAN
    interval_um: tuple[float, float] = (NAN, NAN)
    standard_error_um: float = NAN
    level: float = 0.95
    n_beads: int = 0
    slope: FeatureCurve = field(default_factory=FeatureCurve, repr=False)
    centre: FeatureCurve = field(default_factory=FeatureCurve, repr=False)
    status: str = status.OK
    reason: str = ""
    warnings: tuple[str, ...] = ()


def reference_focal_plane(
    z_um: np.ndarray,
    steepest_slope_bz: np.ndarray,
    centre_intensity_bz: np.ndarray,
    n_bootstrap: int = 400,
    seed: int = 0,
    level: float = 0.95,
    z_error_um: float = 0.0,
) -> ReferenceFocalPlane:
    """Find the reference focal plane of a stack, with an interval.

    In each plane outliers over the beads are removed and the median taken; a smoothing spline over z gives the plane
    of the smallest slope and that of the largest centre intensity (Chalfoun et al. 2024,
    doi:10.1038/s41598-024-57123-w). The interval is explained at `parfocal.beads.bootstrap.uncertainties`.

    Parameters
    ----------
    z_um : array_like
        (n,) positions of the planes, um, in any order; repeated ones are averaged.
    steepest_slope_bz, centre_intensity_bz : array_like
        (bead, n) features in any unit; NaN where a bead was excluded or not measured. A plane where fewer than half of
        the beads were measured is left out.
    n_bootstrap : int
        Draws for the interval, at least 50; 0 for no interval.
    seed : int
        Of the draws.
    level : float
        Share of intervals that should hold the true plane, 0.5 to 0.999.
    z_error_um : float
        Standard deviation of the planes' true positions about `z_um`, um, where it is known (repeatability of the
        stage). What the residuals show is used in any case; with few planes across the peak they show too little.

    Returns
    -------
    ReferenceFocalPlane
        NaN with a status and a reason where there is no answer.

    Raises
    ------
    ValueError
        Where shapes do not fit or a parameter is out of its range.
    """
    z, (slope_bz, centre_bz) = checked_stack(
        z_um, steepest_slope_bz=steepest_slope_bz, centre_intensity_bz=centre_intensity_bz
    )
    _check(n_bootstrap, level, z_error_um)
    known = np.isfinite(slope_bz).any(axis=1) & np.isfinite(centre_bz).any(axis=1)
    features = [feature_planes(z, values[known]) for values in (slope_bz, centre_bz)]
    fits = [fit_curve(planes, k == 0) if len(planes) >= LEAST_PLANES else None for k, planes in enumerate(features)]
    curves = [_curve(fit, planes) for fit, planes in zip(fits, features)]
    whole = ReferenceFocalPlane(level=level, n_beads=int(known.sum()), slope=curves[0], centre=curves[1])
    whole = replace(whole, slope_z_um=curves[0].extremum_um, centre_z_um=curves[1].extremum_um)
    found = [fit for fit in fits if fit is not None]
    if len(found) < 2 or curves[0].reason or curves[1].reason:
        return _refused(whole, too_few=len(found) < 2)
    errors = uncertainties(found, n_bootstrap, seed, level, z_error_um) if n_bootstrap else []
    return _with_errors(whole, found, errors)


def _check(n_bootstrap: int, level: float, z_error_um: float) -> None:
    if n_bootstrap != 0 and n_bootstrap < _LEAST_DRAWS:
        raise ValueError(f"n_bootstrap must be 0 or at least {_LEAST_DRAWS}, got {n_bootstrap!r}")
    if not 0.5 <= level <= 0.999:
        raise ValueError(f"level must be in [0.5, 0.999], got {level!r}")
    if not 0 <= z_error_um < np.inf:
        raise ValueError(f"z_error_um must be 0 or above, got {z_error_um!r}")


def _curve(fit: Optional[CurveFit], planes: FeaturePlanes) -> FeatureCurve:
    curve = FeatureCurve(planes.z_um, planes.median, planes.n_beads)
    if fit is None:
        return replace(
            curve, reason=f"{len(planes)} planes at different z are usable, at least {LEAST_PLANES} are needed"
        )
    curve = replace(
        curve,
        smooth_z_um=fit.spline.grid_um,
        smooth=fit.sign * fit.spline.curve(fit.smoothed)(fit.spline.grid_um),
        signal_to_noise=fit.signal_to_noise,
        reason=fit.reason_for_no_extremum(),
    )
    return curve if curve.reason else replace(curve, extremum_um=fit.extremum_um, warnings=fit.warnings())


def _refused(whole: ReferenceFocalPlane, too_few: bool) -> ReferenceFocalPlane:
    named = (("steepest slope", whole.slope), ("centre intensity", whole.centre))
    reason = "; ".join(f"{name}: {curve.reason}" for name, curve in named if curve.reason)
    return replace(whole, status=status.TOO_SMALL if too_few else status.NO_CONTENT, reason=reason)


def _with_errors(whole: ReferenceFocalPlane, fits: list[CurveFit], errors: list[Uncertainty]) -> ReferenceFocalPlane:
    middle = (whole.slope_z_um + whole.centre_z_um) / 2
    warnings = list(dict.fromkeys(whole.slope.warnings + whole.centre.warnings))
    if any(fit.share_of_height(middle) < _LEAST_SHARE_AT_MEAN for fit in fits):
        warnings.append("features_disagree")
    if whole.n_beads <= 2:
        warnings.append("single_bead" if whole.n_beads == 1 else "few_beads")
    whole = replace(whole, z_um=middle, warnings=tuple(warnings))
    if not errors or AT_END in warnings:
        return whole
    slope, centre = (
        replace(curve, interval_um=_interval(curve.extremum_um, error))
        for curve, error in zip((whole.slope, whole.centre), errors)
    )
    return replace(
        whole,
        slope=slope,
        centre=centre,
        interval_um=_interval(middle, errors[2]),
        standard_error_um=errors[2].standard_error_um,
    )


def _interval(z_um: float, error: Uncertainty) -> tuple[float, float]:
    return z_um - error.half_width_um, z_um + error.half_width_um
