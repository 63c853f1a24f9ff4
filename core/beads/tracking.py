"""Following the centre of a bead from plane to plane, and telling a slow drift from a bead that moves."""

from __future__ import annotations

from typing import Optional

import numpy as np

from parfocal.beads.bead import Bead
from parfocal.beads.centre import Centre, fit_centre

# How far off a detected centre is, and how far a centre may drift from one plane to the next: standard deviations, as
# multiples of the diameter.
DETECTION_DEVIATION = 0.1
DRIFT_DEVIATION = 0.01
# A plane tells where a bead is when it determines its centre at least this well, as a multiple of the diameter, and
# shows at least this share of the bead's largest contrast: the glow of neighbours shifts a faint bead.
LARGEST_DEVIATION = 0.02
SMALLEST_CONTRAST_SHARE = 0.3
# A bead has moved when a plane that tells shows it this far, as a multiple of the diameter, from its straight line.
MOVED_DIAMETERS = 0.08
# Where the expected centre leaves more than this share of the variance unexplained, the centre is looked for without
# expectations; that is believed where it leaves less than half.
LARGEST_UNEXPLAINED = 0.1
# With this many beads, what they do together is the stage's doing.
_FEWEST_FOR_STAGE = 3


class Track:
    """One bead's centre through the planes: a Kalman filter whose measurement is the fit of `fit_centre`.

    Parameters
    ----------
    bead : Bead
        Where to begin.
    pixel_size_um : float
        Size of a pixel, um.
    neighbours_yx_px : ndarray
        (n, 2) centres of other things nearby.
    """

    def __init__(self, bead: Bead, pixel_size_um: float, neighbours_yx_px: np.ndarray):
        self.bead, self.pixel_size_um, self.neighbours_yx_px = bead, pixel_size_um, neighbours_yx_px
        self.diameter_px = bead.diameter_um / pixel_size_um
        self.centre_yx_px = (bead.y_px, bead.x_px)
        self.deviations_px: list[float] = []
        self.contrasts: list[float] = []
        self._covariance = (DETECTION_DEVIATION * self.diameter_px) ** 2 * np.eye(2)

    def follow(self, plane_yx: np.ndarray) -> tuple[float, float]:
        """Centre (y, x) in the next plane, px."""
        drift = (DRIFT_DEVIATION * self.diameter_px) ** 2 * np.eye(2)
        prior = np.linalg.inv(self._covariance + (drift if self.deviations_px else 0.0))
        exact = np.trace(self._covariance) < 2 * (LARGEST_DEVIATION * self.diameter_px) ** 2
        found = self._fit(plane_yx, prior, coarse_first=not exact)
        if found.unexplained > LARGEST_UNEXPLAINED:
            free = self._fit(plane_yx, None, coarse_first=True)
            if free.unexplained < 0.5 * found.unexplained:
                found, prior = free, np.zeros((2, 2))
        information = found.information
        # No plane is trusted to better than a thousandth of a pixel: the filter would be stuck there.
        self._covariance = np.linalg.inv(prior + information + 1e-9 * np.eye(2)) + 1e-6 * np.eye(2)
        self.centre_yx_px = (found.y_px, found.x_px)
        least = float(np.linalg.eigvalsh(information)[0])
        self.deviations_px.append(1 / np.sqrt(least) if least > 0 else float("inf"))
        self.contrasts.append(found.contrast)
        return self.centre_yx_px

    def _fit(self, plane_yx: np.ndarray, prior: Optional[np.ndarray], coarse_first: bool) -> Centre:
        diameter_um = self.bead.diameter_um
        return fit_centre(
            plane_yx, self.centre_yx_px, self.pixel_size_um, diameter_um, prior, self.neighbours_yx_px, coarse_first
        )

    def telling(self) -> np.ndarray:
        """(plane,) bool: whether a plane tells where the bead is."""
        contrasts = np.array(self.contrasts)
        exact = np.array(self.deviations_px) <= LARGEST_DEVIATION * self.diameter_px
        return exact & (contrasts >= SMALLEST_CONTRAST_SHARE * contrasts.max(initial=0.0))


def movement(centres_bz_yx: np.ndarray, telling_bz: np.ndarray, diameter_px: float) -> tuple[np.ndarray, np.ndarray]:
    """Tell which beads move, and the drift that all share.

    Parameters
    ----------
    centres_bz_yx : ndarray
        (bead, plane, 2) centres, px.
    telling_bz : ndarray of bool
        (bead, plane) whether the plane tells where the bead is.
    diameter_px : float
        Diameter of the beads, px.

    Returns
    -------
    moved_b : ndarray of bool
        (bead,) whether the bead leaves the straight line of its centres over the planes, beyond what the beads do
        together.
    drift_yx_px_per_plane : ndarray
        (2,) median slope of the lines; NaN where no bead has two planes that tell.
    """
    if len(telling_bz) == 0:
        return np.zeros(0, dtype=bool), np.full(2, np.nan)
    lines = [_line(centres, telling) for centres, telling in zip(centres_bz_yx, telling_bz)]
    slopes = np.array([slope for slope, _ in lines])
    away = np.where(telling_bz[..., None], np.array([residual for _, residual in lines]), np.nan)
    if len(lines) >= _FEWEST_FOR_STAGE:
        away = away - _median_of_beads(away)
    distance = np.where(telling_bz, np.hypot(away[..., 0], away[..., 1]), 0.0)
    moved = distance.max(axis=1, initial=0.0) > MOVED_DIAMETERS * diameter_px
    known = np.isfinite(slopes).all(axis=1)
    return moved, np.median(slopes[known], axis=0) if known.any() else np.full(2, np.nan)


def _line(centres_yx: np.ndarray, telling: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Slope (2,) and residuals (plane, 2) of a straight line through the centres of the planes that tell."""
    if np.count_nonzero(telling) < 2:
        return np.full(2, np.nan), np.zeros_like(centres_yx)
    matrix = np.stack([np.ones(len(centres_yx)), np.arange(len(centres_yx))], axis=1)
    line = np.linalg.lstsq(matrix[telling], centres_yx[telling], rcond=None)[0]
    return line[1], centres_yx - matrix @ line


def _median_of_beads(away: np.ndarray) -> np.ndarray:
    """Median over the beads of each plane, 0 where fewer than three tell."""
    enough = np.count_nonzero(np.isfinite(away[..., 0]), axis=0) >= _FEWEST_FOR_STAGE
    common = np.zeros(away.shape[1:])
    if enough.any():
        common[enough] = np.nanmedian(away[:, enough], axis=0)
    return common
