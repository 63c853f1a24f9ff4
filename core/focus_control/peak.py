"""The curve of a focus metric over z: whether it has a peak, and where."""

from __future__ import annotations

import math

import numpy as np

FITS = ("parabola", "spline")
OK, FLAT, AT_THE_END, NO_IMAGES = "ok", "flat", "at_the_end", "no_images"
# Planes below which a curve says nothing of its own noise.
FEWEST_PLANES = 5
# The peak must rise above the median by so many standard deviations of the noise of the curve, and by such a share.
_LEAST_SIGNAL, _LEAST_RISE = 6.0, 0.1


def judge(z_um: np.ndarray, score: np.ndarray) -> tuple[str, str]:
    """Say whether a curve has a peak within its range: status and reason."""
    if len(z_um) < FEWEST_PLANES:
        return NO_IMAGES, f"{len(z_um)} images with a score, at least {FEWEST_PLANES} are needed"
    ordered = score[np.argsort(z_um)]
    noise = 1.4826 * float(np.median(np.abs(np.diff(ordered, 2)))) / math.sqrt(6.0)
    top, middle = float(ordered.max()), float(np.median(ordered))
    rise = top - middle
    if rise < _LEAST_SIGNAL * noise or rise < _LEAST_RISE * abs(middle) or rise == 0:
        told = f"the best score, {top:.4g}, rises too little above the median, {middle:.4g}, for its noise, {noise:.2g}"
        return FLAT, f"no plane stands out: {told}"
    # By position: an end that is taken twice has a first and a last image.
    if z_um[np.argmax(score)] in (z_um.min(), z_um.max()):
        return AT_THE_END, f"the sharpest plane, {z_um[np.argmax(score)]:.2f} um, is at the end of the range"
    return OK, ""


def peak(z_um: np.ndarray, score: np.ndarray, fit: str = "parabola") -> float:
    """Position of the peak of a curve, within the planes next to the best.

    Parameters
    ----------
    z_um, score : ndarray
        At least 3 planes.
    fit : str
        `parabola`: least squares through the best plane and two to each side; `spline`: smoothing spline through all.
    """
    order = np.argsort(z_um)
    z_um, score = z_um[order], score[order]
    best = int(np.argmax(score))
    low, high = z_um[max(best - 1, 0)], z_um[min(best + 1, len(z_um) - 1)]
    if fit == "spline" and len(z_um) >= 6:
        from scipy.interpolate import UnivariateSpline

        noise = np.median(np.abs(np.diff(score, 2))) / math.sqrt(6.0) * 1.4826
        spline = UnivariateSpline(z_um, score, k=4, s=len(z_um) * noise**2)
        dense = np.linspace(low, high, 401)
        return float(dense[int(np.argmax(spline(dense)))])
    near = slice(max(best - 2, 0), best + 3)
    middle = z_um[best]
    bend, slope, _ = np.polyfit(z_um[near] - middle, score[near], 2)
    if bend >= 0:
        return float(middle)
    return float(np.clip(middle - slope / (2.0 * bend), low, high))


def spaced(first_um: float, last_um: float, step_um: float) -> list[float]:
    """Evenly spaced positions from the first to the last, no farther apart than the step."""
    if last_um <= first_um:
        return [first_um]
    return [float(z) for z in np.linspace(first_um, last_um, math.ceil((last_um - first_um) / step_um) + 1)]
