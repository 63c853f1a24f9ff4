"""What makes a crop unusable before any network sees it."""

from __future__ import annotations

import numpy as np

from parfocal import status

SATURATED_SHARE = 0.05


def crop_status(crops_nyx: np.ndarray) -> np.ndarray:
    """Status of each crop (n,), text: `ok`, `not_finite`, `blank`, or `saturated`.

    Saturated means that over 5 percent of the pixels hold the crop's largest count: light or bead is cut off there,
    whatever the camera's limit is.
    """
    found = np.full(len(crops_nyx), status.OK, dtype=object)
    if not np.size(crops_nyx):
        return found
    crops = np.asarray(crops_nyx).reshape(len(crops_nyx), -1)
    finite = np.isfinite(crops).all(axis=1)
    low, high = crops.min(axis=1), crops.max(axis=1)
    at_top = (crops == high[:, None]).mean(axis=1)
    found[at_top > SATURATED_SHARE] = status.SATURATED
    found[low == high] = status.BLANK
    found[~finite] = status.NOT_FINITE
    return found
