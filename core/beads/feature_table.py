"""Features of many beads over the planes of a stack, read plane by plane."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Optional

import numpy as np

from parfocal.beads import refusal
from parfocal.beads.bead import Bead
from parfocal.beads.features import (
    BACKGROUND_DIAMETERS,
    CONTRASTS,
    NEIGHBOUR_REACH_DIAMETERS,
    BeadFeatures,
    bead_features,
)
from parfocal.beads.plane_input import camera_limit, checked_planes
from parfocal.beads.tracking import Track, movement


@dataclass(frozen=True)
class FeatureTable:
    """Features by bead and plane, NaN where excluded; positions whether measured or not.

    Attributes
    ----------
    steepest_slope_bz, centre_intensity_bz, background_bz, residual_bz : ndarray
        (bead, plane) float, as in `BeadFeatures`: relative to the background in bright field, counts in fluorescence.
    saturated_bz : ndarray
        (bead, plane) share of the bead's pixels at the camera's limit, 0 to 1.
    centres_bz_yx : ndarray
        (bead, plane, 2) centre (y, x), px: that which the plane determines, else the one expected from the planes
        before.
    reason_bz : ndarray of str
        (bead, plane) empty, or why the features are NaN: see `parfocal.beads.refusal`.
    reason_b : tuple of str
        For each bead empty, or `moved` (its features stand, but it should not be used) or `not_measured`.
    drift_yx_px_per_plane : ndarray
        (2,) straight drift common to the beads, px per plane; NaN where fewer than two planes determine it.
    """

    steepest_slope_bz: np.ndarray
    centre_intensity_bz: np.ndarray
    background_bz: np.ndarray
    residual_bz: np.ndarray
    saturated_bz: np.ndarray
    centres_bz_yx: np.ndarray
    reason_bz: np.ndarray
    reason_b: tuple[str, ...]
    drift_yx_px_per_plane: np.ndarray

    @property
    def usable_b(self) -> np.ndarray:
        """(bead,) bool: whether the bead can be used at all."""
        return np.array([reason == refusal.USED for reason in self.reason_b], dtype=bool)


def measure_beads(
    planes: Iterable[Any],
    beads: Sequence[Bead],
    pixel_size_um: float,
    contrast: str = "bright_field",
    saturation_level: Optional[float] = None,
    others: Sequence[Any] = (),
    black_level: float = 0.0,
) -> FeatureTable:
    """Measure the features of beads in every plane of a stack, one plane in memory at a time.

    Each bead is followed from plane to plane: a plane moves its centre as far as its pixels determine it, so that a
    slow drift is followed and a plane far out of focus keeps the centre of the planes before.

    Parameters
    ----------
    planes : iterable of array_like
        Planes (y, x) in the order of the stack; an array (z, y, x), also a memory-mapped one, is one.
    beads : sequence of Bead
        As found by `find_beads`; all of one diameter.
    pixel_size_um : float
        Size of a pixel, um.
    contrast : str
        `bright_field` or `fluorescence`.
    saturation_level : float, optional
        Count from which a pixel is saturated. Without it the largest value of an unsigned type, and the limits of
        cameras of 10, 12 and 14 bits where two pixels or more are at them.
    others : sequence
        What else was seen in the image, with `y_px` and `x_px` (refused beads): its pixels are left out.
    black_level : float
        Counts without light, as in `bead_features`.

    Raises
    ------
    ValueError
        Where a plane has another shape than the first, or an argument is out of range.
    """
    _check_arguments(beads, pixel_size_um, contrast)
    tracks = [Track(bead, pixel_size_um, near) for bead, near in zip(beads, _neighbours(beads, others, pixel_size_um))]
    columns = []
    for plane in checked_planes(planes):
        limit = camera_limit(plane) if saturation_level is None else float(saturation_level)
        columns.append([_measure(plane, track, contrast, limit, black_level) for track in tracks])
    return _table(columns, tracks)


def _check_arguments(beads: Sequence[Bead], pixel_size_um: float, contrast: str) -> None:
    if not 0 < pixel_size_um < float("inf"):
        raise ValueError(f"pixel_size_um must be above 0 um, got {pixel_size_um!r}")
    if contrast not in CONTRASTS:
        raise ValueError(f"contrast must be one of {', '.join(CONTRASTS)}, got {contrast!r}")
    for bead in beads:
        if not (np.isfinite(bead.y_px) and np.isfinite(bead.x_px) and 0 < bead.diameter_um < float("inf")):
            raise ValueError(f"beads must have a finite centre and a diameter above 0 um, got {bead!r}")
    diameters = {bead.diameter_um for bead in beads}
    if len(diameters) > 1:
        raise ValueError(f"beads must be of one diameter, got {sorted(diameters)} um")


def _neighbours(beads: Sequence[Bead], others: Sequence[Any], pixel_size_um: float) -> list[np.ndarray]:
    """For each bead the places (n, 2) of what may reach into its radial profile."""
    places = np.array([(thing.y_px, thing.x_px) for thing in (*beads, *others)], dtype=float).reshape(-1, 2)
    near = []
    for index, bead in enumerate(beads):
        distance = np.hypot(*(places - places[index]).T)
        reach_px = (BACKGROUND_DIAMETERS[1] + NEIGHBOUR_REACH_DIAMETERS) * bead.diameter_um / pixel_size_um
        near.append(places[(distance < reach_px) & (distance > 0)])
    return near


def _measure(
    plane_yx: np.ndarray, track: Track, contrast: str, limit: float, black_level: float
) -> tuple[BeadFeatures, tuple[float, float]]:
    """Features of one bead in one plane, and the centre they were measured about."""
    centre = track.follow(plane_yx)
    diameter_um, near = track.bead.diameter_um, track.neighbours_yx_px
    return bead_features(plane_yx, centre, diameter_um, track.pixel_size_um, contrast, limit, near, black_level), centre


def _table(columns: list[list[tuple]], tracks: Sequence[Track]) -> FeatureTable:
    """Turn features by plane and bead to arrays by bead and plane."""
    n_beads, n_planes = len(tracks), len(columns)
    cells = [[columns[z][b][0] for z in range(n_planes)] for b in range(n_beads)]

    def array(name: str, kind: Any = float) -> np.ndarray:
        values = [[getattr(cell, name) for cell in row] for row in cells]
        return np.array(values, dtype=kind).reshape(n_beads, n_planes)

    centres = np.array([[columns[z][b][1] for z in range(n_planes)] for b in range(n_beads)], dtype=float)
    centres = centres.reshape(n_beads, n_planes, 2)
    centre_intensity = array("centre_intensity")
    telling = np.array([track.telling() for track in tracks], dtype=bool).reshape(n_beads, n_planes)
    moved, drift = movement(centres, telling, tracks[0].diameter_px if tracks else 0.0)
    measured = np.isfinite(centre_intensity).any(axis=1)
    reasons = [
        refusal.NOT_MEASURED if not has else refusal.MOVED if moves else refusal.USED
        for has, moves in zip(measured, moved)
    ]
    return FeatureTable(
        steepest_slope_bz=array("steepest_slope_per_um"),
        centre_intensity_bz=centre_intensity,
        background_bz=array("background"),
        residual_bz=array("residual"),
        saturated_bz=array("saturated_share"),
        centres_bz_yx=centres,
        reason_bz=array("reason", "U16"),
        reason_b=tuple(reasons),
        drift_yx_px_per_plane=drift,
    )
