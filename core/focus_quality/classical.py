"""The classical focus metrics: one number for an image, higher is sharper."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from parfocal.optics.optics import MODEL_OPTICS, Optics

# About the blur that one defocus level adds at the model's scale.
CORRELATION_DISTANCE_PX = 3
# Share of the cut-off frequency 2 NA / lambda between which the band power is summed.
BAND = (0.125, 0.25)
_SMALLEST_PX = CORRELATION_DISTANCE_PX + 2


def classical_metrics(image_yx: Any, optics: Optics | None = None) -> dict[str, float]:
    """Compute the classical focus metrics of one image, each oriented so that higher is sharper.

    Brenner, Tenengrad, VarianceOfLaplacian, VollathF4 and BandPower grow with the square of the gain and
    NormalisedVariance with the gain; PowerLogLogSlope and ImageCorrelation depend neither on gain nor on offset.

    Parameters
    ----------
    image_yx : array_like
        Image (y, x) of integers or floats.
    optics : Optics, optional
        Wavelength, NA and pixel size for the band of BandPower; without them those of the focus quality model
        (0.5 um, NA 0.5, 0.65 um a pixel: 0.16 to 0.33 cycles a pixel).

    Returns
    -------
    dict
        A value for each name in `METRICS`; NaN for all where the image is blank, holds NaN or infinity, or is smaller
        than 5 x 5 px, and for a metric that is not defined for this image.

    Raises
    ------
    ValueError
        Where the image does not have two axes.
    """
    image = np.asarray(image_yx)
    if image.ndim != 2:
        raise ValueError(f"image_yx must be (y, x), got shape {image.shape}")
    image = image.astype(float)
    if min(image.shape) < _SMALLEST_PX or not np.isfinite(image).all() or image.min() == image.max():
        return dict.fromkeys(METRICS, float("nan"))
    values = {name: metric(image) for name, metric in _METRICS.items()}
    values["BandPower"] = band_power(image, optics or MODEL_OPTICS)
    return values


def power_log_log_slope(image_yx: np.ndarray) -> float:
    """Slope of log power against log radius of the radially summed power spectrum.

    Field and Brady 1997, doi:10.1016/S0042-6989(97)00181-8; as a focus metric Bray et al. 2012,
    doi:10.1177/1087057111420292. Sums, radii (2 to an eighth of the shorter side) and the counting of negative
    frequencies from the last index are those of PowerLogLogSlope in CellProfiler's MeasureImageQuality (BSD-3). Since
    rings are summed, white noise has a slope near 1, above any sharp image: it ranks noisy empty fields first. NaN
    below 32 px, where fewer than two radii are left.
    """
    from scipy.fft import fft2

    limit = int(min(image_yx.shape) / 8.0)
    if limit < 4:
        return float("nan")
    # Only the corners of the spectrum lie within the limit.
    rows, columns = (np.r_[:limit, length - limit : length] for length in image_yx.shape)
    near_y, near_x = (np.minimum(i, n - 1 - i) for i, n in zip((rows, columns), image_yx.shape))
    radii = np.floor(np.sqrt(near_y[:, None] ** 2 + near_x[None, :] ** 2)).astype(int) + 1
    spectrum = fft2(image_yx - image_yx.mean())[np.ix_(rows, columns)]
    power = np.bincount(radii.ravel(), np.abs(spectrum).ravel() ** 2)[2:limit]
    used = power > 0
    if used.sum() < 2:
        return float("nan")
    return float(np.polyfit(np.log(np.arange(2, limit)[used]), np.log(power[used]), 1)[0])


def brenner(image_yx: np.ndarray) -> float:
    """Mean squared difference of pixels two apart, over both axes (Brenner et al. 1976, doi:10.1177/24.1.1254907)."""
    down, across = image_yx[2:] - image_yx[:-2], image_yx[:, 2:] - image_yx[:, :-2]
    return float((np.mean(down**2) + np.mean(across**2)) / 2)


def tenengrad(image_yx: np.ndarray) -> float:
    """Mean squared Sobel gradient (Tenenbaum 1970; Krotkov 1988, doi:10.1007/BF00127822)."""
    from scipy.ndimage import sobel

    return float(np.mean(sobel(image_yx, 0) ** 2 + sobel(image_yx, 1) ** 2))


def variance_of_laplacian(image_yx: np.ndarray) -> float:
    """Variance of the Laplacian (Pech-Pacheco et al. 2000, doi:10.1109/ICPR.2000.903548)."""
    from scipy.ndimage import laplace

    return float(np.var(laplace(image_yx)))


def normalised_variance(image_yx: np.ndarray) -> float:
    """Variance over mean (Groen et al. 1985, doi:10.1002/cyto.990060202); NaN where the mean is not positive."""
    mean = float(image_yx.mean())
    return float(np.var(image_yx)) / mean if mean > 0 else float("nan")


def vollath_f4(image_yx: np.ndarray) -> float:
    """Autocorrelation at one pixel less that at two (Vollath 1987, doi:10.1111/j.1365-2818.1987.tb02839.x).

    Over both axes, and of the image less its mean, so that an offset leaves no trace at the borders.
    """
    centred = image_yx - image_yx.mean()
    return float(np.mean([np.mean(i[:-2] * (i[1:-1] - i[2:])) for i in (centred, centred.T)]))


def image_correlation(image_yx: np.ndarray) -> float:
    """One minus the correlation of pixels 3 px apart, mean over both axes: 0 smooth, 1 unrelated.

    The correlation feature of Haralick et al. 1973, doi:10.1109/TSMC.1973.4309314, as a focus metric Bray et al. 2012,
    doi:10.1177/1087057111420292; here of the grey values themselves, not of a few classes of them.
    """
    d = CORRELATION_DISTANCE_PX
    pairs = [(i[:-d].ravel(), i[d:].ravel()) for i in (image_yx, image_yx.T)]
    if any(np.ptp(side) == 0 for pair in pairs for side in pair):
        return float("nan")
    return float(1.0 - np.mean([np.corrcoef(a, b)[0, 1] for a, b in pairs]))


def band_power(image_yx: np.ndarray, optics: Optics = MODEL_OPTICS) -> float:
    """Variance that lies between an eighth and a quarter of the cut-off frequency 2 NA / lambda.

    Power in a transverse band set by NA and wavelength tells focus in waveorder (mehta-lab/waveorder, Chandler et al.
    2024, doi:10.48550/arXiv.2412.09775). NaN where the pixels are too coarse to show any of the band.
    """
    from scipy.fft import fftfreq, rfft2, rfftfreq

    cutoff = 2.0 * optics.numerical_aperture / optics.emission_wavelength_um * optics.pixel_size_um
    height, width = image_yx.shape
    columns = rfftfreq(width)
    radius = np.hypot(fftfreq(height)[:, None], columns[None, :])
    inside = (radius > BAND[0] * cutoff) & (radius <= BAND[1] * cutoff) & (radius <= 0.5)
    if not inside.any():
        return float("nan")
    # All columns but the first and, for an even width, the last stand for their negative frequencies too.
    twice = np.where((columns == 0) | (columns == 0.5), 1.0, 2.0)
    power = np.abs(rfft2(image_yx - image_yx.mean())) ** 2 * twice
    return float(power[inside].sum() / image_yx.size**2)


_METRICS: dict[str, Callable[[np.ndarray], float]] = {
    "PowerLogLogSlope": power_log_log_slope,
    "Brenner": brenner,
    "Tenengrad": tenengrad,
    "VarianceOfLaplacian": variance_of_laplacian,
    "NormalisedVariance": normalised_variance,
    "VollathF4": vollath_f4,
    "ImageCorrelation": image_correlation,
}
METRICS: tuple[str, ...] = (*_METRICS, "BandPower")
