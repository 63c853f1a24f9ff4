"""How strongly each place of a field ever differs from the light around it: one small map for a whole stack."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Optional

import numpy as np

# A bead is at least so many pixels of the map across; finer pixels are averaged in blocks.
MAP_PX_PER_BEAD = 8.0
# The background is a median over a window of so many bead diameters: beads may cover up to half of it.
BACKGROUND_WINDOW_DIAMETERS = 7
# In fluorescence light only adds: a lower quantile keeps out more of the beads.
_BACKGROUND_PERCENTILE = {"bright_field": 50.0, "fluorescence": 25.0}
_TREND_ROUNDS = 4
# Relative rounding of what is computed with 32-bit numbers.
_ROUNDING = 1e-6


@dataclass(frozen=True)
class EvidenceMap:
    """Largest difference from the background over the planes.

    Attributes
    ----------
    strength_yx : ndarray
        (y, x) float32, 0 at the typical place. Bright field: absolute difference as a share of the background, at most
        1, as a shadow has it; fluorescence: counts above the background.
    factor : int
        Pixels of the image along each side of a pixel of the map.
    noise : float
        Standard deviation of the map between neighbouring pixels, not below the rounding of the numbers.
    not_finite_yx : ndarray of bool, or None
        Where a plane has a pixel that is NaN or infinite.
    shape_yx : tuple of int
        Shape of the planes.
    n_planes : int
        Number of planes.
    """

    strength_yx: np.ndarray
    factor: int
    noise: float
    not_finite_yx: Optional[np.ndarray]
    shape_yx: tuple[int, int]
    n_planes: int

    def to_image(self, place_map: np.ndarray) -> np.ndarray:
        """Coordinates of the map in px of the image."""
        return (np.asarray(place_map) + 0.5) * self.factor - 0.5


def evidence_map(planes: Iterable[np.ndarray], diameter_px: float, contrast: str) -> Optional[EvidenceMap]:
    """Go through planes (y, x) once; None where there is none with a finite pixel and, in bright field, with light."""
    factor = max(int(diameter_px // MAP_PX_PER_BEAD), 1)
    strongest: Optional[np.ndarray] = None
    not_finite: Optional[np.ndarray] = None
    shape, n_planes, rounding = (0, 0), 0, 0.0
    for plane in planes:
        shape, n_planes = plane.shape, n_planes + 1
        finite = np.isfinite(plane) if plane.dtype.kind == "f" else None
        if finite is not None and finite.all():
            finite = None
        if plane.size == 0 or (finite is not None and not finite.any()):
            continue
        if finite is not None:
            plane = np.where(finite, plane, np.median(plane[finite]))
            bad = block_mean(~finite, factor) > 0
            not_finite = bad if not_finite is None else not_finite | bad
        reduced = block_mean(plane, factor)
        difference = _difference(reduced, diameter_px / factor, contrast)
        if difference is None:
            continue
        rounding = max(rounding, _ROUNDING * (1.0 if contrast == "bright_field" else float(np.abs(reduced).max())))
        strongest = difference if strongest is None else np.maximum(strongest, difference, out=strongest)
    if strongest is None:
        return None
    strongest -= np.median(strongest)
    return EvidenceMap(strongest, factor, max(_noise(strongest), rounding), not_finite, shape, n_planes)


def block_mean(plane_yx: np.ndarray, factor: int) -> np.ndarray:
    """Mean over blocks of factor x factor, float32; the last rows and columns are repeated to fill their blocks."""
    if factor == 1:
        return plane_yx.astype(np.float32)
    height, width = plane_yx.shape
    padding = ((0, -height % factor), (0, -width % factor))
    padded = np.pad(plane_yx, padding, mode="edge") if any(p for _, p in padding) else plane_yx
    rows = padded.reshape(padded.shape[0] // factor, factor, padded.shape[1]).sum(axis=1, dtype=np.float32)
    return rows.reshape(rows.shape[0], -1, factor).sum(axis=2) / np.float32(factor**2)


def _difference(plane_yx: np.ndarray, diameter_px: float, contrast: str) -> Optional[np.ndarray]:
    """Difference of a plane from its background; None for a bright-field plane without light to compare with."""
    background = _background(plane_yx, diameter_px, _BACKGROUND_PERCENTILE[contrast])
    if contrast == "fluorescence":
        return np.maximum(plane_yx - background, 0)
    typical = float(np.median(background))
    if typical <= 0:
        return None
    return np.minimum(np.abs(plane_yx / np.maximum(background, 0.05 * typical) - 1), 1)


def _background(plane_yx: np.ndarray, diameter_px: float, percentile: float) -> np.ndarray:
    """Background (y, x): a quantile over a wide window of means over bead-sized blocks, smoothly interpolated."""
    from scipy.ndimage import gaussian_filter, percentile_filter

    block = max(round(diameter_px), 1)
    coarse = block_mean(plane_yx, block)
    trend = _trend(coarse)
    coarse = percentile_filter(coarse - trend, percentile, size=BACKGROUND_WINDOW_DIAMETERS, mode="reflect")
    coarse = gaussian_filter(coarse, 1.0, mode="nearest") + trend
    along_y, along_x = (_interpolation(length, n, block) for length, n in zip(plane_yx.shape, coarse.shape))
    return along_y @ coarse @ along_x.T


def _trend(coarse_yx: np.ndarray) -> np.ndarray:
    """Parabolic surface through the blocks without beads; at the border a quantile of half a window would be off."""
    y, x = (np.linspace(-1, 1, n) for n in coarse_yx.shape)
    yy, xx = (axis.ravel() for axis in np.meshgrid(y, x, indexing="ij"))
    terms = np.stack([np.ones_like(yy), yy, xx, yy * xx, yy**2, xx**2], axis=1)
    values = coarse_yx.ravel().astype(float)
    residual = values - np.median(values)
    for _ in range(_TREND_ROUNDS):
        used = np.abs(residual) <= 3 * 1.4826 * np.median(np.abs(residual))
        surface = terms @ np.linalg.lstsq(terms[used], values[used], rcond=None)[0]
        residual = values - surface
    return surface.reshape(coarse_yx.shape).astype(np.float32)


def _interpolation(length: int, n_blocks: int, block: int) -> np.ndarray:
    """Matrix (length, n_blocks) of linear interpolation between the middles of blocks, and on beyond the last."""
    if n_blocks == 1:
        return np.ones((length, 1), dtype=np.float32)
    place = (np.arange(length) - (block - 1) / 2) / block
    first = np.clip(np.floor(place).astype(np.intp), 0, n_blocks - 2)
    matrix = np.zeros((length, n_blocks), dtype=np.float32)
    rows = np.arange(length)
    matrix[rows, first], matrix[rows, first + 1] = 1 - (place - first), place - first
    return matrix


def _noise(map_yx: np.ndarray) -> float:
    """Noise from differences along the rows: their median, which edges of beads hardly touch."""
    if map_yx.shape[1] < 2:
        return 0.0
    return float(1.4826 / np.sqrt(2) * np.median(np.abs(np.diff(map_yx, axis=1))))
