"""Candidates for beads in a map of evidence, each looked at on a grid of its own in units of its diameter."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from parfocal.beads.evidence import EvidenceMap

# Grid of a candidate: points per diameter, and half its width in diameters.
GRID_PER_DIAMETER = 24
GRID_REACH_DIAMETERS = 1.5
# A place is a candidate when it stands out from its surroundings by this multiple of the noise.
SMALLEST_PEAK_NOISE = 6.0
# ... and by this share of the strongest candidate: what is fainter is no bead beside it.
SMALLEST_PEAK_SHARE = 0.02
# Two candidates this close together, in diameters, are one.
SAME_DIAMETERS = 0.35
# Rings that explain the variance end here, in diameters: the bead and its rim.
SYMMETRY_REACH_DIAMETERS = 0.7
_N_ANGLES = 72
_HALF = int(GRID_PER_DIAMETER * GRID_REACH_DIAMETERS)


@dataclass(frozen=True)
class Candidate:
    """What one candidate looks like; places in px of the map, lengths in diameters that were looked for.

    Attributes
    ----------
    y, x : float
        Middle of its outline, or of its nearest part where things touch, px of the map.
    signal : float
        Median strength within the bead above that of its surroundings.
    diameter : float
        Of the circle of the same area.
    circularity : float
        4 pi area / perimeter^2, 1 for a circle.
    symmetry : float
        Share of the variance that the distance from the middle explains, noise taken off, at most 1.
    n_lobes : int
        Number of round parts of the outline: more than one where things touch.
    """

    y: float
    x: float
    signal: float
    diameter: float
    circularity: float
    symmetry: float
    n_lobes: int


def find_candidates(evidence: EvidenceMap, diameter_map: float) -> list[Candidate]:
    """Candidates of about this diameter, in px of the map, strongest first and each but once."""
    found: list[Candidate] = []
    for y, x in _seeds(evidence, diameter_map):
        candidate = _look(evidence, y, x, diameter_map)
        if candidate is None:
            continue
        near = [np.hypot(candidate.y - known.y, candidate.x - known.x) for known in found]
        if not near or min(near) > SAME_DIAMETERS * diameter_map:
            found.append(candidate)
    return found


def _seeds(evidence: EvidenceMap, diameter: float) -> np.ndarray:
    """Places (n, 2) where a blob of this diameter stands out most, strongest first."""
    from scipy.ndimage import gaussian_filter, maximum_filter

    narrow, wide = 0.3 * diameter, 0.6 * diameter
    blobs = gaussian_filter(evidence.strength_yx, narrow, mode="nearest")
    blobs -= gaussian_filter(evidence.strength_yx, wide, mode="nearest")
    # White noise of deviation 1 has 1 / (2 sqrt(pi) narrow) after the narrower filter.
    noise = evidence.noise / (2 * np.sqrt(np.pi) * narrow)
    least = max(SMALLEST_PEAK_NOISE * noise, SMALLEST_PEAK_SHARE * float(blobs.max()), 1e-30)
    peaks = (blobs == maximum_filter(blobs, size=max(int(0.6 * diameter) | 1, 3))) & (blobs > least)
    places = np.argwhere(peaks)
    return places[np.argsort(-blobs[peaks], kind="stable")].astype(float)


def _look(evidence: EvidenceMap, y: float, x: float, diameter: float) -> Candidate | None:
    """Outline a candidate, move to the middle of the outline, or of the part nearest to it, and do so again."""
    for _ in range(3):
        outlined = _outline(_grid(evidence.strength_yx, y, x, diameter))
        if outlined is None:
            return None
        region, signal = outlined
        lobes = _lobes(region)
        middle = np.argwhere(region).mean(axis=0) if len(lobes) < 2 else lobes[np.hypot(*(lobes - _HALF).T).argmin()]
        step = (middle - _HALF) * diameter / GRID_PER_DIAMETER
        y, x = y + step[0], x + step[1]
        if len(lobes) > 1 or np.abs(middle - _HALF).max() < 0.5:
            break
    area, circularity = _shape(region)
    return Candidate(
        y=float(y),
        x=float(x),
        signal=signal,
        diameter=float(np.sqrt(4 * area / np.pi)) / GRID_PER_DIAMETER,
        circularity=circularity,
        symmetry=_symmetry(_grid(evidence.strength_yx, y, x, diameter), evidence.noise),
        n_lobes=max(len(lobes), 1),
    )


def _grid(map_yx: np.ndarray, y: float, x: float, diameter: float) -> np.ndarray:
    """Surroundings of a place on a grid of 24 points per diameter; NaN beyond the border."""
    from scipy.ndimage import map_coordinates

    steps = np.arange(-_HALF, _HALF + 1) * (diameter / GRID_PER_DIAMETER)
    along_y, along_x = y + steps, x + steps
    patch = map_coordinates(map_yx, np.meshgrid(along_y, along_x, indexing="ij"), order=1, mode="nearest")
    for axis, (along, length) in enumerate(zip((along_y, along_x), map_yx.shape)):
        beyond = (along < -0.5) | (along > length - 0.5)
        patch[beyond if axis == 0 else (slice(None), beyond)] = np.nan
    return patch


@lru_cache(maxsize=1)
def _radius() -> np.ndarray:
    """Distance of the grid's points from its middle, in diameters."""
    steps = np.arange(-_HALF, _HALF + 1) / GRID_PER_DIAMETER
    return np.hypot(steps[:, None], steps[None, :])


def _outline(patch: np.ndarray) -> tuple[np.ndarray, float] | None:
    """Region at half height around the middle, and the height; None where the middle does not stand out.

    The height is the median within the bead, so that neither a bright spot in the middle nor a dark ring sets it.
    """
    from scipy.ndimage import binary_closing, binary_fill_holes, binary_opening, label

    radius = _radius()
    inside = patch[(radius <= 0.45) & np.isfinite(patch)]
    around = patch[(radius > 0.8) & (radius <= GRID_REACH_DIAMETERS) & np.isfinite(patch)]
    if inside.size == 0 or around.size == 0:
        return None
    floor = float(np.percentile(around, 25))
    signal = float(np.median(inside)) - floor
    if signal <= 0:
        return None
    region = np.nan_to_num(patch, nan=-np.inf) > floor + 0.5 * signal
    disc = radius[_HALF - 2 : _HALF + 3, _HALF - 2 : _HALF + 3] <= 2.5 / GRID_PER_DIAMETER
    padded = np.pad(region, 3)
    region = binary_fill_holes(binary_closing(padded, disc))
    region = binary_opening(region, disc)[3:-3, 3:-3]
    labels, n = label(region)
    if n == 0:
        return None
    nearest = np.where(region, radius, np.inf)
    at = np.unravel_index(np.argmin(nearest), radius.shape)
    if radius[at] > 0.5:
        return None
    return labels == labels[at], signal


def _shape(region: np.ndarray) -> tuple[float, float]:
    """Area in points of the grid, and circularity of the outline seen from the middle, free of its steps."""
    from scipy.ndimage import gaussian_filter, map_coordinates

    area = float(np.count_nonzero(region))
    middle = np.argwhere(region).mean(axis=0)
    smooth = gaussian_filter(region.astype(float), 1.0, mode="constant")
    angles = np.arange(_N_ANGLES) * (2 * np.pi / _N_ANGLES)
    steps = np.arange(0.0, 2 * GRID_REACH_DIAMETERS * GRID_PER_DIAMETER, 0.25)
    places = [middle[k] + steps[:, None] * f(angles)[None, :] for k, f in enumerate((np.sin, np.cos))]
    within = map_coordinates(smooth, places, order=1, mode="constant") > 0.5
    outline = np.where(within, steps[:, None], 0.0).max(axis=0)
    y, x = outline * np.sin(angles), outline * np.cos(angles)
    perimeter = float(np.hypot(np.diff(y, append=y[0]), np.diff(x, append=x[0])).sum())
    within_outline = 0.5 * abs(float(y @ np.roll(x, -1) - x @ np.roll(y, -1)))
    # A region with deep bays has less area than its outline encloses, and is less round for it.
    return area, 4 * np.pi * min(area, within_outline) / perimeter**2 if perimeter > 0 else 0.0


def _lobes(region: np.ndarray) -> np.ndarray:
    """Middles (n, 2), in points of the grid, of the parts of a region that are each at least half a bead wide."""
    from scipy.ndimage import distance_transform_edt, gaussian_filter, maximum_filter

    depth = gaussian_filter(distance_transform_edt(np.pad(region, 1))[1:-1, 1:-1], 1.5)
    peaks = (depth == maximum_filter(depth, size=GRID_PER_DIAMETER // 2)) & (depth > 0.25 * GRID_PER_DIAMETER)
    return np.argwhere(peaks).astype(float)


def _symmetry(patch: np.ndarray, noise: float) -> float:
    """Share of the variance within the bead and its rim that rings explain; the noise of the map is taken off."""
    radius = _radius()
    used = (radius <= SYMMETRY_REACH_DIAMETERS) & np.isfinite(patch)
    values = patch[used].astype(float)
    ring = np.rint(radius[used] * GRID_PER_DIAMETER).astype(np.intp)
    counts = np.bincount(ring)
    means = np.bincount(ring, values) / np.maximum(counts, 1)
    left = float(np.mean((values - means[ring]) ** 2))
    total = float(values.var())
    if total <= noise**2:
        return 0.0
    return 1 - max(left - noise**2, 0.0) / (total - noise**2)
