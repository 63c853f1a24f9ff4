"""Small simulated bead stacks as files, for tests of the command line."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import tifffile

from parfocal.beads.simulation import A2K_LIKE, simulate_bead_stack

PIXEL_UM, DIAMETER_UM, STEP_UM = A2K_LIKE.optics.pixel_size_um, A2K_LIKE.bead_diameter_um, 10.0
Z_UM = np.arange(-100.0, 101.0, STEP_UM)
CENTRES_YX_PX = np.array([(80.0, 90.0), (75.0, 215.0), (210.0, 85.0), (220.0, 225.0)])
KNOWN = ["--pixel-size-um", str(PIXEL_UM), "--bead-diameter-um", str(DIAMETER_UM)]


@lru_cache(maxsize=1)
def _appearance():
    return A2K_LIKE.appearance(distance_range_um=(-150.0, 190.0), distance_step_um=5.0)


@lru_cache(maxsize=4)
def bead_stack(seed=0, reference_um=3.0):
    """Stack (21, 300, 300) of four beads, whose reference focal plane is known."""
    return simulate_bead_stack(
        _appearance(),
        PIXEL_UM,
        (300, 300),
        Z_UM,
        np.random.default_rng(seed),
        centres_yx_px=CENTRES_YX_PX,
        reference_focal_plane_um=reference_um,
        camera=A2K_LIKE.camera,
    ).stack_zyx


def write_stack(path, stack, **about):
    tifffile.imwrite(path, stack, metadata=about or None, photometric="minisblack")
    return path


def write_planes(folder, stack, first=1):
    """One file for each plane, numbered without leading zeros."""
    folder.mkdir()
    for number, plane in enumerate(stack, first):
        tifffile.imwrite(folder / f"z_{number}.tif", plane)
    return folder


def write_positions(path, z_um, **columns):
    names = ["z_um", *columns]
    rows = [",".join(map(str, row)) for row in zip(z_um, *columns.values())]
    path.write_text("\n".join([",".join(names), *rows]) + "\n")
    return path
