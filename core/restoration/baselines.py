"""Classical deconvolution from scikit-image, as methods of their own and to compare with."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from parfocal.optics.optics import MODEL_OPTICS, Optics
from parfocal.restoration.kernels import level_psf

ITERATIONS = 30
# Grid over which the paper's search is run: standard deviation, px, and number of iterations.
GAUSSIAN_SIGMAS_PX = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.5, 8.0)
GAUSSIAN_ITERATIONS = (5, 10, 20, 40)
_PSF_PX = 65


def richardson_lucy(plane_yx: np.ndarray, psf_yx: np.ndarray, iterations: int = ITERATIONS) -> np.ndarray:
    """Richardson-Lucy deconvolution by scikit-image, the plane mirrored beyond its borders.

    Parameters
    ----------
    plane_yx : ndarray
        (y, x), float32, background near 0; what lies below 0 is cut off.
    psf_yx : ndarray
        Kernel (y, x), sum 1, odd sides.
    iterations : int

    Returns
    -------
    ndarray
        (y, x), float32.
    """
    from skimage import restoration

    half = psf_yx.shape[0] // 2
    padded = np.pad(np.maximum(plane_yx, 0), half, mode="symmetric").astype(np.float32)
    kernel = psf_yx.astype(np.float32)
    # The third argument is called `iterations` or `num_iter`, depending on the version.
    # It divides by the blurred estimate before it takes 0 where that is too small.
    with np.errstate(divide="ignore", invalid="ignore"):
        restored = restoration.richardson_lucy(padded, kernel, iterations, clip=False, filter_epsilon=1e-6)
    return np.asarray(restored[half:-half, half:-half], np.float32)


def unsupervised_wiener(plane_yx: np.ndarray, psf_yx: np.ndarray, seed: int = 0) -> np.ndarray:
    """Unsupervised Wiener deconvolution by scikit-image (Orieux et al. 2010), the plane mirrored beyond its borders.

    The parameters are those of `richardson_lucy`; `seed` is of its Gibbs sampler.
    """
    from skimage import restoration

    half = psf_yx.shape[0] // 2
    padded = np.pad(plane_yx, half, mode="symmetric").astype(np.float32)
    deconvolve = restoration.unsupervised_wiener
    if "rng" in inspect.signature(deconvolve).parameters:
        restored, _ = deconvolve(padded, psf_yx, clip=False, rng=seed)
    else:
        # Older versions draw from numpy's global generator.
        before = np.random.get_state()  # noqa: NPY002
        np.random.seed(seed)  # noqa: NPY002
        restored, _ = deconvolve(padded, psf_yx, clip=False)
        np.random.set_state(before)  # noqa: NPY002
    return np.asarray(restored[half:-half, half:-half], np.float32)


def gaussian_psf(sigma_px: float, size_px: int = _PSF_PX) -> np.ndarray:
    """Gaussian kernel (y, x), sum 1."""
    line = np.exp(-((np.arange(size_px) - size_px // 2) ** 2) / (2 * sigma_px**2))
    kernel = line[:, None] * line[None, :]
    return np.asarray(kernel / kernel.sum())


def nearest_gaussian_psf(level: float, optics: Optics = MODEL_OPTICS) -> np.ndarray:
    """Of the grid's Gaussians the one nearest to the PSF of a level by least squares: the choice without a truth."""
    psf = level_psf(level, optics)
    return min((gaussian_psf(sigma) for sigma in GAUSSIAN_SIGMAS_PX), key=lambda g: float(np.sum((g - psf) ** 2)))


def deconvolve(method: str, plane_yx: np.ndarray, level: float, optics: Optics, iterations: int) -> np.ndarray:
    """Run a baseline by name on a plane whose level is known.

    Parameters
    ----------
    method : str
        `richardson_lucy` or `wiener` with the Born-Wolf PSF of the level, or `richardson_lucy_gaussian` with the
        Gaussian nearest to it.
    plane_yx : ndarray
        (y, x), float32, background 0 and bright structures 1.
    level : float
        Defocus level in blur of the plane's own pixels.
    optics : Optics
    iterations : int
        Of Richardson-Lucy.
    """
    methods: dict[str, Any] = {
        "richardson_lucy": lambda: richardson_lucy(plane_yx, level_psf(level, optics), iterations),
        "richardson_lucy_gaussian": lambda: richardson_lucy(plane_yx, nearest_gaussian_psf(level, optics), iterations),
        "wiener": lambda: unsupervised_wiener(plane_yx, level_psf(level, optics)),
    }
    return np.asarray(methods[method](), np.float32)
