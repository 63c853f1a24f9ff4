"""Images further out of focus than the last level: seen smaller, they show it.

The network was shown defocus up to the last level, which stands for all beyond. Further out, dense structures may look
like less defocus, with certainty. But in an image of half the size all blur is half as wide: what is at level 5 reads
as 2 to 3 there, and what is at level 12 as 6. `docs/beyond_the_last_level.py` prints how often that tells. At a quarter
of the size dense cells in focus look like such images.
"""

from __future__ import annotations

import numpy as np

from parfocal.focus_quality.network import N_LEVELS

# Images beyond the last level are told 3 or more; what is sharper is not looked at again.
SUSPECT_LEVEL = 2.5
_BEYOND_LEVEL, _LEAST_APART = 9.0, 1.5


def is_beyond(level: float, level_at_half: float) -> bool:
    """Whether a level must be the last one, from what is told at half the size, both in levels of the whole."""
    return level_at_half >= _BEYOND_LEVEL and level_at_half - level > _LEAST_APART


def halved(plane_yx: np.ndarray) -> np.ndarray:
    """Means of 2 x 2 pixels, in the precision that the plane needs; an odd last row or column is left out."""
    height, width = (length // 2 * 2 for length in plane_yx.shape)
    whole = plane_yx[:height, :width].astype(np.result_type(plane_yx.dtype, np.float32))
    rows = whole[::2] + whole[1::2]
    return (rows[:, ::2] + rows[:, 1::2]) / 4


def doubled(probabilities: np.ndarray) -> np.ndarray:
    """Distributions (n, 11) over levels at half the size, as levels of the whole: 1 is 2, 5 and beyond the last one."""
    last = N_LEVELS - 1
    found = np.zeros_like(probabilities)
    found[:, 0:last:2] = probabilities[:, : last // 2]
    found[:, last] = probabilities[:, last // 2 :].sum(axis=1)
    return found
