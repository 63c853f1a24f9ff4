"""Simulated test crops: other beads, exposures and seeds than those of training, and what is no bead."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from parfocal.beads.distance.crops import LabelledCrops
from parfocal.beads.distance.simulated import OPTICS, SimulatedOptics, Variation, appearances, simulated_fields
from parfocal.beads.simulation import Light, Sample, SimulatedBeadStack, simulate_bead_stack

TEST_SEED = 777
_DIAMETERS = 6


def changed_optics(name: str, **changes: Any) -> SimulatedOptics:
    """One of the trained optics with some of it changed.

    `bead_diameter_um`, `condenser_numerical_aperture`, `bead_index` and `medium_index` of the preset, and
    `numerical_aperture` of the objective; a diameter replaces the whole spread.
    """
    optics = OPTICS[name]
    preset = optics.preset
    if "numerical_aperture" in changes:
        changes["optics"] = replace(preset.optics, numerical_aperture=changes.pop("numerical_aperture"))
    if "bead_diameter_um" in changes:
        optics = replace(optics, diameters_um=(changes["bead_diameter_um"],) * 2)
    return replace(optics, preset=replace(preset, **changes))


def made_fields(
    optics: SimulatedOptics,
    range_um: tuple[float, float],
    n_fields: int,
    n_beads: int,
    seed: int = TEST_SEED,
    far: bool = False,
) -> LabelledCrops:
    """Fields of beads of randomly drawn diameters, each in its own even part of a range of distances."""
    rng = np.random.default_rng([seed, 70])
    low, high = optics.diameters_um
    looks = appearances(optics, _DIAMETERS if high > low else 1, seed, far)
    edges = np.linspace(*range_um, n_fields + 1)
    distance = rng.uniform(edges[:-1], edges[1:])
    return simulated_fields(optics, looks, distance, rng, Variation(n_beads), margin_px=0)


def outside_scenes(name: str, n: int = 200, seed: int = TEST_SEED) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Crops (n, y, x) unlike those trained from, by what they show, each with its true distances, NaN for no bead."""
    optics = OPTICS[name]
    (low, high), (far_low, far_high) = optics.range_um, optics.far_range_um
    reach = (high - low) / 2
    nothing = np.full(n, np.nan)
    made = {
        "far above": made_fields(optics, (high + 0.2 * reach, far_high), n, 1, seed, far=True),
        "far below": made_fields(optics, (far_low, low - 0.2 * reach), n, 1, seed, far=True),
        "saturated background": made_fields(_over_exposed(optics), optics.range_um, n, 1, seed),
    }
    for diameter in (20.0, 25.0, 32.0, 35.0):
        other = changed_optics(name, bead_diameter_um=diameter)
        made[f"beads of {diameter:g} um"] = made_fields(other, optics.range_um, n, 1, seed)
    return {
        "empty": (_empty(optics, n, seed), nothing),
        "cells and dust": (_cells(optics, n, seed), nothing),
        "touching beads": _touching(optics, n, seed),
        **{what: (crops.crops_nyx, crops.distance_um) for what, crops in made.items()},
    }


def _empty(optics: SimulatedOptics, n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng([seed, 71])
    preset, size = optics.preset, optics.preset.crop_px
    line = np.linspace(-0.5, 0.5, size)
    slope = rng.uniform(-0.06, 0.06, (n, 2))
    even = 1 + slope[:, :1, None] * line[None, :, None] + slope[:, 1:, None] * line[None, None, :]
    light = preset.background_electrons * _exposures(optics, n, rng)
    return preset.camera.expose(even * light[:, None, None], rng)


def _exposures(optics: SimulatedOptics, n: int, rng: np.random.Generator) -> np.ndarray:
    low, high = optics.exposure_range
    return np.exp(rng.uniform(np.log(low), np.log(high), n))


def _over_exposed(optics: SimulatedOptics) -> SimulatedOptics:
    """So much light that the background reaches the camera's limit."""
    camera = optics.preset.camera
    factor = 1.05 * camera.max_count / (camera.gain * optics.preset.background_electrons)
    return replace(optics, exposure_range=(factor, 1.5 * factor))


def _planes(optics: SimulatedOptics, sample: Sample, seed: int) -> SimulatedBeadStack:
    """Eight planes over the range, with the reference focal plane at 0."""
    rng = np.random.default_rng([seed, 72])
    preset = optics.preset
    looks, pixel = appearances(optics, 1, seed, far=True), preset.optics.pixel_size_um
    settings = {"n_beads": 0, "reference_focal_plane_um": 0.0, "sample": sample, "camera": preset.camera}
    light = Light(level_electrons=preset.background_electrons)
    shape, z_um = (12 * preset.crop_px,) * 2, np.linspace(*optics.range_um, 8)
    return simulate_bead_stack(looks[0], pixel, shape, z_um, rng, light=light, **settings)


def _cells(optics: SimulatedOptics, n: int, seed: int) -> np.ndarray:
    """Crops about the darkest places of planes with cells and dust: what a detector may take for a bead."""
    from scipy.ndimage import gaussian_filter

    planes = _planes(optics, Sample(cells=400, dust=300), seed).stack_zyx
    size, wanted, cut = optics.preset.crop_px, -(-n // len(planes)), []
    for plane in planes:
        smooth = gaussian_filter(plane.astype(np.float32), 2.0)[size:-size, size:-size]
        for _ in range(wanted):
            y, x = np.unravel_index(int(np.argmin(smooth)), smooth.shape)
            cut.append(_window(plane, (y + size, x + size), size))
            smooth[max(0, y - size // 3) : y + size // 3, max(0, x - size // 3) : x + size // 3] = np.inf
    return np.stack(cut[:n])


def _touching(optics: SimulatedOptics, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Crops about beads that touch another, and their distances."""
    made = _planes(optics, Sample(touching_pairs=12, minimum_distance_diameters=2.5), seed)
    size, centres = optics.preset.crop_px, made.scene.centres_yx_px
    inside = centres[((centres > size) & (centres < made.stack_zyx.shape[1] - size)).all(axis=1)]
    chosen = [(plane, z, at) for plane, z in zip(made.stack_zyx, made.z_um) for at in np.rint(inside).astype(int)][:n]
    return np.stack([_window(plane, at, size) for plane, _, at in chosen]), np.array([z for _, z, _ in chosen])


def _window(plane: np.ndarray, centre_yx: Any, size: int) -> np.ndarray:
    y, x = (int(at) - size // 2 for at in centre_yx)
    return plane[y : y + size, x : x + size]
