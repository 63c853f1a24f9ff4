"""Focus metrics for sweeps: those of `focus_quality.classical`, and two that the focal position is compared with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from parfocal.focus_quality import classical

SMALLEST_PX = 5
MARR_HILDRETH_SIGMA_PX = 2.0
# Fewer whole counts between the darkest and the brightest pixel, and rounding makes up for too much of the variance.
_LEAST_COUNTS = 8
# Share of the largest magnitude above which a frequency counts (De and Masilamani).
IQA_SHARE = 1e-3
# These grow with the square of the gain: over the variance of the image they depend on gain and offset no more.
_QUADRATIC = ("Brenner", "Tenengrad", "VarianceOfLaplacian", "VollathF4", "BandPower")


def focus_score(image_yx: Any, metric: str = "VollathF4") -> float:
    """Score of one image, higher is sharper; NaN where the image is blank, not finite or smaller than 5 x 5 px.

    Raises
    ------
    ValueError
        Where there is no such metric.
    """
    check_metric("metric", metric)
    image = np.asarray(image_yx, float)
    if image.ndim != 2 or min(image.shape) < SMALLEST_PX or not np.isfinite(image).all() or np.ptp(image) == 0:
        return float("nan")
    return float(_SCORES[metric](image))


def relative_sharpness(image_yx: Any, metric: str = "VollathF4") -> float:
    """Score that does not change with exposure or bleaching: that of a quadratic metric over the variance.

    NaN also where an image of whole counts has fewer than 8 of them: a dim one would seem sharper by its rounding.
    """
    pixels = np.asarray(image_yx)
    if pixels.dtype.kind in "iu" and pixels.size and int(pixels.max()) - int(pixels.min()) < _LEAST_COUNTS:
        return float("nan")
    score = focus_score(image_yx, metric)
    return score / float(np.var(np.asarray(image_yx, float))) if metric in _QUADRATIC and np.isfinite(score) else score


def marr_hildreth(image_yx: np.ndarray) -> float:
    """Strength of the edges: mean slope of the Laplacian of Gaussian at its zero crossings, over all pixels.

    Marr and Hildreth 1980, doi:10.1098/rspb.1980.0020, as a focus score the density of edges; crossings are weighted by
    their slope, since noise has as many as any picture.
    """
    from scipy.ndimage import gaussian_laplace

    edges = gaussian_laplace(image_yx, MARR_HILDRETH_SIGMA_PX)
    total = 0.0
    for one, other in ((edges[1:], edges[:-1]), (edges[:, 1:], edges[:, :-1])):
        total += float(np.abs(one - other)[one * other < 0].sum())
    return total / image_yx.size


def image_quality_assessment(image_yx: np.ndarray) -> float:
    """Share of frequencies whose magnitude exceeds a thousandth of the largest.

    De and Masilamani 2013, doi:10.1016/j.proeng.2013.09.086.
    """
    from scipy.fft import fft2

    magnitude = np.abs(fft2(image_yx))
    return float(np.mean(magnitude > IQA_SHARE * magnitude.max()))


def check_metric(name: str, metric: Any) -> None:
    """Raise ValueError where there is no such metric."""
    if metric not in FOCUS_METRICS:
        raise ValueError(f"{name} must be one of {', '.join(FOCUS_METRICS)}, got {metric!r}")


_SCORES: dict[str, Callable[[np.ndarray], float]] = {
    "PowerLogLogSlope": classical.power_log_log_slope,
    "Brenner": classical.brenner,
    "Tenengrad": classical.tenengrad,
    "VarianceOfLaplacian": classical.variance_of_laplacian,
    "NormalisedVariance": classical.normalised_variance,
    "VollathF4": classical.vollath_f4,
    "ImageCorrelation": classical.image_correlation,
    "BandPower": classical.band_power,
    "MarrHildreth": marr_hildreth,
    "IQA": image_quality_assessment,
}
FOCUS_METRICS: tuple[str, ...] = tuple(_SCORES)
