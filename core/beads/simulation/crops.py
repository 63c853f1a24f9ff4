"""Crops of single beads at known distance from the reference focal plane, for training a network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from parfocal.beads.simulation.appearance import PixelProfiles, pixel_profiles
from parfocal.beads.simulation.reference import reference_offset_um
from parfocal.beads.simulation.settings import EVEN_LIGHT, PLAIN_CAMERA, Light
from parfocal.beads.simulation.stack import Appearances, as_appearances
from parfocal.focus_quality.synthesis import Camera

_CHUNK = 256


@dataclass(frozen=True, eq=False)
class BeadCrops:
    """Crops with one bead each, and what is true of them.

    Parameters
    ----------
    crops_nyx : ndarray
        Counts (n, y, x), uint8 for cameras of up to 8 bits, else uint16.
    distance_um : ndarray
        Image plane minus the bead's reference focal plane (n,), um, positive above.
    centres_yx_px : ndarray
        Bead centres in the crop (n, 2), pixels.
    exposure : ndarray
        Factor on the light of each crop (n,).
    appearance_index : ndarray
        Which appearance each bead has (n,).
    """

    crops_nyx: np.ndarray
    distance_um: np.ndarray
    centres_yx_px: np.ndarray
    exposure: np.ndarray
    appearance_index: np.ndarray


def simulate_bead_crops(
    appearance: Appearances,
    pixel_size_um: float,
    size_px: int,
    distance_um: np.ndarray,
    rng: np.random.Generator,
    *,
    centre_jitter_px: float = 0.5,
    exposure_range: tuple[float, float] = (1.0, 1.0),
    light: Light = EVEN_LIGHT,
    camera: Camera = PLAIN_CAMERA,
) -> BeadCrops:
    """Simulate crops of single beads at given distances from their reference focal plane.

    Parameters
    ----------
    appearance : BeadAppearance or sequence of them
        What a bead looks like; of several, each crop gets one by chance.
    pixel_size_um : float
        Pixel size in the sample plane, um.
    size_px : int
        Width of a crop, pixels, 2 or more.
    distance_um : ndarray
        Image plane minus reference focal plane (n,), um, positive above.
    rng : numpy Generator
        Source of all randomness.
    centre_jitter_px : float
        Largest shift of the bead from the crop's middle along each axis, pixels; even between its negative and it.
    exposure_range : tuple of float
        Lowest and highest factor on the light, log-uniform between them.
    light : Light
        Level and stray light; vignetting and gradient are left out.
    camera : Camera
        Noise and bit depth.

    Returns
    -------
    BeadCrops
        The crops with their truth; the same `rng` state gives the same crops.

    Raises
    ------
    ValueError
        Where a value lies outside its range or the appearance does not reach as far as the distances.
    """
    looks = as_appearances(appearance)
    distance = np.array(distance_um, float).ravel()
    low, high = exposure_range
    if size_px < 2 or not 0 < low <= high or centre_jitter_px < 0:
        raise ValueError(
            "size_px must be 2 or more, exposure_range rising above 0 and centre_jitter_px 0 or more,"
            f" got {size_px}, {exposure_range}, {centre_jitter_px}"
        )
    n = len(distance)
    index = rng.integers(len(looks), size=n)
    centres = (size_px - 1) / 2 + rng.uniform(-centre_jitter_px, centre_jitter_px, (n, 2))
    exposure = np.exp(rng.uniform(np.log(low), np.log(high), n)) * light.exposure
    crops = np.empty((n, size_px, size_px), np.uint8 if camera.max_count <= 255 else np.uint16)
    for which, look in enumerate(looks):
        mine = np.flatnonzero(index == which)
        profiles, offset = pixel_profiles(look, pixel_size_um), reference_offset_um(look, pixel_size_um)
        for start in range(0, len(mine), _CHUNK):
            part = mine[start : start + _CHUNK]
            relative = _render(profiles, distance[part] + offset, centres[part], size_px)
            electrons = exposure[part, None, None] * (light.level_electrons * relative + light.stray_electrons)
            crops[part] = camera.expose(electrons, rng)
    return BeadCrops(crops, distance, centres, exposure, index)


def _render(profiles: PixelProfiles, distance: np.ndarray, centres: np.ndarray, size_px: int) -> np.ndarray:
    """Relative intensity of beads (n, y, x) by linear interpolation in the profiles of their distances."""
    table = profiles.at(distance).astype(np.float32)
    line = np.arange(size_px, dtype=np.float32)
    y, x = line - centres[:, :1].astype(np.float32), line - centres[:, 1:].astype(np.float32)
    position = np.sqrt(y[:, :, None] ** 2 + x[:, None, :] ** 2) * np.float32(1 / profiles.step_px)
    position = np.minimum(position, np.float32(table.shape[1] - 1.01))
    index = position.astype(np.int32)
    rest = position - index
    index += (np.arange(len(distance), dtype=np.int32) * table.shape[1])[:, None, None]
    flat = table.ravel()
    below = flat[index]
    return below + (flat[index + 1] - below) * rest
