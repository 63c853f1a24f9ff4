"""Synthetic defocus and exposure of crops, for optics of any pixel size."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from scipy.fft import irfft2, next_fast_len, rfft2

from parfocal.optics.optics import MODEL_OPTICS, Optics
from parfocal.restoration.kernels import level_psf

PSF_PX = 65
# lambda / NA in pixels: the model's is 1.54; an undersampling camera has less, a 40x of NA 0.95 with small pixels more.
LATERAL_UNITS_PX = (1.0, 1.25, 1.54, 2.0, 2.6, 3.4)
# What share of the light of a specimen comes from each level.
Layers = Mapping[float, float]
_N_LAYERS, _LEVEL_STEP = 7, 0.25
LARGEST_THICKNESS = 10.0


def optics_of(lateral_unit_px: float) -> Optics:
    """Optics whose diffraction pattern has this unit lambda / NA in pixels; paraxial blur depends on nothing else."""
    return MODEL_OPTICS.with_pixel_size(MODEL_OPTICS.lateral_unit_um / lateral_unit_px)


def blurred_pair(crop_yxc: np.ndarray, layers: Layers, optics: Optics) -> tuple[np.ndarray, np.ndarray]:
    """Show a crop in focus and defocused, both without the outer half of the PSF (32 pixels a side)."""
    shape = tuple(next_fast_len(n, real=True) for n in crop_yxc.shape[:2])
    height, width = (n - PSF_PX + 1 for n in crop_yxc.shape[:2])
    spectrum = rfft2(crop_yxc, shape, axes=(0, 1))
    defocused = sum(np.float32(share) * _psf_spectrum(level, optics, shape) for level, share in layers.items())
    shown = []
    for transfer in (_psf_spectrum(0.0, optics, shape), defocused):
        whole = irfft2(spectrum * transfer[..., None], shape, axes=(0, 1))
        shown.append(whole[PSF_PX - 1 :, PSF_PX - 1 :][:height, :width])
    return shown[0], shown[1]


def random_thickness(middle: float, rng: np.random.Generator) -> float:
    """Draw over how many levels a specimen reaches whose middle is at this level, and no part of which is in focus."""
    return float(rng.uniform(0.0, min(1.5 * middle, LARGEST_THICKNESS)))


def thick_layers(middle: float, thickness: float, rng: np.random.Generator) -> Layers:
    """Draw the layers of a specimen that reaches half of `thickness` (levels) to each side of the level of its middle.

    Planes of the widefield stack of a nucleus are its sharpest one under kernels of many levels: where level 5 is
    measured, of 3 to 9, at level 7 of 4 to 14.
    """
    levels = middle + thickness * np.linspace(-0.5, 0.5, _N_LAYERS)
    shares = rng.exponential(size=_N_LAYERS)
    layers: dict[float, float] = {}
    for level, share in zip(_LEVEL_STEP * np.round(levels / _LEVEL_STEP), shares / shares.sum()):
        layers[float(level)] = layers.get(float(level), 0.0) + float(share)
    return layers


@lru_cache(maxsize=512)
def _psf_spectrum(level: float, optics: Optics, shape: tuple[int, int]) -> np.ndarray:
    return np.asarray(rfft2(level_psf(level, optics, PSF_PX).astype(np.float32), shape), np.complex64)


def expose(clean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Expose with a random camera, in the unit of the clean image (background 0, bright structures 1).

    The camera is that of `focus_quality.exposure.expose_randomly`: peak signal 40 to 4000 photoelectrons, background 1
    to 100 percent of it, read noise 1 to 3 electrons, 0.5 to 8 counts per electron; whole counts. The noise of every
    fifth crop is smoothed, as resampling and colour cameras do.
    """
    peak = np.exp(rng.uniform(np.log(40.0), np.log(4000.0)))
    background = peak * np.exp(rng.uniform(np.log(0.01), np.log(1.0)))
    expected = np.maximum(clean * peak + background, 0)
    noise = rng.poisson(expected) - expected
    noise += rng.uniform(1.0, 3.0) * rng.standard_normal(noise.shape, dtype=np.float32)
    if rng.random() < 0.2:
        from scipy.ndimage import gaussian_filter

        width = rng.uniform(0.4, 1.0)
        smooth = gaussian_filter(noise, (width, width, 0))
        noise = smooth * (noise.std() / smooth.std())
    counts_per_electron = np.exp(rng.uniform(np.log(0.5), np.log(8.0)))
    counts = np.rint(np.maximum((expected + noise) * counts_per_electron, 0))
    return ((counts / counts_per_electron - background) / peak).astype(np.float32)


def random_haze(size: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a smooth uneven background (y, x), 3 to 100 percent of the bright structures high."""
    t = np.linspace(0.0, 1.0, size)
    basis = np.stack([(1 - t) ** 2, 2 * t * (1 - t), t**2], axis=1)
    surface = basis @ rng.random((3, 3)) @ basis.T
    surface -= surface.min()
    height = np.exp(rng.uniform(np.log(0.03), 0.0))
    return np.asarray(surface * height / max(float(surface.max()), 1e-6), np.float32)
