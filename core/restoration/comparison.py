"""Every method on the same blurred and noisy image, each against the truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from parfocal.optics.optics import MODEL_OPTICS
from parfocal.restoration.baselines import (
    GAUSSIAN_ITERATIONS,
    GAUSSIAN_SIGMAS_PX,
    gaussian_psf,
    richardson_lucy,
    unsupervised_wiener,
)
from parfocal.restoration.dataset import image_level
from parfocal.restoration.intensity import Intensity
from parfocal.restoration.kernels import level_psf
from parfocal.restoration.restorers import Restorer
from parfocal.restoration.scores import score
from parfocal.restoration.synthesis import PSF_PX, blurred_pair


def degraded(
    pixels_yx: np.ndarray, level: float, photons: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Show an in-focus image (background 0, bright structures 1) in focus and, exposed, at a level: both (y, x).

    The camera sees `photons` electrons at 1 over a background of a tenth of them, with 1.5 electrons of read noise.
    """
    half = PSF_PX // 2
    padded = np.pad(pixels_yx, half, mode="symmetric").astype(np.float32)[..., None]
    focused, blurred = (shown[..., 0] for shown in blurred_pair(padded, level, MODEL_OPTICS))
    expected = np.maximum(blurred * photons + 0.1 * photons, 0)
    electrons = rng.poisson(expected) + 1.5 * rng.standard_normal(expected.shape)
    return focused, ((electrons - 0.1 * photons) / photons).astype(np.float32)


def restored_by_all(
    exposed_yx: np.ndarray, truth_yx: np.ndarray, level: float, restorers: dict[str, Restorer]
) -> dict[str, np.ndarray]:
    """Restore with every method.

    The baselines get what no user has: the true level, and the Gaussian's width and number of iterations with the
    highest SSIM against the truth (as the paper searches its grid); Richardson-Lucy with the true PSF runs for 30
    iterations, and again (`richardson_lucy_best`) for the number that suits the truth best. The networks get the level
    that `measure_image_focus` gives; where it gives none, they are left out.

    Returns
    -------
    dict
        Image (y, x) by method; `blurred` is the exposed image itself.
    """
    intensity = Intensity.of(exposed_yx)
    seen = intensity.apply(exposed_yx)
    lifted = seen - min(0.0, float(np.percentile(seen, 0.1)))
    psf = level_psf(level)
    found = {"blurred": seen}
    measured = image_level(exposed_yx)
    for name, restorer in restorers.items():
        if measured == measured or not restorer.needs_level:
            found[name] = restorer.restore(seen[..., None], measured, MODEL_OPTICS, False).image[..., 0]
    found["richardson_lucy"] = richardson_lucy(lifted, psf)
    shorter = [richardson_lucy(lifted, psf, n) for n in (5, 10, 20)]
    found["richardson_lucy_best"] = _best([found["richardson_lucy"], *shorter], truth_yx)
    found["richardson_lucy_gaussian"] = _best_gaussian(lifted, truth_yx)
    found["wiener"] = unsupervised_wiener(seen, psf)
    return found


def _best(images: Sequence[np.ndarray], truth_yx: np.ndarray) -> np.ndarray:
    return max(images, key=lambda image: score(image, truth_yx).ssim)


def _best_gaussian(lifted_yx: np.ndarray, truth_yx: np.ndarray) -> np.ndarray:
    """Search the width with 20 iterations, then the number of iterations with that width."""
    by_width = {sigma: richardson_lucy(lifted_yx, gaussian_psf(sigma), 20) for sigma in GAUSSIAN_SIGMAS_PX}
    sigma = max(by_width, key=lambda key: score(by_width[key], truth_yx).ssim)
    others = [richardson_lucy(lifted_yx, gaussian_psf(sigma), n) for n in GAUSSIAN_ITERATIONS if n != 20]
    return _best([by_width[sigma], *others], truth_yx)


def rows_of(found: dict[str, np.ndarray], truth_yx: np.ndarray, about: dict[str, Any]) -> list[dict[str, Any]]:
    """One row of the table for each method."""
    return [{**about, "method": name, **score(image, truth_yx)._asdict()} for name, image in found.items()]
