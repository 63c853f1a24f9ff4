"""Fitting a profile over z to measured curves by a shift in z and a factor, many curves at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy.interpolate import BSpline

_SHIFTS_PER_STEP = 4
_ROUNDS = 12
_LEAST_VALUES = 3


@dataclass(frozen=True)
class Profile:
    """A smooth curve over z, constant beyond its ends.

    Attributes
    ----------
    spline : BSpline
    low_um, high_um : float
        Ends of the range that was measured.
    step_um : float
        Spacing of the planes behind it.
    extremum_um : float
    """

    spline: BSpline
    low_um: float
    high_um: float
    step_um: float
    extremum_um: float

    def __call__(self, z_um: np.ndarray) -> np.ndarray:
        """Value at z, um, any shape."""
        return self.spline(np.clip(z_um, self.low_um, self.high_um))

    def slope(self, z_um: np.ndarray) -> np.ndarray:
        """Derivative at z, per um; 0 beyond the ends."""
        inside = (z_um >= self.low_um) & (z_um <= self.high_um)
        return np.where(inside, self.spline.derivative()(np.clip(z_um, self.low_um, self.high_um)), 0.0)


@dataclass(frozen=True)
class Alignment:
    """How a profile was fitted to k curves: curve(z) = scale * profile(z - shift).

    Attributes
    ----------
    shift_um, scale : ndarray
        (k,), NaN where a curve has fewer than 3 values.
    shift_error_um : ndarray
        (k,) standard error of the shift from the residuals; NaN with 3 values, which leave one degree of freedom.
    residual : ndarray
        (k,) root mean square of the residuals against the standard deviation of the curve: 0 fits, 1 does not.
    """

    shift_um: np.ndarray
    scale: np.ndarray
    shift_error_um: np.ndarray
    residual: np.ndarray


def align(profile: Profile, z_um: np.ndarray, curves_kn: np.ndarray, weights_n: np.ndarray) -> Alignment:
    """Fit shift and scale by weighted least squares: all shifts on a grid, then Gauss-Newton from the best.

    Parameters
    ----------
    profile : Profile
    z_um : ndarray
        (n,) planes, um.
    curves_kn : ndarray
        (k, n), NaN where missing.
    weights_n : ndarray
        (n,) inverse variances up to a factor.
    """
    known = np.isfinite(curves_kn)
    weight = known * weights_n
    values = np.where(known, curves_kn, 0.0)
    shift = _best_on_grid(profile, z_um, values, weight)
    limit = profile.step_um / _SHIFTS_PER_STEP
    for _ in range(_ROUNDS):
        scale, residuals, by_shift, normal = _linearised(profile, z_um, values, weight, shift)
        move = np.sum(weight * by_shift * residuals, axis=1)
        shift = shift + np.clip(np.divide(move, normal, out=np.zeros_like(move), where=normal > 0), -limit, limit)
    scale, residuals, _, normal = _linearised(profile, z_um, values, weight, shift)
    return _summary(values, weight, shift, scale, residuals, normal)


def _best_on_grid(profile: Profile, z_um: np.ndarray, values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Shift of the smallest residual with a positive scale, with half of one of the ranges at least in common."""
    step = profile.step_um / _SHIFTS_PER_STEP
    spare = min(profile.high_um - profile.low_um, z_um[-1] - z_um[0]) / 2
    shifts = np.arange(z_um[0] - profile.high_um + spare, z_um[-1] - profile.low_um - spare + step, step)
    models = profile(z_um[None, :] - shifts[:, None])
    along = (weight * values) @ models.T
    power = weight @ (models**2).T
    explained = np.divide(np.maximum(along, 0.0) ** 2, power, out=np.zeros_like(along), where=power > 0)
    return shifts[np.argmax(explained, axis=1)]


def _linearised(
    profile: Profile, z_um: np.ndarray, values: np.ndarray, weight: np.ndarray, shift: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Scale, residuals, and derivative by the shift with the part that the scale can take up removed."""
    place = z_um[None, :] - shift[:, None]
    model = profile(place)
    power = np.maximum(np.sum(weight * model**2, axis=1), np.finfo(float).tiny)
    scale = np.sum(weight * model * values, axis=1) / power
    by_shift = -scale[:, None] * profile.slope(place)
    by_shift = by_shift - (np.sum(weight * model * by_shift, axis=1) / power)[:, None] * model
    return scale, values - scale[:, None] * model, by_shift, np.sum(weight * by_shift**2, axis=1)


def _summary(
    values: np.ndarray,
    weight: np.ndarray,
    shift: np.ndarray,
    scale: np.ndarray,
    residuals: np.ndarray,
    normal: np.ndarray,
) -> Alignment:
    count = np.sum(weight > 0, axis=1)
    total = np.maximum(weight.sum(axis=1), np.finfo(float).tiny)
    mean = np.sum(weight * values, axis=1) / total
    spread = np.sum(weight * (values - mean[:, None]) ** 2, axis=1)
    misfit = np.sum(weight * residuals**2, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(misfit / (count - 2) / normal)
        relative = np.sqrt(misfit / spread)
    fitted = (count >= _LEAST_VALUES) & (scale > 0) & (normal > 0)
    nan = np.nan
    return Alignment(
        np.where(fitted, shift, nan),
        np.where(fitted, scale, nan),
        np.where(fitted & (count > _LEAST_VALUES), error, nan),
        np.where(fitted, relative, nan),
    )
