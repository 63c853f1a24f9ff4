"""The independence of patches that makes the distributions of images say how often they are right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from parfocal.focus_quality.aggregate import sharpened

# Patches that count for less than one and for more than they are: all fits lay well inside.
_LOWEST, _HIGHEST = -0.5, 1.5


def fit_independence(means: np.ndarray, effective_patches: np.ndarray, true_level: np.ndarray) -> float:
    """Find the independence of the highest likelihood, see `aggregate.sharpened`; 0 where no image is answered.

    Parameters
    ----------
    means : ndarray
        (n, 11), mean distributions of answered images.
    effective_patches : ndarray
        (n,), number of patches that each rests on.
    true_level : ndarray
        (n,), 0 to 10.
    """
    from scipy.optimize import minimize_scalar

    if len(true_level) == 0:
        return 0.0
    rows, levels = np.arange(len(true_level)), np.asarray(true_level, int)

    def surprise(independence: float) -> float:
        told = sharpened(means, effective_patches, independence)[rows, levels]
        return float(-np.mean(np.log(np.maximum(told, 1e-9))))

    return float(minimize_scalar(surprise, bounds=(_LOWEST, _HIGHEST), method="bounded").x)


def fitted_on_others(
    means: np.ndarray, effective_patches: np.ndarray, true_level: np.ndarray, sources: Sequence[str]
) -> dict[str, float]:
    """Fit the independence for each source on all other sources."""
    names = np.asarray(sources, str)
    others = {name: names != name for name in np.unique(names).tolist()}
    return {name: fit_independence(means[o], effective_patches[o], true_level[o]) for name, o in others.items()}
