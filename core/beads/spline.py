"""Cubic smoothing splines of a radius: even about 0, on uniform knots, so that a fit is one small linear solve."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

# Weight of the squared second differences of the coefficients beside squared residuals per pixel (Eilers and Marx
# 1996, doi:10.1214/ss/1038425655). It steadies the few pixels next to the centre; on the many pixels of the other
# rings it hardly acts.
SMOOTHING = 0.3


@dataclass(frozen=True)
class EvenSpline:
    """Cubic B-spline s(r) with s(-r) = s(r), hence of slope 0 at r = 0, on the knots 0, h, 2h, ...

    Attributes
    ----------
    spacing : float
        Distance h of the knots, in the unit of the radius.
    coefficients : ndarray
        (k,) of the B-splines centred on 0, h, ..., (k - 1) h; that centred on -h has the coefficient of the one on h.
    """

    spacing: float
    coefficients: np.ndarray

    @property
    def end(self) -> float:
        """Largest radius at which the spline is defined."""
        return (len(self.coefficients) - 2) * self.spacing

    def value(self, radius: np.ndarray) -> np.ndarray:
        """Intensity at radii of any shape, NaN beyond the end."""
        return self._evaluate(radius, _weights)

    def slope(self, radius: np.ndarray) -> np.ndarray:
        """Derivative with respect to the radius at radii of any shape, NaN beyond the end."""
        return self._evaluate(radius, _slope_weights) / self.spacing

    def _evaluate(self, radius: np.ndarray, weights_of: object) -> np.ndarray:
        u = np.abs(np.asarray(radius, dtype=float)) / self.spacing
        inside = u <= len(self.coefficients) - 2 + 1e-9
        first, t = _place(np.where(inside, u, 0.0), len(self.coefficients))
        mirrored = np.concatenate([self.coefficients[1:2], self.coefficients])
        total = sum(w * mirrored[first + k] for k, w in enumerate(weights_of(t)))  # type: ignore[operator]
        return np.where(inside, total, np.nan)


def fit_even_spline(
    radius: np.ndarray, values: np.ndarray, spacing: float, end: float, smoothing: float = SMOOTHING
) -> EvenSpline:
    """Fit the even cubic smoothing spline that minimises squared residuals plus squared second differences.

    Parameters
    ----------
    radius, values : ndarray
        (n,) radii in [0, end] and intensities, finite.
    spacing, end : float
        Distance of the knots and largest radius; the end is moved out to the next knot.
    smoothing : float
        Weight of the penalty, above 0.
    """
    n_coefficients = max(int(np.ceil(end / spacing - 1e-9)), 1) + 2
    first, t = _place(radius / spacing, n_coefficients)
    weights = _weights(t)
    size = n_coefficients + 1
    normal = np.zeros((size, size))
    right = np.zeros(size)
    diagonal = np.arange(size)
    for k, wk in enumerate(weights):
        right += np.bincount(first + k, wk * values, minlength=size)
        for j in range(k, 4):
            products = np.bincount(first + k, wk * weights[j], minlength=size)
            at = diagonal[: size - (j - k)]
            normal[at, at + j - k] += products[: len(at)]
    normal += np.triu(normal, 1).T
    folded, folded_right = _fold(normal, right)
    folded += smoothing * _penalty(n_coefficients)
    return EvenSpline(spacing, np.linalg.solve(folded, folded_right))


def _place(u: np.ndarray, n_coefficients: int) -> tuple[np.ndarray, np.ndarray]:
    """Interval of each radius, in knots, and the place 0 to 1 within it."""
    first = np.minimum(u.astype(np.intp), n_coefficients - 3)
    return first, u - first


def _weights(t: np.ndarray) -> tuple[np.ndarray, ...]:
    """Values of the four uniform cubic B-splines that are not 0 in an interval."""
    s, t2 = 1.0 - t, t * t
    return s * s * s / 6, (3 * t2 * t - 6 * t2 + 4) / 6, (-3 * t2 * t + 3 * t2 + 3 * t + 1) / 6, t2 * t / 6


def _slope_weights(t: np.ndarray) -> tuple[np.ndarray, ...]:
    """Derivatives of the four uniform cubic B-splines, per knot distance."""
    s, t2 = 1.0 - t, t * t
    return -s * s / 2, (3 * t2 - 4 * t) / 2, (-3 * t2 + 2 * t + 1) / 2, t2 / 2


def _fold(normal: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the B-spline centred on -h the coefficient of that on h: this is the symmetry at the centre."""
    normal[2] += normal[0]
    normal[:, 2] += normal[:, 0]
    right[2] += right[0]
    return normal[1:, 1:].copy(), right[1:].copy()


@lru_cache(maxsize=64)
def _penalty(n_coefficients: int) -> np.ndarray:
    """Matrix of the squared second differences of the mirrored coefficients."""
    mirrored = np.diff(np.eye(n_coefficients + 1), n=2, axis=0)
    mirrored[:, 2] += mirrored[:, 0]
    differences = mirrored[:, 1:]
    return differences.T @ differences
