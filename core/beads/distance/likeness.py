"""Does a crop look like a trained bead at the distance that was read off it? Radial profiles against known ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from parfocal.beads.distance.crops import LabelledCrops, middle
from parfocal.beads.distance.normalise import frame

_RINGS = 24
_BANK = 8000
_CONTRAST = (0.93, 1.07)
_CHUNK = 512


@dataclass(frozen=True, eq=False)
class KnownProfiles:
    """Radial profiles of training crops at known distances.

    Parameters
    ----------
    profiles : ndarray
        (m, rings), float32, background 1.
    distance_um : ndarray
        (m,), um.
    """

    profiles: np.ndarray
    distance_um: np.ndarray

    def unlikeness(self, profiles: np.ndarray, distance_um: np.ndarray, tolerance_um: float) -> np.ndarray:
        """Difference of each radial profile (n,) from the nearest known one within `tolerance_um` of its distance.

        Root mean square over the rings, in units of the background; infinite where nothing is known at the distance.
        A known profile may be made up to 7 percent stronger or weaker first: stray light does that.
        """
        found, known = profiles - 1, self.profiles - 1
        nearest = np.empty(len(found), np.float32)
        squares = np.maximum((known**2).mean(axis=1), np.float32(1e-9))
        for start in range(0, len(found), _CHUNK):
            part = slice(start, start + _CHUNK)
            cross = found[part] @ known.T / found.shape[1]
            factor = np.clip(cross / squares, *_CONTRAST)
            apart = (found[part] ** 2).mean(axis=1)[:, None] - 2 * factor * cross + factor**2 * squares
            far = np.abs(np.asarray(distance_um)[part, None] - self.distance_um) > tolerance_um
            apart[far] = np.inf
            nearest[part] = np.sqrt(np.maximum(apart.min(axis=1), 0))
        return nearest

    def write(self, path: Path) -> None:
        """Write an .npz."""
        np.savez_compressed(
            path, profiles=self.profiles.astype(np.float16), distance_um=self.distance_um.astype(np.float32)
        )

    @classmethod
    def read(cls, path: Path) -> KnownProfiles:
        """Read what `write` wrote."""
        with np.load(path, allow_pickle=False) as held:
            return cls(held["profiles"].astype(np.float32), held["distance_um"])


def known_profiles(crops: LabelledCrops, crop_px: int, limits_um: tuple[float, float], seed: int) -> KnownProfiles:
    """Take up to 8000 of the crops whose distance lies within the limits."""
    inside = np.flatnonzero((crops.distance_um >= limits_um[0]) & (crops.distance_um <= limits_um[1]))
    chosen = np.sort(np.random.default_rng([seed, 50]).permutation(inside)[:_BANK])
    profiles = radial_profiles(middle(crops.crops_nyx[chosen], crop_px))
    return KnownProfiles(profiles, crops.distance_um[chosen].astype(np.float32))


def radial_profiles(crops_nyx: np.ndarray) -> np.ndarray:
    """Mean of the middle half of the values of each of 24 rings around the crop's middle (n, rings), float32.

    In units of the same over a frame of a sixteenth of the crop's width, its background. A neighbour or a speck that
    covers less than a quarter of a ring counts little; unlike a median it is not bound to whole counts.
    """
    crops = np.asarray(crops_nyx, np.float32)
    size = crops.shape[1]
    y, x = np.indices((size, size)) - (size - 1) / 2
    ring = np.minimum(np.hypot(y, x) / (size / 2) * _RINGS, _RINGS).astype(int)
    rings = np.stack([_middle_half(crops[:, ring == i]) for i in range(_RINGS)], axis=1)
    around = _middle_half(crops[:, frame(size)])
    return rings / np.maximum(around, np.float32(1e-6))[:, None]


def _middle_half(values: np.ndarray) -> np.ndarray:
    """Mean (n,) of the middle half of the sorted values (n, m)."""
    spare = values.shape[1] // 4
    return np.sort(values, axis=1)[:, spare : values.shape[1] - spare].mean(axis=1)
