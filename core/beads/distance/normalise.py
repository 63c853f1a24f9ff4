"""What a network sees of a crop: the four normalisations of Chalfoun et al. 2024."""

from __future__ import annotations

import numpy as np

NORMALISATIONS = ("none", "z_score", "zero_centre", "average_background")
_FRAME_SHARE = 1 / 16


def background(crops_nyx: np.ndarray) -> np.ndarray:
    """Background of each crop (n,): the median over a frame of a sixteenth of its width.

    The paper takes the mean at 20 to 40 px from the bead; the median holds where a neighbour looks in at a side.
    """
    return np.asarray(np.median(crops_nyx[:, frame(crops_nyx.shape[1])], axis=1), dtype=np.float32)


def frame(size: int) -> np.ndarray:
    """Where the background of a crop of `size` pixels is taken (y, x): within a sixteenth of it from the edge."""
    width = max(2, round(size * _FRAME_SHARE))
    inside = np.ones((size, size), bool)
    inside[width:-width, width:-width] = False
    return inside


def normalise(crops_nyx: np.ndarray, how: str, count_scale: float = 1.0) -> np.ndarray:
    """Bring crops to what a network sees, float32 (n, y, x).

    Parameters
    ----------
    crops_nyx : ndarray
        Counts (n, y, x).
    how : str
        `none`: counts over `count_scale`. `z_score`: mean 0, variance 1. `zero_centre`: mean 0, over `count_scale`.
        `average_background`: over the background, less 1, so that exposure and gain drop out.
    count_scale : float
        Counts that become 1, the same for all crops: it changes nothing but the numbers' size.

    Raises
    ------
    ValueError
        Where the name is unknown.
    """
    crops = np.asarray(crops_nyx, np.float32)
    if how == "none":
        return crops / np.float32(count_scale)
    if how == "average_background":
        return crops / np.maximum(background(crops), np.float32(1e-6))[:, None, None] - 1
    centred = crops - crops.mean(axis=(1, 2), keepdims=True)
    if how == "zero_centre":
        return centred / np.float32(count_scale)
    if how == "z_score":
        return centred / np.maximum(centred.std(axis=(1, 2), keepdims=True), np.float32(1e-6))
    raise ValueError(f"normalisation must be one of {', '.join(NORMALISATIONS)}, got {how!r}")
