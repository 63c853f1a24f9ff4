"""Back to the type and intensity scale of the input: total intensity kept, range of the type kept."""

from __future__ import annotations

import numpy as np

# Relative difference of the total intensity after and before that is promised; it comes from values that were cut off.
INTENSITY_TOLERANCE = 1e-3
_ROUNDS = 4


def to_input_scale(restored_yx: np.ndarray, before_yx: np.ndarray) -> np.ndarray:
    """Keep the total intensity of a plane and the range of its type.

    What lies beyond the range of the type (of floats: below 0, where the input has nothing below 0) is cut off; the
    rest is moved by a constant until the totals agree.

    Parameters
    ----------
    restored_yx : ndarray
        (y, x), float32, in the unit of the input.
    before_yx : ndarray
        The input (y, x), any type.

    Returns
    -------
    ndarray
        (y, x), in the type of the input.
    """
    low, high = _limits(before_yx)
    wanted = float(before_yx.mean(dtype=np.float64))
    moved = np.asarray(restored_yx, np.float32)
    for _ in range(_ROUNDS):
        moved = np.clip(moved + np.float32(wanted - float(moved.mean(dtype=np.float64))), low, high)
    return (np.rint(moved) if before_yx.dtype.kind in "ui" else moved).astype(before_yx.dtype)


def _limits(before_yx: np.ndarray) -> tuple[float, float]:
    if before_yx.dtype.kind in "ui":
        info = np.iinfo(before_yx.dtype)
        return float(info.min), float(info.max)
    return (0.0 if before_yx.min() >= 0 else -np.inf), np.inf
