"""Images without the noise of a camera between their grey values: the edges of rounding would look like sharp ones."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from parfocal.focus_quality.network import PATCH_SIZE_PX

# Of neighbours under Gaussian noise of one grey value 28 percent are alike.
_ALIKE_SHARE = 0.35
# Noise to be added is no more than this share of the range: that of few grey values, as of labels, says nothing.
_LARGEST_SHARE = 0.05
_SAMPLE_ROWS = 64


def missing_noise(plane_yx: np.ndarray) -> float:
    """Standard deviation of the noise that hides the rounding of a plane: one step between grey values.

    0 where the plane has noise of its own, or is not rounded. Levels of images that were blurred, averaged or denoised
    and then rounded, without it, come out near 0 where structures are only tens of steps high.

    Parameters
    ----------
    plane_yx : ndarray
        (y, x), finite numbers of any type and scale.
    """
    rows = plane_yx[:: max(1, len(plane_yx) // _SAMPLE_ROWS)]
    if np.mean(rows[:, 1:] == rows[:, :-1]) < _ALIKE_SHARE:
        return 0.0
    values = np.unique(rows).astype(np.float64)
    if len(values) < 2:
        return 0.0
    return float(min(np.diff(values).min(), _LARGEST_SHARE * (values[-1] - values[0])))


@lru_cache(maxsize=1)
def noise_patch() -> np.ndarray:
    """Gaussian noise of variance 1 in the size of a patch, (y, x), float32: the same for every patch and process."""
    noise = np.random.default_rng(84).standard_normal((PATCH_SIZE_PX, PATCH_SIZE_PX), np.float32)
    noise.flags.writeable = False
    return noise
