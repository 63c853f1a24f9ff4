"""Crops around beads, cut from the planes of a stack in one pass."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


def cut_crops(planes: Iterable[np.ndarray], centres_yx_px: np.ndarray, size_px: int) -> np.ndarray:
    """Cut a square around each bead from every plane; at the border it is moved inwards.

    Parameters
    ----------
    planes : iterable of ndarray
        (y, x), at least `size_px` wide, read once.
    centres_yx_px : ndarray
        (bead, 2) centres.
    size_px : int
        Width of a crop.

    Returns
    -------
    ndarray
        (bead, z, y, x) in the planes' type.
    """
    crops = []
    for plane in map(np.asarray, planes):
        corners = np.rint(centres_yx_px - (size_px - 1) / 2).astype(int)
        corners = np.clip(corners, 0, np.array(plane.shape) - size_px)
        crops.append([plane[y : y + size_px, x : x + size_px] for y, x in corners])
    return np.array(crops).swapaxes(0, 1)
