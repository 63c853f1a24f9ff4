"""The temperature that makes the distributions of images say how often they are right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from parfocal.focus_quality.aggregate import sharpened

# Between these all fits lay; beyond them the search would follow a handful of images.
_LOWEST, _HIGHEST = 0.05, 5.0


def fit_temperature(probabilities: np.ndarray, true_level: np.ndarray) -> float:
    """Find the temperature of the highest likelihood (Guo et al. 2017, arXiv:1706.04599).

    Parameters
    ----------
    probabilities : ndarray
        (n, 11), distributions of answered images.
    true_level : ndarray
        (n,), 0 to 10.
    """
    from scipy.optimize import minimize_scalar

    rows, levels = np.arange(len(true_level)), np.asarray(true_level, int)

    def surprise(logarithm: float) -> float:
        told = sharpened(probabilities, float(np.exp(logarithm)))[rows, levels]
        return float(-np.mean(np.log(np.maximum(told, 1e-9))))

    found = minimize_scalar(surprise, bounds=(np.log(_LOWEST), np.log(_HIGHEST)), method="bounded")
    return float(np.exp(found.x))


def cross_fitted(probabilities: np.ndarray, true_level: np.ndarray, sources: Sequence[str]) -> np.ndarray:
    """Sharpen the distributions of each source by the temperature that fits all other sources (n, 11)."""
    names = np.asarray(sources, str)
    made = np.array(probabilities, float)
    for name in np.unique(names):
        here = names == name
        made[here] = sharpened(made[here], fit_temperature(probabilities[~here], true_level[~here]))
    return made
