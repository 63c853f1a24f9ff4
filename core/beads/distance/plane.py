"""Signed distance of single planes from the reference focal plane, read off the beads that were found in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from parfocal import status
from parfocal.beads import refusal
from parfocal.beads.crops import whole_crops
from parfocal.beads.distance.predict import TASK, ModelName, signed_distance
from parfocal.beads.distance.result import DistanceEstimate
from parfocal.beads.distance.scale import needed_px
from parfocal.registry import load_model


def plane_distance(
    plane_yx: Any, centres_yx_px: Any, pixel_size_um: float, bead_diameter_um: float, model: ModelName
) -> DistanceEstimate:
    """Tell how far, and to which side, a plane lies from the reference focal plane.

    Parameters
    ----------
    plane_yx : array_like
        Counts (y, x).
    centres_yx_px : array_like
        (bead, 2) centres of the beads, px. Beads whose crop the border cuts take no part.
    pixel_size_um, bead_diameter_um : float
        Pixel size in the sample plane, nominal diameter of the beads, um.
    model : str or path
        Name of a shipped model, or a model folder.

    Returns
    -------
    DistanceEstimate
        `bead_distance_um` and `bead_status` are in the order of the centres; a bead at the border is `border`.

    Raises
    ------
    ModelError
        Where there is no such model.
    """
    config = load_model(model, TASK).config
    centres = np.reshape(np.asarray(centres_yx_px, float), (-1, 2))
    size = needed_px(pixel_size_um, config["pixel_size_um"], config["crop_px"])
    crops, inside = whole_crops(np.asarray(plane_yx), centres, size)
    found = signed_distance(crops, pixel_size_um, bead_diameter_um, model)
    distance = np.full(len(centres), np.nan)
    distance[inside] = found.bead_distance_um
    names = np.full(len(centres), refusal.BORDER, dtype=object)
    names[inside] = found.bead_status or found.status
    whole = replace(
        found, n_refused=len(centres) - found.n_beads, bead_distance_um=distance, bead_status=tuple(map(str, names))
    )
    if found.status == status.NO_CONTENT and len(centres):
        return replace(whole, reason=f"the border cuts the crops of {size} px about all {len(centres)} beads")
    return whole


def stack_distances(
    planes: Sequence[Any], centres_bz_yx: np.ndarray, sizes_um: tuple[float, float], model: ModelName
) -> tuple[DistanceEstimate, ...]:
    """Tell the distance of each plane of a stack.

    Parameters
    ----------
    planes : sequence of ndarray
        (y, x), read once.
    centres_bz_yx : ndarray
        (bead, plane, 2) centres, px.
    sizes_um : tuple of float
        Pixel size and nominal diameter of the beads, um.
    model : str or path
    """
    return tuple(plane_distance(plane, centres_bz_yx[:, z], *sizes_um, model) for z, plane in enumerate(planes))
