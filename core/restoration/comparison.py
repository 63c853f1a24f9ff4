"""Every method on the same blurred and noisy image, each against the truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from parfocal.optics.optics import MODEL_OPTICS, Optics
from parfocal.restoration.baselines import (
    GAUSSIAN_ITERATIONS,
    GAUSSIAN_SIGMAS_PX,
    gaussian_psf,
    richardson_lucy,
    unsupervised_wiener,
)
from parfocal.restoration.intensity import Intensity
from parfocal.restoration.kernels import level_psf
from parfocal.restoration.restorers import Restorer
from parfocal.restoration.scores import score

# Richardson-Lucy with the PSF of the level, and with the Gaussian that suits the truth.
RICHARDSON_LUCY = ("richardson_lucy", "richardson_lucy_best", "richardson_lucy_gaussian")


def photographed(clean_yx: np.ndarray, photons: float, rng: np.random.Generator) -> np.ndarray:
    """Expose an image (background 0, bright structures 1), in its own unit, float32.

    The camera sees `photons` electrons at 1 over a background of a tenth of them, with 1.5 electrons of read noise.
    """
    expected = np.maximum(clean_yx * photons + 0.1 * photons, 0)
    electrons = rng.poisson(expected) + 1.5 * rng.standard_normal(expected.shape)
    return ((electrons - 0.1 * photons) / photons).astype(np.float32)


def by_networks(
    exposed_yx: np.ndarray, restorers: dict[str, Restorer], measured: float, optics: Optics = MODEL_OPTICS
) -> dict[str, np.ndarray]:
    """Restore with every network, in the unit of the exposure; those that need a level where it is NaN are left out."""
    intensity = Intensity.of(exposed_yx)
    seen = intensity.apply(exposed_yx)[..., None]
    return {
        name: intensity.undo(restorer.restore(seen, measured, optics, False).image[..., 0])
        for name, restorer in restorers.items()
        if measured == measured or not restorer.needs_level
    }


def by_classical(
    exposed_yx: np.ndarray,
    truth_yx: np.ndarray,
    level: float,
    optics: Optics = MODEL_OPTICS,
    iterations: Sequence[int] = (5, 10, 20),
    wiener: bool = True,
) -> dict[str, np.ndarray]:
    """Restore with the baselines, which get what no user has.

    The level (NaN: only the Gaussian), and the Gaussian's width and number of iterations with the highest SSIM against
    the truth (as the paper searches its grid); Richardson-Lucy with the PSF of the level runs for 30 iterations, and
    again (`richardson_lucy_best`) for the number that suits the truth best.
    """
    seen = Intensity.of(exposed_yx).apply(exposed_yx)
    lifted = seen - min(0.0, float(np.percentile(seen, 0.1)))
    found: dict[str, np.ndarray] = {}
    if level == level:
        psf = level_psf(level, optics)
        found["richardson_lucy"] = richardson_lucy(lifted, psf)
        shorter = [richardson_lucy(lifted, psf, n) for n in iterations]
        found["richardson_lucy_best"] = _best([found["richardson_lucy"], *shorter], truth_yx)
    found["richardson_lucy_gaussian"] = best_gaussian(lifted, truth_yx)
    if wiener and level == level:
        found["wiener"] = unsupervised_wiener(seen, level_psf(level, optics))
    return found


def _best(images: Sequence[np.ndarray], truth_yx: np.ndarray) -> np.ndarray:
    return max(images, key=lambda image: score(image, truth_yx).ssim)


def best_gaussian(lifted_yx: np.ndarray, truth_yx: np.ndarray) -> np.ndarray:
    """Search the width with 20 iterations, then the number of iterations with that width."""
    by_width = {sigma: richardson_lucy(lifted_yx, gaussian_psf(sigma), 20) for sigma in GAUSSIAN_SIGMAS_PX}
    sigma = max(by_width, key=lambda key: score(by_width[key], truth_yx).ssim)
    others = [richardson_lucy(lifted_yx, gaussian_psf(sigma), n) for n in GAUSSIAN_ITERATIONS if n != 20]
    return _best([by_width[sigma], *others], truth_yx)


def rows_of(found: dict[str, np.ndarray], truth_yx: np.ndarray, about: dict[str, Any]) -> list[dict[str, Any]]:
    """One row of the table for each method."""
    return [{**about, "method": name, **score(image, truth_yx)._asdict()} for name, image in found.items()]
