"""How training patches are exposed: a random camera, and light from elsewhere."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from parfocal.focus_quality.network import PATCH_SIZE_PX

# From as many photoelectrons on, the normal distribution stands for Poisson's: drawn in a fifth of the time.
_MANY_ELECTRONS = 20.0


def expose_randomly(
    clean_yx: np.ndarray, rng: np.random.Generator, haze_yx: np.ndarray | None = None, smoothing_px: float = 0.0
) -> tuple[np.ndarray, float]:
    """Expose with a random camera: (counts float32, noise of 4 x 4 means in units of the clean image).

    Peak signal 40 to 4000 photoelectrons, background 1 to 100 percent of it, read noise 1 to 3 electrons, 0.5 to 8
    counts per electron. `haze_yx` is light from elsewhere, in units of the clean image. The noise, not the signal, is
    smoothed by a Gaussian of `smoothing_px` and brought back to its strength.
    """
    peak = np.exp(rng.uniform(np.log(40.0), np.log(4000.0)))
    background = peak * np.exp(rng.uniform(np.log(0.01), np.log(1.0)))
    read_noise = rng.uniform(1.0, 3.0)
    lit = clean_yx if haze_yx is None else clean_yx + haze_yx
    expected = (lit * peak + background).astype(np.float32)
    noise = _noise(expected, read_noise, rng)
    if smoothing_px:
        smooth = gaussian_filter(noise, smoothing_px)
        noise = smooth * (noise.std() / smooth.std())
    counts_per_electron = np.float32(np.exp(rng.uniform(np.log(0.5), np.log(8.0))))
    counts = np.maximum((expected + noise) * counts_per_electron, 0)
    return counts, float(cell_means(noise).std() / peak)


def _noise(expected: np.ndarray, read_noise: float, rng: np.random.Generator) -> np.ndarray:
    """Photon and read noise (float32) about the expected photoelectrons."""
    noise = rng.standard_normal(expected.shape, dtype=np.float32) * np.sqrt(expected + np.float32(read_noise**2))
    few = expected < _MANY_ELECTRONS
    dim = expected[few]
    if dim.size:
        noise[few] = rng.poisson(dim) - dim + read_noise * rng.standard_normal(dim.shape, dtype=np.float32)
    return noise


def random_haze(rng: np.random.Generator) -> np.ndarray:
    """Draw a smooth background over a patch: a quadratic surface, 3 to 200 percent of the bright structures high.

    Uneven illumination and light from far out-of-focus planes look like this. Without it a sharp object before an
    uneven bright background is called defocused.
    """
    height = np.exp(rng.uniform(np.log(0.03), np.log(2.0)))
    t = np.linspace(0.0, 1.0, PATCH_SIZE_PX)
    basis = np.stack([(1 - t) ** 2, 2 * t * (1 - t), t**2], axis=1)
    surface = basis @ rng.random((3, 3)) @ basis.T
    surface -= surface.min()
    return np.asarray(surface * height / max(float(surface.max()), 1e-6), np.float32)


def cell_means(patch_yx: np.ndarray) -> np.ndarray:
    """Means of 4 x 4 pixels."""
    return patch_yx.reshape(PATCH_SIZE_PX // 4, 4, PATCH_SIZE_PX // 4, 4).mean(axis=(1, 3))
