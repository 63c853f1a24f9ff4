"""What is in a field besides beads: uneven light, dust, and cells that blur with the distance."""

from __future__ import annotations

import numpy as np
from scipy.fft import fftfreq, irfft2, next_fast_len, rfft2, rfftfreq
from scipy.special import j1

from parfocal.beads.simulation.appearance import BeadAppearance
from parfocal.beads.simulation.settings import Light, Sample

_CELL_PHASE_RAD = 0.5
_DEAD_SHARE = 0.3
_DEAD_ABSORPTION = 0.25
_DARKEST = 0.02


def uneven_light(shape_yx: tuple[int, int], light: Light) -> np.ndarray:
    """Relative illumination (y, x), 1 in the middle: a gradient and a loss with the squared distance."""
    y, x = (np.linspace(-0.5, 0.5, n) if n > 1 else np.zeros(1) for n in shape_yx)
    slope = light.gradient_yx[0] * y[:, None] + light.gradient_yx[1] * x[None, :]
    return (1 + slope) * (1 - light.vignetting * 2 * (y[:, None] ** 2 + x[None, :] ** 2))


def dust_transmission(shape_yx: tuple[int, int], count: int, rng: np.random.Generator) -> np.ndarray:
    """Transmission (y, x) of dark round specks, 1 to 4 pixels wide, that let 30 to 85 percent of the light pass."""
    transmission = np.ones(shape_yx)
    y, x = np.indices((17, 17)) - 8.0
    for _ in range(count):
        centre, radius = rng.uniform(0, shape_yx), rng.uniform(0.5, 2.0)
        whole = np.floor(centre).astype(int)
        away = np.hypot(y - (centre - whole)[0], x - (centre - whole)[1])
        speck = 1 - rng.uniform(0.15, 0.7) * np.exp(-((away / radius) ** 4))
        rows, columns, part = _overlap(whole - 8, speck.shape, shape_yx)
        transmission[rows, columns] *= speck[part]
    return transmission


class Cells:
    """Cells as a thin weak phase object, some of them absorbing.

    The blurred contrast of a phase phi and an absorption mu at the distance z is 2 phi sin(chi) - mu cos(chi) for each
    spatial frequency f, chi = pi lambda z f^2 / n, times the spectrum of the condenser's disc, which washes it out with
    the distance (weak-object transfer; Goodman, Introduction to Fourier Optics). Shape and size are made up: a rounded
    outline with random lobes. Good for disturbing a detector, not for measuring cells.

    Parameters
    ----------
    sample : Sample
        Number and size.
    shape_yx : tuple of int
        Size of the image, pixels.
    pixel_size_um : float
        Pixel size, um.
    appearance : BeadAppearance
        Optics of the beads.
    rng : numpy Generator
        Source of places and shapes.
    """

    def __init__(
        self,
        sample: Sample,
        shape_yx: tuple[int, int],
        pixel_size_um: float,
        appearance: BeadAppearance,
        rng: np.random.Generator,
    ) -> None:
        pad = int(4 * sample.cell_diameter_um / pixel_size_um)
        self._shape, self._pad = shape_yx, pad
        self._full = tuple(next_fast_len(n + 2 * pad, real=True) for n in shape_yx)
        phase, absorption = _draw_cells(sample, shape_yx, self._full, pad, pixel_size_um, rng)
        self._phase, self._absorption = rfft2(phase), rfft2(absorption)
        fy, fx = fftfreq(self._full[0], pixel_size_um), rfftfreq(self._full[1], pixel_size_um)
        self._frequency = np.hypot(fy[:, None], fx[None, :])
        self._shift = (2j * np.pi * fy[:, None], 2j * np.pi * fx[None, :])
        self._appearance = appearance
        self._pixel_size_um = pixel_size_um

    def transmission(self, distance_um: float, drift_yx_px: np.ndarray) -> np.ndarray:
        """Relative intensity (y, x) at a distance of the image plane from the cells, um, after a drift in pixels."""
        optics, condenser = self._appearance.optics, self._appearance.condenser_numerical_aperture
        distance = distance_um if self._appearance.light_from_below else -distance_um
        chi = np.pi * optics.emission_wavelength_um * distance * self._frequency**2 / optics.immersion_index
        cutoff = (optics.numerical_aperture + condenser) / optics.emission_wavelength_um
        washed = _disc_spectrum(2 * np.pi * distance * condenser / optics.immersion_index * self._frequency)
        passed = np.clip(1 - (self._frequency / cutoff) ** 2, 0, None) * washed
        spectrum = (2 * self._phase * np.sin(chi) - self._absorption * np.cos(chi)) * passed
        drift_um = np.asarray(drift_yx_px) * self._pixel_size_um
        moved = spectrum * np.exp(-self._shift[0] * drift_um[0]) * np.exp(-self._shift[1] * drift_um[1])
        contrast = irfft2(moved, self._full)[self._pad :, self._pad :]
        return np.maximum(1 + contrast[: self._shape[0], : self._shape[1]], _DARKEST)


def _draw_cells(
    sample: Sample,
    shape_yx: tuple[int, int],
    full_yx: tuple[int, ...],
    pad: int,
    pixel_size_um: float,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Phase (rad) and absorption of all cells on the padded field."""
    phase, absorption = np.zeros(full_yx), np.zeros(full_yx)
    half = int(1.5 * sample.cell_diameter_um / pixel_size_um) + 2
    y, x = np.indices((2 * half + 1, 2 * half + 1)) - half
    for _ in range(sample.cells):
        corner = rng.integers(0, shape_yx) + pad - half
        radius = sample.cell_diameter_um / 2 / pixel_size_um * rng.uniform(0.7, 1.3)
        thickness = _blob(np.hypot(y, x), np.arctan2(y, x), radius, rng)
        dead = _DEAD_ABSORPTION if rng.random() < _DEAD_SHARE else 0.0
        rows, columns, part = _overlap(corner, thickness.shape, full_yx)
        phase[rows, columns] += _CELL_PHASE_RAD * rng.uniform(0.5, 1.0) * thickness[part]
        absorption[rows, columns] += dead * thickness[part]
    return phase, absorption


def _blob(away: np.ndarray, angle: np.ndarray, radius: float, rng: np.random.Generator) -> np.ndarray:
    """Thickness 0 to 1 of a rounded blob whose outline has random lobes."""
    lobes = np.arange(2, 6)
    height, turn = rng.normal(0, 0.12, 4) / np.sqrt(lobes - 1), rng.uniform(0, 2 * np.pi, 4)
    outline = radius * np.clip(1 + (height * np.cos(lobes * angle[..., None] + turn)).sum(axis=-1), 0.4, 1.5)
    return np.clip(1 - (away / outline) ** 2, 0, None)


def _disc_spectrum(argument: np.ndarray) -> np.ndarray:
    safe = np.where(np.abs(argument) < 1e-9, 1.0, argument)
    return np.where(np.abs(argument) < 1e-9, 1.0, 2 * j1(safe) / safe)


def _overlap(
    corner: np.ndarray, piece_shape: tuple[int, ...], shape_yx: tuple[int, ...]
) -> tuple[slice, slice, tuple[slice, ...]]:
    """Where a piece laid at a corner meets the field: rows and columns there, and the same part of the piece."""
    low = np.clip(corner, 0, shape_yx)
    high = np.clip(np.asarray(corner) + piece_shape, 0, shape_yx)
    part = tuple(slice(a, b) for a, b in zip(low - corner, high - corner))
    return slice(low[0], high[0]), slice(low[1], high[1]), part
