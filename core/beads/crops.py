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


def whole_crops(plane_yx: np.ndarray, centres_yx_px: np.ndarray, size_px: int) -> tuple[np.ndarray, np.ndarray]:
    """Cut a square around each bead that lies wholly in the plane; none is moved, so that the bead stays in its middle.

    Parameters
    ----------
    plane_yx : ndarray
        (y, x).
    centres_yx_px : ndarray
        (bead, 2) centres, finite; the middle of an even crop lies between two pixels.
    size_px : int
        Width of a crop.

    Returns
    -------
    crops_nyx : ndarray
        (n, y, x) in the plane's type, in the order of the beads.
    inside : ndarray
        (bead,) whether a bead has a crop.
    """
    plane = np.asarray(plane_yx)
    corners = np.rint(np.reshape(centres_yx_px, (-1, 2)) - (size_px - 1) / 2).astype(int)
    inside = np.all((corners >= 0) & (corners + size_px <= plane.shape), axis=1)
    crops = [plane[y : y + size_px, x : x + size_px] for y, x in corners[inside]]
    return np.array(crops, plane.dtype).reshape(-1, size_px, size_px), inside
