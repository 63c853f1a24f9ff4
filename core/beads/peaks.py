"""Peaks fitted by a Gaussian, or by one with a flat top where the picture is that of the bead itself."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

FWHM_PER_SIGMA = 2.0 * np.sqrt(2.0 * np.log(2.0))
# A top is flat where the other model leaves less than this share of the Gaussian's squared residuals.
_MUCH_BETTER = 0.5
# A flat top is looked for where the width is sampled by more than this many points.
_LEAST_POINTS_FOR_FLAT_TOP = 5.0
_MOST_EVALUATIONS = 2000


@dataclass(frozen=True)
class Peak:
    """A fitted peak along one axis or in a plane.

    Attributes
    ----------
    centre, fwhm, fwhm_error : tuple of float
        For each axis, in the unit of the coordinates; the error is the standard error from the residuals.
    height, background : float
        Of the fit, in the unit of the values.
    flat_top : bool
        Whether it has a flat top (exponent above 2).
    """

    centre: tuple[float, ...]
    fwhm: tuple[float, ...]
    fwhm_error: tuple[float, ...]
    height: float
    background: float
    flat_top: bool


def fit_line(position: np.ndarray, values: np.ndarray, start: tuple[float, float]) -> Peak | None:
    """Fit a peak to values (n,) at positions (n,); `start` holds centre and FWHM. None where no fit is found."""
    step = float(np.median(np.diff(position)))
    guess = [float(np.ptp(values)), float(values.min()), start[0], start[1]]

    def gaussian(x: np.ndarray, height: float, floor: float, centre: float, width: float) -> np.ndarray:
        return floor + height * np.exp(-4 * np.log(2) * ((x - centre) / width) ** 2)

    def flat_top(
        x: np.ndarray, height: float, floor: float, centre: float, width: float, exponent: float
    ) -> np.ndarray:
        return floor + height * np.exp(-np.log(2) * np.abs(2 * (x - centre) / width) ** np.clip(exponent, 1, 40))

    return _better(position, values, guess, gaussian, flat_top, axes=1, sampling=start[1] / step)


def fit_plane(y: np.ndarray, x: np.ndarray, values: np.ndarray, start: tuple[float, float, float]) -> Peak | None:
    """Fit a peak, integrated over the pixels, to values (n,) at pixels y, x (n,); `start` holds centre y, x and FWHM.

    The flat-topped model is round and not integrated: it is for pictures much larger than a pixel.
    """
    from scipy.special import erf

    guess = [float(np.ptp(values)), float(values.min()), start[0], start[1], start[2], start[2]]

    def along(offset: np.ndarray, width: float) -> np.ndarray:
        """Mean over a pixel of a Gaussian of peak 1."""
        scale = 2 * np.sqrt(np.log(2)) / abs(width)
        return np.sqrt(np.pi) / (2 * scale) * (erf((offset + 0.5) * scale) - erf((offset - 0.5) * scale))

    def gaussian(_: np.ndarray, height: float, floor: float, cy: float, cx: float, wy: float, wx: float) -> np.ndarray:
        return floor + height * along(y - cy, wy) * along(x - cx, wx)

    def flat_top(
        _: np.ndarray, height: float, floor: float, cy: float, cx: float, wy: float, wx: float, exponent: float
    ) -> np.ndarray:
        radius = np.hypot((y - cy) / wy, (x - cx) / wx)
        return floor + height * np.exp(-np.log(2) * (2 * radius) ** np.clip(exponent, 1, 40))

    return _better(y, values, guess, gaussian, flat_top, axes=2, sampling=start[2])


def _better(
    position: np.ndarray,
    values: np.ndarray,
    guess: list[float],
    gaussian: Callable[..., np.ndarray],
    flat_top: Callable[..., np.ndarray],
    axes: int,
    sampling: float,
) -> Peak | None:
    simple = _fit(gaussian, position, values, guess)
    if simple is None:
        return None
    if sampling > _LEAST_POINTS_FOR_FLAT_TOP:
        flat = _fit(flat_top, position, values, [*simple[0], 4.0])
        if flat is not None and flat[2] < _MUCH_BETTER * simple[2] and flat[0][-1] > 2:
            return _peak(flat, axes, flat_top=True)
    return _peak(simple, axes, flat_top=False)


def _fit(
    model: Callable[..., np.ndarray], position: np.ndarray, values: np.ndarray, guess: list[float]
) -> tuple[np.ndarray, np.ndarray, float] | None:
    """Parameters, their standard errors and the sum of squared residuals."""
    from scipy.optimize import OptimizeWarning, curve_fit

    if len(values) <= len(guess):
        return None
    try:
        with warnings.catch_warnings():
            # An error that is not determined comes back as infinite, and the width is refused for it.
            warnings.simplefilter("ignore", OptimizeWarning)
            parameters, covariance = curve_fit(model, position, values, guess, maxfev=_MOST_EVALUATIONS)
    except RuntimeError:
        return None
    misfit = float(np.sum((values - model(position, *parameters)) ** 2))
    return parameters, np.sqrt(np.abs(np.diag(covariance))), misfit


def _peak(fitted: tuple[np.ndarray, np.ndarray, float], axes: int, flat_top: bool) -> Peak | None:
    parameters, errors, _ = fitted
    if not np.isfinite(parameters).all() or parameters[0] <= 0:
        return None
    centre, width = slice(2, 2 + axes), slice(2 + axes, 2 + 2 * axes)
    return Peak(
        tuple(parameters[centre].tolist()),
        tuple(np.abs(parameters[width]).tolist()),
        tuple(errors[width].tolist()),
        float(parameters[0]),
        float(parameters[1]),
        flat_top,
    )
