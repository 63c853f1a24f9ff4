"""Where beads lie in the field, at which height, and which of them touch or are cut by the border."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

import numpy as np

from parfocal.beads.simulation.settings import Sample

_ATTEMPTS = 2000


@dataclass(frozen=True)
class Layout:
    """The beads of a field, the isolated ones first, then touching pairs, then those at the border.

    Parameters
    ----------
    centres_yx_px : ndarray
        Centres in the first plane (n, 2), pixels.
    touching, at_border : ndarray
        Whether a bead touches another, or is cut by the border (n,), bool.
    """

    centres_yx_px: np.ndarray
    touching: np.ndarray
    at_border: np.ndarray


def place_beads(
    shape_yx: tuple[int, int], diameter_px: float, n_beads: int, sample: Sample, rng: np.random.Generator
) -> Layout:
    """Place isolated beads, touching pairs and border beads at random sub-pixel positions.

    Parameters
    ----------
    shape_yx : tuple of int
        Size of the image, pixels.
    diameter_px : float
        Diameter of a bead, pixels.
    n_beads : int
        Number of isolated beads.
    sample : Sample
        Pairs, border beads and the least distance.
    rng : numpy Generator
        Source of the positions.

    Returns
    -------
    Layout
        All beads.

    Raises
    ------
    ValueError
        Where they do not fit into the field.
    """
    distance = sample.minimum_distance_diameters * diameter_px
    places: list[np.ndarray] = []
    for kind, count in (("bead", n_beads), ("pair", sample.touching_pairs), ("border", sample.border_beads)):
        for _ in range(count):
            places.extend(_free_place(kind, places, shape_yx, diameter_px, distance, rng))
    n_pairs = 2 * sample.touching_pairs
    kinds = np.repeat([0, 1, 2], [n_beads, n_pairs, sample.border_beads])
    return Layout(np.array(places).reshape(-1, 2), kinds == 1, kinds == 2)


def given_beads(centres_yx_px: np.ndarray, shape_yx: tuple[int, int], diameter_px: float) -> Layout:
    """Describe beads at given centres (n, 2): which of them touch another or the border."""
    centres = np.array(centres_yx_px, float)
    if centres.ndim != 2 or centres.shape[1] != 2 or not np.isfinite(centres).all():
        raise ValueError(f"centres_yx_px must be finite and of shape (n, 2), got shape {centres.shape}")
    apart = np.hypot(*np.moveaxis(centres[:, None] - centres[None], -1, 0)) + np.diag(np.full(len(centres), np.inf))
    touching = apart.min(axis=1, initial=np.inf) <= 1.02 * diameter_px
    return Layout(centres, touching, _border_distance(centres, shape_yx) < diameter_px / 2)


def bead_heights_um(
    centres_yx_px: np.ndarray,
    shape_yx: tuple[int, int],
    pixel_size_um: float,
    sample: Sample,
    rng: Optional[np.random.Generator] = None,
) -> np.ndarray:
    """Heights of the field at some places over its middle (n,), um of stage, with the spread where `rng` is given."""
    middle = (np.array(shape_yx) - 1) / 2
    offset_mm = (centres_yx_px - middle) * pixel_size_um / 1000
    heights = offset_mm @ np.array(sample.tilt_yx_um_per_mm) + sample.curvature_um_per_mm2 * (offset_mm**2).sum(axis=1)
    if rng is not None:
        heights = heights + sample.height_spread_um * rng.standard_normal(len(heights))
    return heights


def _free_place(
    kind: str,
    places: list[np.ndarray],
    shape_yx: tuple[int, int],
    diameter_px: float,
    distance: float,
    rng: np.random.Generator,
) -> list[np.ndarray]:
    """One bead, or the two of a pair, at least `distance` from all others."""
    taken = np.array(places).reshape(-1, 2)
    for _ in range(_ATTEMPTS):
        new = _candidate(kind, shape_yx, diameter_px, rng)
        apart = np.hypot(*np.moveaxis(new[:, None] - taken[None], -1, 0))
        inside = kind == "border" or _border_distance(new, shape_yx).min() >= distance / 2
        if inside and apart.min(initial=np.inf) >= distance:
            return list(new)
    raise ValueError(
        f"no place left for another {kind} in a field of {shape_yx[0]} x {shape_yx[1]} pixels after {len(taken)} beads"
        f" of {diameter_px:.0f} pixels: give fewer beads or a larger field"
    )


def _candidate(kind: str, shape_yx: tuple[int, int], diameter_px: float, rng: np.random.Generator) -> np.ndarray:
    """Centres of a bead, a pair in contact, or a bead that a random side of the border cuts (1 or 2, 2)."""
    size = np.array(shape_yx, float)
    centre = rng.uniform(-0.5, size - 0.5)
    if kind == "border":
        axis, far = rng.integers(2), rng.integers(2)
        inset = rng.uniform(-0.2, 0.45) * diameter_px - 0.5
        centre[axis] = size[axis] - 1 - inset if far else inset
    if kind == "pair":
        angle = rng.uniform(0, 2 * np.pi)
        step = diameter_px / 2 * np.array([np.sin(angle), np.cos(angle)])
        return np.stack([centre - step, centre + step])
    return centre[None]


def _border_distance(centres_yx_px: np.ndarray, shape_yx: tuple[int, int]) -> np.ndarray:
    """Distance of centres (n, 2) from the image's nearest border, pixels; negative outside."""
    low = centres_yx_px + 0.5
    high = np.array(shape_yx) - 0.5 - centres_yx_px
    return np.minimum(low, high).min(axis=1)
