"""Whole simulated bead stacks: many beads, a camera, an imperfect stage, and all truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Optional, Union

import numpy as np

from parfocal.beads.simulation.appearance import BeadAppearance, pixel_profiles
from parfocal.beads.simulation.layout import Layout, bead_heights_um, given_beads, place_beads
from parfocal.beads.simulation.reference import reference_offset_um
from parfocal.beads.simulation.scene import BeadScene
from parfocal.beads.simulation.settings import BARE_SAMPLE, EVEN_LIGHT, PLAIN_CAMERA, STEADY_STAGE, Light, Sample, Stage
from parfocal.beads.simulation.surroundings import Cells, dust_transmission, uneven_light
from parfocal.focus_quality.synthesis import Camera

Appearances = Union[BeadAppearance, Sequence[BeadAppearance]]


@dataclass(frozen=True, eq=False)
class SimulatedBeadStack:
    """A simulated stack and the scene it shows.

    Parameters
    ----------
    stack_zyx : ndarray
        Counts, uint8 for cameras of up to 8 bits, else uint16.
    scene : BeadScene
        Everything that is true of it.
    """

    stack_zyx: np.ndarray
    scene: BeadScene

    @property
    def z_um(self) -> np.ndarray:
        """Reported positions (z,), um."""
        return self.scene.z_um

    @property
    def centres_yx_px(self) -> np.ndarray:
        """Bead centres in the first plane (n, 2), pixels."""
        return self.scene.centres_yx_px

    @property
    def bead_z_um(self) -> np.ndarray:
        """Positions at which the image plane passes through the beads' centres (n,), um."""
        return self.scene.bead_z_um

    @property
    def reference_focal_plane_um(self) -> float:
        """Position of the reference focal plane in the middle of the field, um."""
        return self.scene.reference_focal_plane_um


def simulate_bead_stack(
    appearance: Appearances,
    pixel_size_um: float,
    shape_yx: tuple[int, int],
    z_um: np.ndarray,
    rng: np.random.Generator,
    **settings: Any,
) -> SimulatedBeadStack:
    """Simulate a z-stack of beads with known reference focal plane.

    Parameters
    ----------
    appearance, pixel_size_um, shape_yx, z_um, rng
        See `plan_bead_scene`, which gives the same planes one by one.
    settings
        `n_beads`, `centres_yx_px`, `reference_focal_plane_um`, `sample`, `stage`, `light`, `camera` of that function.

    Returns
    -------
    SimulatedBeadStack
        The stack with its truth; the same `rng` state gives the same stack.

    Raises
    ------
    ValueError
        As `plan_bead_scene`.
    """
    scene = plan_bead_scene(appearance, pixel_size_um, shape_yx, z_um, rng, **settings)
    return SimulatedBeadStack(np.stack(list(scene.planes(rng))), scene)


def plan_bead_scene(
    appearance: Appearances,
    pixel_size_um: float,
    shape_yx: tuple[int, int],
    z_um: np.ndarray,
    rng: np.random.Generator,
    *,
    n_beads: int = 6,
    centres_yx_px: Optional[np.ndarray] = None,
    reference_focal_plane_um: Optional[float] = None,
    sample: Sample = BARE_SAMPLE,
    stage: Stage = STEADY_STAGE,
    light: Light = EVEN_LIGHT,
    camera: Camera = PLAIN_CAMERA,
) -> BeadScene:
    """Decide all that is true of a stack before its planes are made.

    Parameters
    ----------
    appearance : BeadAppearance or sequence of them
        What a bead looks like; of several, each bead gets one by chance (a spread of diameters).
    pixel_size_um : float
        Pixel size in the sample plane, um.
    shape_yx : tuple of int
        Size of a plane, pixels.
    z_um : ndarray
        Reported positions of the planes (z,), um, in any order.
    rng : numpy Generator
        Source of all randomness.
    n_beads : int
        Number of isolated beads; not used with `centres_yx_px`.
    centres_yx_px : ndarray, optional
        Centres of all beads (n, 2), pixels, instead of random ones.
    reference_focal_plane_um : float, optional
        Where the reference focal plane lies; by default in the middle of `z_um`.
    sample, stage, light, camera
        See `Sample`, `Stage`, `Light` and `Camera`.

    Returns
    -------
    BeadScene
        Truth, and planes on demand.

    Raises
    ------
    ValueError
        Where beads do not fit, the appearance does not reach as far as the planes, or bright field and fluorescence are
        mixed.
    """
    looks = as_appearances(appearance)
    z = np.array(z_um, float)
    if z.ndim != 1 or not len(z) or not np.isfinite(z).all():
        raise ValueError(f"z_um must be a line of finite positions, got shape {z.shape}")
    if sample.cells and not looks[0].is_bright_field:
        raise ValueError(f"cells are simulated in bright field only: give cells=0 in fluorescence, got {sample.cells}")
    if reference_focal_plane_um is None:
        reference_focal_plane_um = float(z.min() + z.max()) / 2
    layout = _layout(looks, pixel_size_um, shape_yx, n_beads, centres_yx_px, sample, rng)
    index = rng.integers(len(looks), size=len(layout.centres_yx_px))
    offsets = np.array([reference_offset_um(look, pixel_size_um) for look in looks])
    bead_plane = reference_focal_plane_um - float(offsets.mean())
    bead_z = bead_plane + bead_heights_um(layout.centres_yx_px, shape_yx, pixel_size_um, sample, rng)
    true_z = z + stage.z_jitter_um * rng.standard_normal(len(z))
    profiles = tuple(pixel_profiles(look, pixel_size_um) for look in looks)
    for which, height in zip(index, bead_z):
        profiles[which].check_range(np.array([true_z.min(), true_z.max()]) - height)
    return BeadScene(
        z_um=z,
        true_z_um=true_z,
        centres_yx_px=layout.centres_yx_px,
        drift_yx_px=np.outer(np.arange(len(z)), stage.drift_yx_px_per_plane),
        bead_z_um=bead_z,
        bead_reference_z_um=bead_z + offsets[index],
        reference_focal_plane_um=reference_focal_plane_um,
        bead_plane_um=bead_plane,
        appearance_index=index,
        touching=layout.touching,
        at_border=layout.at_border,
        profiles=profiles,
        shape_yx=(int(shape_yx[0]), int(shape_yx[1])),
        sample=sample,
        stage=stage,
        light=light,
        camera=camera,
        fixed_yx=uneven_light(shape_yx, light) * dust_transmission(shape_yx, sample.dust, rng),
        cells=Cells(sample, shape_yx, pixel_size_um, looks[0], rng) if sample.cells else None,
    )


def _layout(
    looks: tuple[BeadAppearance, ...],
    pixel_size_um: float,
    shape_yx: tuple[int, int],
    n_beads: int,
    centres_yx_px: Optional[np.ndarray],
    sample: Sample,
    rng: np.random.Generator,
) -> Layout:
    diameter_px = max(look.bead_diameter_um for look in looks) / pixel_size_um
    if centres_yx_px is None:
        return place_beads(shape_yx, diameter_px, n_beads, sample, rng)
    return given_beads(centres_yx_px, shape_yx, diameter_px)


def as_appearances(appearance: Appearances) -> tuple[BeadAppearance, ...]:
    """Give one appearance or several as a tuple; ValueError where bright field and fluorescence are mixed."""
    looks = (appearance,) if isinstance(appearance, BeadAppearance) else tuple(appearance)
    if not looks or len({look.is_bright_field for look in looks}) > 1:
        raise ValueError("appearance must be one or several, all in bright field or all in fluorescence")
    return looks
