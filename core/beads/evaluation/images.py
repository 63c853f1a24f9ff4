"""Distance of whole simulated images of beads: found, cut out and read, as a user's image is."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from parfocal.beads.detect import find_beads
from parfocal.beads.distance.evaluation import GOAL_RANGES_UM, WITHIN_UM
from parfocal.beads.distance.plane import plane_distance
from parfocal.beads.distance.scenes import TEST_SEED
from parfocal.beads.distance.simulated import OPTICS, SimulatedOptics, appearances
from parfocal.beads.simulation import Light, Sample, SimulatedBeadStack, simulate_bead_stack

if TYPE_CHECKING:
    import pandas as pd

# What lies beside the beads, and how uneven the light is.
SCENES: dict[str, tuple[Sample, dict[str, Any]]] = {
    "beads alone": (Sample(minimum_distance_diameters=3.0), {}),
    "cells, dust, uneven light": (
        Sample(minimum_distance_diameters=3.0, cells=20, dust=10, touching_pairs=1),
        {"vignetting": 0.2, "gradient_yx": (0.1, -0.1), "stray_electrons": 200.0},
    ),
}
_BEADS, _DIAMETERS, _FIELD_UM = 8, 6, 800.0
# A bead counts as found within this share of its diameter.
_NEAR = 0.3


def run_images(name: str, n_images: int, seed: int = TEST_SEED) -> Iterator[dict[str, Any]]:
    """Simulate images of 8 beads at distances spread evenly over the goal's range, and let the model read them.

    Parameters
    ----------
    name : str
        Shipped model, and the optics that it was trained for.
    n_images : int
        Images of each kind of scene.
    seed : int
        Of everything random.

    Yields
    ------
    dict
        Scene, true distance, beads found, things taken for beads, status, error, whether the interval holds the truth.
    """
    optics = OPTICS[name]
    looks = appearances(optics, _DIAMETERS, seed)
    edges = np.linspace(*GOAL_RANGES_UM[name], n_images + 1)
    for scene in SCENES:
        for number in range(n_images):
            rng = np.random.default_rng([seed, 80, list(SCENES).index(scene), number])
            made = _image(optics, looks, scene, rng.uniform(edges[number], edges[number + 1]), rng)
            yield {"scene": scene, **_read(name, optics, made)}


def _image(
    optics: SimulatedOptics, looks: tuple[Any, ...], scene: str, z_um: float, rng: np.random.Generator
) -> SimulatedBeadStack:
    """One plane at a z, the reference focal plane being near 0."""
    preset, (sample, light) = optics.preset, SCENES[scene]
    pixel = preset.optics.pixel_size_um
    return simulate_bead_stack(
        looks,
        pixel,
        (round(_FIELD_UM / pixel),) * 2,
        np.array([z_um]),
        rng,
        n_beads=_BEADS,
        reference_focal_plane_um=0.0,
        sample=sample,
        light=Light(level_electrons=preset.background_electrons, **light),
        camera=preset.camera,
    )


def _read(model: str, optics: SimulatedOptics, made: SimulatedBeadStack) -> dict[str, Any]:
    preset, plane = optics.preset, made.stack_zyx[0]
    pixel, diameter = preset.optics.pixel_size_um, preset.bead_diameter_um
    # What can be asked for is the plane of the beads in the picture: each focuses at its own place by its diameter.
    truth = float(made.z_um[0] - np.mean(made.scene.bead_reference_z_um))
    beads = find_beads(plane, diameter, pixel).beads
    centres = np.array([(bead.y_px, bead.x_px) for bead in beads]).reshape(-1, 2)
    apart = np.hypot(*np.moveaxis(centres[:, None] - made.centres_yx_px[None, :_BEADS], -1, 0))
    near = apart < _NEAR * diameter / pixel
    found = plane_distance(plane, centres, pixel, diameter, model)
    low, high = found.interval_um
    return {
        "distance_um": truth,
        "found": int(near.any(axis=0).sum()),
        "false": int((~near.any(axis=1)).sum()),
        "used": found.n_beads,
        "status": found.status,
        "reason": found.reason,
        "error_um": found.distance_um - truth,
        "covered": bool(low <= truth <= high) if found.answered else None,
    }


def summarise_images(rows: pd.DataFrame, range_um: tuple[float, float], bins: int = 4) -> pd.DataFrame:
    """Figures by scene, over the whole range and in even parts of it."""
    import pandas as pd

    edges = np.linspace(*range_um, bins + 1)
    parts = []
    for scene, own in rows.groupby("scene", sort=False):
        parts.append({"scene": scene, "distance um": "all", **_summary(own)})
        for low, high in zip(edges, edges[1:]):
            mine = own[(own["distance_um"] >= low) & (own["distance_um"] < high)]
            parts.append({"scene": scene, "distance um": f"{low:g} to {high:g}", **_summary(mine)})
    return pd.DataFrame(parts)


def _summary(rows: pd.DataFrame) -> dict[str, float]:
    told = rows[rows["status"] == "ok"]
    error = told["error_um"].abs()
    return {
        "images": len(rows),
        "beads found": float(rows["found"].mean() / _BEADS),
        "taken for beads": float(rows["false"].mean()),
        "answered": len(told) / len(rows) if len(rows) else math.nan,
        "within 10 um": float((error <= WITHIN_UM).mean()),
        "median error um": float(error.median()),
        "largest error um": float(error.max()),
        "in 95 % interval": float(told["covered"].astype(float).mean()),
    }
