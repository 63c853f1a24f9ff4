"""From the distributions of patches to the distribution of an image (Yang et al. 2018)."""

from __future__ import annotations

import numpy as np

# Below this certainty a patch has nothing to say and takes no part in the image's value.
CONTENT_CERTAINTY = 0.15


def certainty(probabilities: np.ndarray) -> np.ndarray:
    """Certainty of distributions over N levels, 0 (uniform) to 1 (one level): 1 - entropy / log N.

    The paper prints 1 - (sum p log p) / log N; with that sign the value would exceed 1. Meant, and used here, is the
    entropy -sum p log p.

    Parameters
    ----------
    probabilities : ndarray
        (..., N), each row summing to 1.
    """
    p = np.asarray(probabilities, dtype=float)
    logarithm = np.log(p, where=p > 0, out=np.zeros_like(p))
    return 1.0 + np.sum(p * logarithm, axis=-1) / np.log(p.shape[-1])


def expected_level(probabilities: np.ndarray) -> np.ndarray:
    """Mean defocus level of distributions (..., N): a fraction between 0 and N - 1."""
    p = np.asarray(probabilities, dtype=float)
    return p @ np.arange(p.shape[-1])


def combine(probabilities: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray | None:
    """Certainty-weighted mean of patch distributions.

    Parameters
    ----------
    probabilities : ndarray
        (n_patches, N).
    weights : ndarray, optional
        (n_patches,), 0 to 1: the share of each patch that is to be measured.

    Returns
    -------
    ndarray or None
        Distribution (N,), or None where no patch has content.
    """
    sure = certainty(probabilities)
    weight = np.where(sure >= CONTENT_CERTAINTY, sure, 0.0)
    if weights is not None:
        weight = weight * weights
    if weight.sum() <= 0:
        return None
    return weight @ probabilities / weight.sum()
