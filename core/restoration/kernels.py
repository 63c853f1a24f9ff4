"""Inverse filters of bounded support: a bank of Wiener deconvolutions around the measured defocus level.

The bank brings the optics into the restoring network: it sees the image and what it would be in focus, had it been
taken at the measured level, a little below or above. Kernels of bounded support make a tile's middle equal to the same
place of the whole image.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from parfocal.optics import born_wolf_psf
from parfocal.optics.optics import MODEL_OPTICS, Optics

# Filters of the bank: distance from the measured level, and by which the noise is overestimated, in steps.
BANK = ((0.0, 0), (0.0, 4), (-0.75, 0), (0.75, 0))
# The image itself, the filtered ones, and the level over 10 at every pixel.
N_PLANES = len(BANK) + 2
LEVEL_STEP = 0.25
KERNEL_PX = 95
HALF_PX = KERNEL_PX // 2
# Power spectrum of fluorescence images whose bright structures are 1, per pixel: _POWER / (f^2 + _CORNER^2)^2 with f in
# cycles per pixel. It follows the averages of the training sources between 0.02 and 0.3 within a factor of 3.
_POWER, _CORNER = 1.6e-6, 0.015
_FLOOR = 3e-3
_GRID_PX = 192
# Noise, of the bright structures, in steps of half an octave: kernels are cached by step.
SMALLEST_NOISE, LARGEST_NOISE = 0.004, 0.5
_STEPS_PER_OCTAVE = 2


@lru_cache(maxsize=512)
def level_psf(level: float, optics: Optics = MODEL_OPTICS, size_px: int = 65) -> np.ndarray:
    """Born-Wolf PSF of a defocus level on the pixels of these optics: kernel (y, x), float64, sum 1.

    The level counts blur in pixels (`BLUR_PX_PER_LEVEL` each), so that it means the same blur for all optics.
    """
    return born_wolf_psf(optics.level_to_um(level), optics, size_px)


def noise_step(noise: float) -> int:
    """Round noise (standard deviation, bright structures are 1) to its step of half an octave, within the limits."""
    bounded = min(max(noise, SMALLEST_NOISE), LARGEST_NOISE)
    return round(_STEPS_PER_OCTAVE * math.log2(bounded))


def wiener_kernel(level: float, step: int, optics: Optics = MODEL_OPTICS) -> np.ndarray:
    """Compute the Wiener kernel of a level for a step of noise.

    K = H0 H / (H^2 + sigma^2 / S + 0.003) with the transfer functions in focus H0 and at the level H, the power
    spectrum S of fluorescence images and the noise sigma (Wiener 1949; Gonzalez and Woods, Digital Image Processing,
    5.8); the constant keeps frequencies out that the blur has erased. The kernel is cut to 95 pixels under a window
    that falls to 0 over its outer third, and brought to sum 1.

    Parameters
    ----------
    level : float
        Defocus level to undo; below 0 as 0.
    step : int
        Noise as `noise_step` gives it.
    optics : Optics
        Optics of the image; the pixel size must be that of the image.

    Returns
    -------
    ndarray
        (95, 95), float32, sum 1.
    """
    from scipy.fft import irfft2

    noise_power = np.float32(2.0 ** (2 * step / _STEPS_PER_OCTAVE))
    blurred = _transfer(max(level, 0.0), optics)
    inverse = _transfer(0.0, optics) * blurred / (blurred**2 + noise_power / _signal_power() + np.float32(_FLOOR))
    centred = np.fft.fftshift(irfft2(inverse, (_GRID_PX, _GRID_PX)))
    inside = slice(_GRID_PX // 2 - HALF_PX, _GRID_PX // 2 + HALF_PX + 1)
    window, broad = _windows()
    cut = centred[inside, inside] * window
    # What the window took from the sum is given back as a broad blur, which no structure notices.
    return np.asarray(cut + (1 - cut.sum()) * broad, np.float32)


@lru_cache(maxsize=24)
def _bank_spectra(level: float, step: int, optics: Optics, shape: tuple[int, int]) -> np.ndarray:
    from scipy.fft import rfft2

    kernels = [wiener_kernel(level + away, step + more, optics) for away, more in BANK]
    return np.asarray(rfft2(np.stack(kernels), shape), np.complex64)


def wiener_bank(image_yx: np.ndarray, level: float, step: int, optics: Optics = MODEL_OPTICS) -> np.ndarray:
    """Apply the bank where its kernels lie wholly inside the image.

    Parameters
    ----------
    image_yx : ndarray
        (y, x), float32, with `HALF_PX` pixels of context on each side.
    level : float
        Measured or known level of the whole image; rounded to 0.25.
    step : int
        Noise as `noise_step` gives it.
    optics : Optics
        Optics of the image.

    Returns
    -------
    ndarray
        (6, y - 94, x - 94), float32: the image itself, four deconvolutions, and the level over 10.
    """
    return np.stack(list(wiener_planes(image_yx, level, step, optics)))


def wiener_planes(image_yx: np.ndarray, level: float, step: int, optics: Optics = MODEL_OPTICS) -> Iterator[np.ndarray]:
    """Yield the planes of `wiener_bank` one by one, so that they need not lie in memory together."""
    from scipy.fft import ifft, irfft, next_fast_len, rfft2

    height, width = (n - 2 * HALF_PX for n in image_yx.shape)
    shape = (next_fast_len(image_yx.shape[0], real=True), next_fast_len(image_yx.shape[1], real=True))
    rounded = LEVEL_STEP * round(level / LEVEL_STEP)
    spectrum = rfft2(np.asarray(image_yx, np.float32), shape)
    yield image_yx[HALF_PX : HALF_PX + height, HALF_PX : HALF_PX + width].astype(np.float32, copy=False)
    product = np.empty_like(spectrum)
    for kernel in _bank_spectra(rounded, step, optics, shape):
        np.multiply(spectrum, kernel, out=product)
        # The circular convolution is the wanted one from the kernel's width on; only those rows are transformed back.
        rows = ifft(product, axis=0, overwrite_x=True)[2 * HALF_PX :][:height]
        yield irfft(rows, shape[1], axis=1, overwrite_x=True)[:, 2 * HALF_PX :][:, :width]
    yield np.full((height, width), rounded / 10, np.float32)


def estimate_noise(image_yx: np.ndarray) -> float:
    """Estimate white noise (standard deviation) from the median of a second difference in both directions.

    The filter [[1, -2, 1], [-2, 4, -2], [1, -2, 1]] / 6 (Immerkaer 1996, doi:10.1006/cviu.1996.0060) leaves white noise
    as strong as it is and little of a smooth image. Up to about a million pixels are looked at.
    """
    rows = max(1, image_yx.shape[0] * image_yx.shape[1] // (1 << 20))
    pixels = np.asarray(image_yx, np.float32)
    down = pixels[:-2:rows] - 2 * pixels[1:-1:rows] + pixels[2::rows]
    rough = np.abs(down[:, :-2] - 2 * down[:, 1:-1] + down[:, 2:]).ravel()
    # The upper of the two middle ones, where there are two: found in a fraction of the time of their mean.
    rough.partition(rough.size // 2)
    return float(rough[rough.size // 2] / 0.6745 / 6)


@lru_cache(maxsize=512)
def _transfer(level: float, optics: Optics) -> np.ndarray:
    from scipy.fft import ifftshift, rfft2

    psf = level_psf(level, optics).astype(np.float32)
    before = (_GRID_PX - psf.shape[0] + 1) // 2
    after = _GRID_PX - psf.shape[0] - before
    return np.asarray(rfft2(ifftshift(np.pad(psf, (before, after)))).real, np.float32)


@lru_cache(maxsize=1)
def _signal_power() -> np.ndarray:
    rows, columns = np.fft.fftfreq(_GRID_PX), np.fft.rfftfreq(_GRID_PX)
    return np.asarray(_POWER / (rows[:, None] ** 2 + columns[None, :] ** 2 + _CORNER**2) ** 2, np.float32)


@lru_cache(maxsize=1)
def _windows() -> tuple[np.ndarray, np.ndarray]:
    """Window of a kernel, and a broad blur of sum 1."""
    distance = np.abs(np.arange(-HALF_PX, HALF_PX + 1)) / (HALF_PX + 1)
    line = np.where(distance < 2 / 3, 1.0, 0.5 * (1 + np.cos(3 * np.pi * (distance - 2 / 3))))
    hann = np.hanning(KERNEL_PX + 2)[1:-1]
    broad = hann[:, None] * hann[None, :] / hann.sum() ** 2
    return (line[:, None] * line[None, :]).astype(np.float32), broad.astype(np.float32)
