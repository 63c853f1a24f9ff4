"""Labelled crops from the bead simulator: varied beads, exposure, light, and neighbours, far beyond the range too."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Optional

import numpy as np

from parfocal.beads.distance.crops import LabelledCrops
from parfocal.beads.simulation import (
    A2K_LIKE,
    NIKON_LIKE,
    BeadAppearance,
    BrightFieldPreset,
    Light,
    simulate_bead_crops,
)
from parfocal.focus_quality.synthesis import Camera

MARGIN_PX = 5
# Training reaches this share of the half range beyond each end.
RIM_SHARE = 0.12
# So much light that its noise is 0.02 percent, in counts that leave room for a centre five times the background.
_CLEAN_LIGHT = Light(level_electrons=2.5e7)
_CLEAN_COUNTS = 10000.0
# Crops made at a time, which bounds the memory.
_PART = 2000
_CLEAN_CAMERA = Camera(gain=_CLEAN_COUNTS / 2.5e7, offset=0.0, read_noise=0.0, max_count=65535)


@dataclass(frozen=True)
class SimulatedOptics:
    """A preset of the simulator with the range that a network is made for.

    Parameters
    ----------
    preset : BrightFieldPreset
        Optics, bead, camera, crop.
    range_um : tuple of float
        Distances that the network answers for, um.
    far_range_um : tuple of float
        Distances that it is trained to tell as outside, um; wider.
    exposure_range : tuple of float
        Factors on the preset's light.
    diameters_um : tuple of float
        Smallest and largest bead, um (27 to 30 in the paper).
    """

    preset: BrightFieldPreset
    range_um: tuple[float, float]
    far_range_um: tuple[float, float]
    exposure_range: tuple[float, float] = (0.5, 1.6)
    diameters_um: tuple[float, float] = (27.0, 30.0)


OPTICS = {
    "a2k_like": SimulatedOptics(A2K_LIKE, (-307.5, 307.5), (-500.0, 500.0)),
    "nikon_like": SimulatedOptics(NIKON_LIKE, (-13.0, 13.0), (-60.0, 60.0)),
}


@dataclass(frozen=True)
class Variation:
    """What differs from field to field and from crop to crop besides the distance.

    Parameters
    ----------
    beads_per_field : int
        Crops that share distance, exposure, stray light and camera offset, as the beads of one image do.
    height_spread_um : float
        Standard deviation of the beads' own heights within a field, um.
    stray_share : float
        Largest stray light, as a share of the background.
    gradient : float
        Largest change of the light over a crop.
    neighbour_share : float
        Share of crops into which another bead looks.
    centre_jitter_px : float
        Largest error of the centre.
    """

    beads_per_field: int = 1
    height_spread_um: float = 0.0
    stray_share: float = 0.05
    gradient: float = 0.06
    neighbour_share: float = 0.2
    centre_jitter_px: float = 0.7


TRAINING = Variation()


def appearances(optics: SimulatedOptics, count: int, seed: int, far: bool = False) -> tuple[BeadAppearance, ...]:
    """Appearances of beads of several diameters: even over the range for seed 0, drawn from it for others."""
    low, high = optics.diameters_um
    diameters = np.linspace(low, high, count) if seed == 0 else np.random.default_rng(seed).uniform(low, high, count)
    changes = {"distance_range_um": _far_appearance_range(optics)} if far else {}
    return tuple(_appearance(optics.preset, float(diameter), **changes) for diameter in diameters)


def simulated_fields(
    optics: SimulatedOptics,
    looks: tuple[BeadAppearance, ...],
    field_distance_um: np.ndarray,
    rng: np.random.Generator,
    variation: Variation = TRAINING,
    margin_px: int = MARGIN_PX,
    exposure: Optional[np.ndarray] = None,
) -> LabelledCrops:
    """Simulate fields of beads at given distances; `stack_index` of the result is the field's number.

    Parameters
    ----------
    optics : SimulatedOptics
        Camera, light, pixel and crop.
    looks : tuple of BeadAppearance
        Each bead has one of these by chance.
    field_distance_um : ndarray
        Image plane minus reference focal plane of each field (fields,), um. A crop's label is its field's distance:
        a bead that lies higher is an error of the bead, as on a slide.
    rng : numpy Generator
        Source of all randomness.
    variation : Variation
        What else varies.
    margin_px : int
        Pixels on each side beyond the preset's crop.
    exposure : ndarray, optional
        Factor on the light of each field (fields,); drawn by default.
    """
    preset, beads = optics.preset, variation.beads_per_field
    size, n = preset.crop_px + 2 * margin_px, len(field_distance_um) * beads
    field = np.repeat(np.arange(len(field_distance_um)), beads)
    label = np.asarray(field_distance_um, float)[field]
    true = label - variation.height_spread_um * rng.standard_normal(n)
    clean = _clean_crops(looks, preset, size, true, rng, variation.centre_jitter_px)
    neighbours = np.flatnonzero(rng.random(n) < variation.neighbour_share)
    if len(neighbours):
        clean[neighbours] *= _neighbours(looks, preset, size, true[neighbours], rng)
    clean *= _gradients(n, size, variation.gradient, rng)
    low, high = np.log(optics.exposure_range)
    factor = np.exp(rng.uniform(low, high, len(field_distance_um))) if exposure is None else np.asarray(exposure)
    stray = rng.uniform(0, variation.stray_share, len(field_distance_um))
    level = preset.background_electrons * factor[field, None, None]
    counts = np.empty(clean.shape, np.uint8 if preset.camera.max_count <= 255 else np.uint16)
    for start in range(0, n, 256):
        part = slice(start, start + 256)
        electrons = level[part] * (clean[part] + stray[field[part], None, None])
        counts[part] = preset.camera.expose(electrons, rng)
    return LabelledCrops(counts, label, field, preset.optics.pixel_size_um, preset.bead_diameter_um)


def training_crops(optics: SimulatedOptics, n_crops: int, seed: int, n_diameters: int = 13) -> LabelledCrops:
    """Crops to train from: three quarters within the range and a little beyond, one quarter far outside.

    Every crop is a field of its own. Diameters are even over the spread.
    """
    rng = np.random.default_rng([seed, 30])
    looks = appearances(optics, n_diameters, 0, far=True)
    low, high = optics.range_um
    rim = RIM_SHARE * (high - low) / 2
    distance = rng.uniform(low - rim, high + rim, n_crops)
    far = rng.random(n_crops) < 0.25
    distance[far] = rng.uniform(*optics.far_range_um, int(far.sum()))
    parts = np.split(distance, range(_PART, n_crops, _PART))
    made = [simulated_fields(optics, looks, part, rng) for part in parts]
    crops = np.concatenate([part.crops_nyx for part in made])
    return replace(made[0], crops_nyx=crops, distance_um=distance, stack_index=np.arange(n_crops))


def _far_appearance_range(optics: SimulatedOptics) -> tuple[float, float]:
    """Distances from the bead's centre that cover the far range whatever the diameter."""
    middle = sum(optics.preset.distance_range_um) / 2
    return (optics.far_range_um[0] + middle - 15.0, optics.far_range_um[1] + middle + 15.0)


@lru_cache(maxsize=64)
def _appearance(preset: BrightFieldPreset, diameter: float, **changes: tuple[float, float]) -> BeadAppearance:
    return preset.appearance(bead_diameter_um=diameter, **changes)


def _clean_crops(
    looks: tuple[BeadAppearance, ...],
    preset: BrightFieldPreset,
    size: int,
    distance: np.ndarray,
    rng: np.random.Generator,
    jitter: float,
) -> np.ndarray:
    """Relative intensity of crops (n, y, x), background 1, float32."""
    pixel = preset.optics.pixel_size_um
    made = simulate_bead_crops(
        looks, pixel, size, distance, rng, centre_jitter_px=jitter, light=_CLEAN_LIGHT, camera=_CLEAN_CAMERA
    )
    return made.crops_nyx.astype(np.float32) / np.float32(_CLEAN_COUNTS)


def _neighbours(
    looks: tuple[BeadAppearance, ...],
    preset: BrightFieldPreset,
    size: int,
    distance: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Factor (n, y, x) of a second bead at the same distance, 1.2 to 2.5 diameters from the middle."""
    wide = size + 2 * int(np.ceil(2.5 * preset.bead_diameter_um / preset.optics.pixel_size_um))
    clean = _clean_crops(looks, preset, wide, distance, rng, 0.0)
    diameter_px = preset.bead_diameter_um / preset.optics.pixel_size_um
    away, angle = rng.uniform(1.2, 2.5, len(distance)) * diameter_px, rng.uniform(0, 2 * np.pi, len(distance))
    corner = np.rint((wide - size) / 2 + np.stack([away * np.sin(angle), away * np.cos(angle)], axis=1)).astype(int)
    return np.stack([one[y : y + size, x : x + size] for one, (y, x) in zip(clean, corner)])


def _gradients(n: int, size: int, largest: float, rng: np.random.Generator) -> np.ndarray:
    line = np.linspace(-0.5, 0.5, size, dtype=np.float32)
    slope = rng.uniform(-largest, largest, (n, 2)).astype(np.float32)
    return 1 + slope[:, :1, None] * line[None, :, None] + slope[:, 1:, None] * line[None, None, :]
