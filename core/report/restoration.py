"""A restored plane beside what it was: before, after, difference."""

from __future__ import annotations

import numpy as np

from parfocal.report.overlay import grey

_GAP_PX = 4
# Differences up to this percentile are kept apart; the few beyond it are drawn in full colour.
_LARGEST_PERCENTILE = 99.8


def draw_restoration(before_yx: np.ndarray, after_yx: np.ndarray) -> np.ndarray:
    """Draw a plane before and after under one contrast, and the difference: red became brighter, blue darker.

    Parameters
    ----------
    before_yx, after_yx : ndarray
        Plane (y, x), any intensity unit.

    Returns
    -------
    ndarray
        (y, 3 x + 8, 3) red, green, blue in 0 to 1, float32.
    """
    shades = [np.repeat(grey(plane, before_yx)[..., None], 3, axis=2) for plane in (before_yx, after_yx)]
    gap = np.ones((len(before_yx), _GAP_PX, 3), np.float32)
    return np.concatenate([shades[0], gap, shades[1], gap, draw_difference(before_yx, after_yx)], axis=1)


def draw_difference(before_yx: np.ndarray, after_yx: np.ndarray) -> np.ndarray:
    """Draw after minus before: white where nothing changed, red where it became brighter, blue darker; (y, x, 3)."""
    change = np.nan_to_num(np.asarray(after_yx, np.float64) - np.asarray(before_yx, np.float64))
    largest = float(np.percentile(np.abs(change), _LARGEST_PERCENTILE)) or 1.0
    share = np.clip(change / largest, -1, 1)
    return np.stack([1 + np.minimum(share, 0), 1 - np.abs(share), 1 - np.maximum(share, 0)], axis=-1).astype(np.float32)
