"""Back to the type and intensity scale of the input: total intensity kept, range of the type kept."""

from __future__ import annotations

import numpy as np

# Relative difference of the total intensity after and before that is promised; it comes from values that were cut off.
INTENSITY_TOLERANCE = 1e-3
_ROUNDS = 4
# Rounding to counts takes or gives something, most where the background is a fraction of a count: the constant is
# sought by so many halvings, on so many pixels.
_HALVINGS, _SAMPLE_PX = 14, 1 << 18


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
    for done in range(_ROUNDS):
        missing = wanted - float(moved.mean(dtype=np.float64))
        if done and abs(missing) <= np.finfo(np.float32).eps * abs(wanted):
            break
        moved = np.clip(moved + np.float32(missing), low, high)
    if before_yx.dtype.kind not in "ui":
        return moved.astype(before_yx.dtype)
    return _rounded(moved, wanted, low, high).astype(before_yx.dtype)


def _rounded(moved_yx: np.ndarray, wanted: float, low: float, high: float) -> np.ndarray:
    """Round to whole counts of the wanted mean, by a constant of less than a count."""
    sample = moved_yx.ravel()[:: 1 + moved_yx.size // _SAMPLE_PX]
    # What the sample's own mean is off by is none of the rounding's business.
    wanted_there = wanted + float(sample.mean(dtype=np.float64) - moved_yx.mean(dtype=np.float64))
    least, most = -0.5, 0.5
    for _ in range(_HALVINGS):
        middle = (least + most) / 2
        too_dark = np.clip(np.rint(sample + np.float32(middle)), low, high).mean(dtype=np.float64) < wanted_there
        least, most = (middle, most) if too_dark else (least, middle)
    return np.asarray(np.clip(np.rint(moved_yx + np.float32((least + most) / 2)), low, high))


def _limits(before_yx: np.ndarray) -> tuple[float, float]:
    if before_yx.dtype.kind in "ui":
        info = np.iinfo(before_yx.dtype)
        return float(info.min), float(info.max)
    return (0.0 if before_yx.min() >= 0 else -np.inf), np.inf
