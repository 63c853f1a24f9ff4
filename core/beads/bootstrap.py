"""Uncertainty of the reference focal plane: what other beads and other errors of the planes would have given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from parfocal.beads.curve import CurveFit
from parfocal.beads.outliers import robust_median

_MOST_VALUES_AT_ONCE = 4_000_000
# Where few planes lie across the peak, residuals are mostly the stiffer curve's own misfit, not chance with hardly a
# degree of freedom: with fewer than this Student's factor made intervals several times wider than the errors.
_LEAST_FREEDOM = 3.0


@dataclass(frozen=True)
class Uncertainty:
    """Parts of the error of a position in um, and the interval's half width.

    Attributes
    ----------
    between_beads_um : float
        Standard error from the choice of beads; NaN for one bead, which says nothing of others.
    between_planes_um : float
        Standard error from what all beads of a plane have in common (errors of the stage, light, and interpolation).
    smoothing_um : float
        How far the position moves with more smoothing.
    half_width_um : float
        Of the interval.
    """

    between_beads_um: float
    between_planes_um: float
    smoothing_um: float
    half_width_um: float

    @property
    def standard_error_um(self) -> float:
        """Root of the sum of the squares of the parts."""
        parts = (self.between_beads_um, self.between_planes_um, self.smoothing_um)
        return float(np.sqrt(np.nansum(np.square(parts))))


def uncertainties(
    fits: Sequence[CurveFit],
    n_bootstrap: int,
    seed: int,
    level: float,
    z_error_um: float = 0.0,
) -> list[Uncertainty]:
    """Uncertainty of the extremum of each curve and, last, of their mean.

    Beads are drawn with replacement, the same for all curves, and medians, curves and extrema computed again; the
    variance is raised by n / (n - 1), since a bootstrap of n beads has that much less. Errors of whole planes, which
    that cannot show, are drawn as the residuals with random signs (wild bootstrap, Wu 1986,
    doi:10.1214/aos/1176350142), or larger ones where `z_error_um` says so. The half width is the quantile of Student's
    t, with the degrees of freedom of both by Welch and Satterthwaite, times the root of the summed variances; the
    effect of smoothing is added in squares.

    Parameters
    ----------
    fits : sequence of CurveFit
        Of the same beads in the same order.
    n_bootstrap : int
        Number of draws.
    seed : int
    level : float
        Coverage that is aimed at, 0 to 1.
    z_error_um : float
        Known standard deviation of single planes' positions about their stated z, um.
    """
    rng = np.random.default_rng(seed)
    n_beads = len(fits[0].planes.values_bz)
    picks = rng.integers(0, n_beads, (n_bootstrap, n_beads))
    signs = rng.choice([-1.0, 1.0], (n_bootstrap, max(len(fit.planes) for fit in fits)))
    by_beads = [_extrema_of_draws(fit, picks) for fit in fits]
    by_planes = [_extrema_of_errors(fit, signs, z_error_um) for fit in fits]
    parts = [
        _Parts(beads, planes, max(fit.residuals[1], _LEAST_FREEDOM), fit.smoothing_bias_um)
        for fit, beads, planes in zip(fits, by_beads, by_planes)
    ]
    freedom = min(part.freedom for part in parts)
    smoothing = sum(part.smoothing_um for part in parts) / len(parts)
    parts.append(_Parts(np.mean(by_beads, axis=0), np.mean(by_planes, axis=0), freedom, smoothing))
    return [part.uncertainty(n_beads, level) for part in parts]


@dataclass(frozen=True)
class _Parts:
    by_beads_um: np.ndarray
    by_planes_um: np.ndarray
    freedom: float
    smoothing_um: float

    def uncertainty(self, n_beads: int, level: float) -> Uncertainty:
        from scipy.special import stdtrit  # Student's t

        planes = float(np.std(self.by_planes_um))
        beads = float(np.std(self.by_beads_um)) * np.sqrt(n_beads / (n_beads - 1)) if n_beads > 1 else 0.0
        variance = beads**2 + planes**2
        sizes = beads**4 / max(n_beads - 1, 1) + planes**4 / self.freedom
        quantile = stdtrit(max(variance**2 / sizes, 1.0), (1 + level) / 2) if sizes > 0 else 0.0
        half = np.hypot(quantile * np.sqrt(variance), self.smoothing_um)
        return Uncertainty(beads if n_beads > 1 else np.nan, planes, self.smoothing_um, float(half))


def _extrema_of_draws(fit: CurveFit, picks: np.ndarray) -> np.ndarray:
    """Extrema (draws,) with other beads; a plane that a draw leaves without any keeps its median."""
    values_bz = fit.planes.values_bz
    at_once = max(1, _MOST_VALUES_AT_ONCE // max(values_bz.size, 1))
    parts = []
    for start in range(0, len(picks), at_once):
        medians, _ = robust_median(values_bz[picks[start : start + at_once].T])
        parts.append(fit.extrema_um(np.where(np.isfinite(medians), medians, fit.planes.median)))
    return np.concatenate(parts)


def _extrema_of_errors(fit: CurveFit, signs: np.ndarray, z_error_um: float) -> np.ndarray:
    """Extrema (draws,) with other errors of the planes, the same signs for every curve."""
    residuals, _ = fit.residuals
    slopes = fit.spline.curve(fit.smoothed).derivative()(fit.planes.z_um) * z_error_um
    errors = np.where(np.abs(slopes) > np.abs(residuals), slopes, residuals)
    return fit.extrema_um(fit.sign * (fit.smoothed + signs[:, : len(errors)] * errors))
