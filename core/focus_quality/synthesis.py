"""Synthetic defocus of in-focus images, camera noise, and the paper's intensity augmentation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.fft import irfft2, next_fast_len, rfft2

from parfocal.optics import born_wolf_psf
from parfocal.optics.optics import MODEL_OPTICS, Optics

N_LEVELS = 11
LEVEL_SPACING_UM = 2.0
_KERNEL_PX = 65


def defocus_image(
    image_yx: np.ndarray, defocus_distance_um: float, optics: Optics = MODEL_OPTICS, kernel_px: int = _KERNEL_PX
) -> np.ndarray:
    """Blur an in-focus image as a widefield microscope does at a distance from focus.

    The image is mirrored at its borders, so that nothing wraps around and no dark rim appears.

    Parameters
    ----------
    image_yx : ndarray
        In-focus image (y, x), any intensity unit.
    defocus_distance_um : float
        Distance from the focal plane, um; 0 still applies the in-focus PSF.
    optics : Optics
        Optics of the image; its pixel size must be that of the image.
    kernel_px : int
        Odd width of the PSF that is applied.

    Returns
    -------
    ndarray
        Blurred image (y, x), float32, same mean as the mirrored input.
    """
    psf = born_wolf_psf(defocus_distance_um, optics, kernel_px)
    return _convolve_mirrored(np.asarray(image_yx, np.float32), [psf])[0]


def defocus_levels(image_yx: np.ndarray, optics: Optics = MODEL_OPTICS) -> np.ndarray:
    """Blur an in-focus image to each of the 11 levels, 2 um apart: array (level, y, x), float32."""
    return _convolve_mirrored(np.asarray(image_yx, np.float32), _level_kernels(optics))


@dataclass(frozen=True)
class Camera:
    """A camera: Poisson photon noise, Gaussian read noise, gain and offset.

    Parameters
    ----------
    gain : float
        Counts per photoelectron, above 0.
    offset : float
        Counts added to every pixel (the camera's black level).
    read_noise : float
        Standard deviation of the read noise, photoelectrons, 0 or more.
    max_count : int
        Largest count; above it the camera saturates.
    """

    gain: float = 1.0
    offset: float = 100.0
    read_noise: float = 1.5
    max_count: int = 65535

    def expose(self, photons_yx: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Expose a picture of expected photoelectrons; the same `rng` state gives the same counts (uint16)."""
        electrons = rng.poisson(np.clip(photons_yx, 0, 1e9)).astype(np.float32)
        electrons += self.read_noise * rng.standard_normal(electrons.shape, dtype=np.float32)
        counts = np.rint(electrons * self.gain + self.offset)
        return np.clip(counts, 0, self.max_count).astype(np.uint16)


def random_gain_and_offset(rng: np.random.Generator) -> tuple[float, float]:
    """Draw the paper's augmentation: gain log-uniform in (0.2, 5), offset log-uniform in (1, 1000) counts."""
    gain = float(np.exp(rng.uniform(np.log(0.2), np.log(5.0))))
    offset = float(np.exp(rng.uniform(np.log(1.0), np.log(1000.0))))
    return gain, offset


def apply_gain_and_offset(counts_yx: np.ndarray, gain: float, offset: float) -> np.ndarray:
    """Multiply by a gain and add an offset in counts, cut to 16 bits (float32)."""
    return np.clip(np.asarray(counts_yx, np.float32) * gain + offset, 0, 65535)


@lru_cache(maxsize=4)
def _level_kernels(optics: Optics) -> tuple[np.ndarray, ...]:
    return tuple(born_wolf_psf(level * LEVEL_SPACING_UM, optics, _KERNEL_PX) for level in range(N_LEVELS))


def _convolve_mirrored(image: np.ndarray, kernels: list[np.ndarray] | tuple[np.ndarray, ...]) -> np.ndarray:
    """Convolve with several kernels of one size, transforming the image once."""
    half = kernels[0].shape[0] // 2
    padded = np.pad(image, half, mode="symmetric")
    shape = [next_fast_len(n + 2 * half, real=True) for n in padded.shape]
    spectrum = rfft2(padded, shape)
    height, width = image.shape
    blurred = [irfft2(spectrum * rfft2(kernel.astype(np.float32), shape), shape) for kernel in kernels]
    return np.stack([plane[2 * half :, 2 * half :][:height, :width] for plane in blurred]).astype(np.float32)
