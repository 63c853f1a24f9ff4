"""Simulated stacks of beads for the tests of MeasureBeadFocalPlane, and the module."""

from functools import lru_cache

import numpy as np

from parfocal.beads.simulation import A2K_LIKE, simulate_bead_stack
from parfocal.cp_plugins.measurebeadfocalplane import MeasureBeadFocalPlane

PIXEL_UM, DIAMETER_UM, STEP_UM = 1.5, 28.5, 10.0
SHAPE = (220, 220)
Z_UM = STEP_UM * np.arange(15)
REFP_UM = 63.0
CENTRES = np.array([[55.2, 50.4], [60.7, 165.1], [160.3, 58.8], [165.5, 170.6]])
DISTANCES_UM = (60.0, -150.0)
OPTICS = {"pixel_size_um": PIXEL_UM, "bead_diameter_um": DIAMETER_UM}


@lru_cache
def bright_field():
    """Four beads, 8 bit, REFP between the planes 6 and 7."""
    return simulate_bead_stack(
        A2K_LIKE.appearance(distance_range_um=(-120.0, 120.0)),
        PIXEL_UM,
        SHAPE,
        Z_UM,
        np.random.default_rng(0),
        centres_yx_px=CENTRES,
        camera=A2K_LIKE.camera,
        reference_focal_plane_um=REFP_UM,
    ).stack_zyx


@lru_cache
def single_planes():
    """Eight beads at each of `DISTANCES_UM` from the REFP, 8 bit."""
    return simulate_bead_stack(
        A2K_LIKE.appearance(),
        PIXEL_UM,
        (500, 500),
        np.array(DISTANCES_UM),
        np.random.default_rng(4),
        n_beads=8,
        camera=A2K_LIKE.camera,
        reference_focal_plane_um=0.0,
    ).stack_zyx


def make(**values):
    """Make the module for the image Stack, with settings by name."""
    module = MeasureBeadFocalPlane()
    module.set_module_num(1)
    given = {"image_name": "Stack", "z_step_um": STEP_UM, **OPTICS, **values}
    for name, value in given.items():
        getattr(module, name).value = value
    return module


def blank(planes=5):
    """Nothing but one count."""
    return np.full((planes, *SHAPE), 100, np.uint8)


def fluorescent():
    """Two spots whose light spreads away from the plane at 4.3 um, 16 bit; planes 1 um apart."""
    z = np.arange(11.0)[:, None, None] - 4.3
    y, x = np.mgrid[:96.0, :128.0]
    width = 3.0 * np.sqrt(1 + (z / 2.0) ** 2)
    light = sum(np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * width**2)) for cy, cx in ((45.3, 40.2), (48.6, 90.7)))
    noise = np.random.default_rng(1).normal(0, 3, light.shape)
    return np.rint(200 + 4000 * light * (3.0 / width) ** 2 + noise).astype(np.uint16)
