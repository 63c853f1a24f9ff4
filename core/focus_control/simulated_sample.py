"""Cells that a simulated camera sees: blurred by defocus, bleached, moving, dividing, with noise and dust."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass
class Sample:
    """Round cells, drawn as Gaussians so that a day of images takes seconds.

    Parameters
    ----------
    size_px : int
        Side of the image.
    cells : int
        At the start.
    sharp_sigma_px, blur_px_per_um : float
        Width of a cell in focus, and how it grows with the distance from focus.
    photons : float
        Total of one cell at the start, in electrons.
    background, offset, read_noise : float
        Electrons and counts of the frame.
    bleach_s : float
        Time in which the light of a cell falls to 1/e.
    walk_px_sqrt_h : float
        How far a cell walks in an hour (standard deviation).
    division_s : float
        Time in which the number of cells doubles; 0 for never.
    dust : tuple of (start_s, end_s)
        When a large, sharp-edged shadow lies in the image, in any z.
    """

    size_px: int = 96
    cells: int = 12
    sharp_sigma_px: float = 1.6
    blur_px_per_um: float = 0.9
    photons: float = 4000.0
    background: float = 10.0
    offset: float = 100.0
    read_noise: float = 2.0
    bleach_s: float = math.inf
    walk_px_sqrt_h: float = 0.0
    division_s: float = 0.0
    dust: tuple[tuple[float, float], ...] = ()
    most_cells: int = 60
    seed: int = 1

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        self._start = rng.uniform(0.1, 0.9, (self.most_cells, 2)) * self.size_px
        # Each cell walks on a few slow waves: a function of time, so that no image depends on those before it.
        self._phase = rng.uniform(0, 2 * np.pi, (self.most_cells, 2, 3))
        self._period_s = rng.uniform(2, 20, (self.most_cells, 2, 3)) * 3600.0
        self._share = rng.uniform(0.6, 1.4, self.most_cells)

    def image(self, defocus_um: float, time_s: float, lit: bool, rng: np.random.Generator) -> np.ndarray:
        """Image (y, x) at a distance from focus; without light the offset and the noise of reading alone."""
        expected = np.zeros((self.size_px, self.size_px))
        if lit:
            expected = self._cells(defocus_um, time_s) + self.background
            if any(start <= time_s < end for start, end in self.dust):
                expected[self.size_px // 4 : self.size_px // 2, self.size_px // 3 :] *= 0.3
        counts = rng.poisson(expected) + rng.normal(self.offset, self.read_noise, expected.shape)
        return np.clip(np.rint(counts), 0, 65535).astype(np.uint16)

    def _cells(self, defocus_um: float, time_s: float) -> np.ndarray:
        count = self.count(time_s)
        sigma = math.hypot(self.sharp_sigma_px, self.blur_px_per_um * defocus_um)
        places = (self._start[:count] + self._walk(time_s)[:count]) % self.size_px
        axis = np.arange(self.size_px)
        rows, columns = (np.exp(-0.5 * ((axis - places[:, k, None]) / sigma) ** 2) for k in (0, 1))
        light = self.photons * math.exp(-time_s / self.bleach_s) / (2 * math.pi * sigma**2)
        return light * np.einsum("c,cy,cx->yx", self._share[:count], rows, columns, optimize=True)

    def count(self, time_s: float) -> int:
        """Number of cells at a time."""
        doublings = time_s / self.division_s if self.division_s else 0.0
        return min(self.most_cells, int(self.cells * 2**doublings))

    def _walk(self, time_s: float) -> np.ndarray:
        waves = np.sin(2 * np.pi * time_s / self._period_s + self._phase) - np.sin(self._phase)
        return self.walk_px_sqrt_h * waves.sum(axis=2)
