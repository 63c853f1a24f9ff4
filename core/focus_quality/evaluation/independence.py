"""The independence of patches that makes the distributions of images say how often they are right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from parfocal.focus_quality.aggregate import sharpened

# Patches that count for less than one, and for more than they are: all fits lay well inside.
_LOWEST, _HIGHEST = -0.5, 1.5


def fit_independence(means: np.ndarray, effective_patches: np.ndarray, true_level: np.ndarray) -> float:
    """Find the independence with which the most probable level is right as often as it says; 0 where there is no image.

    Mean probability and share right are made equal (expectation consistency: Clarte et al. 2023, arXiv:2303.02644).
    The likelihood, the usual criterion, is pulled by the few images that are far off.

    Parameters
    ----------
    means : ndarray
        (n, 11), mean distributions of answered images.
    effective_patches : ndarray
        (n,), number of patches that each rests on.
    true_level : ndarray
        (n,), 0 to 10.
    """
    from scipy.optimize import brentq

    if len(true_level) == 0:
        return 0.0
    # Sharpening changes no order: the share right is the same for all.
    right = float(np.mean(means.argmax(axis=1) == true_level))

    def excess(independence: float) -> float:
        return float(sharpened(means, effective_patches, independence).max(axis=1).mean()) - right

    if excess(_LOWEST) >= 0 or excess(_HIGHEST) <= 0:
        return _LOWEST if excess(_LOWEST) >= 0 else _HIGHEST
    return float(brentq(excess, _LOWEST, _HIGHEST, xtol=1e-4))


def fitted_on_others(
    means: np.ndarray, effective_patches: np.ndarray, true_level: np.ndarray, sources: Sequence[str]
) -> dict[str, float]:
    """Fit the independence for each source on all other sources."""
    names = np.asarray(sources, str)
    others = {name: names != name for name in np.unique(names).tolist()}
    return {name: fit_independence(means[o], effective_patches[o], true_level[o]) for name, o in others.items()}
