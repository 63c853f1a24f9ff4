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


def combine(
    probabilities: np.ndarray, weights: np.ndarray | None = None, temperature: float = 1.0
) -> np.ndarray | None:
    """Certainty-weighted mean of patch distributions, sharpened by a temperature.

    The mean over patches is broader than what they say together. A temperature below 1, fitted once for a model on
    sources that it has not seen, makes its probabilities come true as often as they say (Guo et al. 2017,
    arXiv:1706.04599, there on logits, here on the logarithm of the mean).

    Parameters
    ----------
    probabilities : ndarray
        (n_patches, N).
    weights : ndarray, optional
        (n_patches,), 0 to 1: the share of each patch that is to be measured.
    temperature : float
        Above 0; 1 leaves the mean as it is.

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
    return sharpened(weight @ probabilities / weight.sum(), temperature)


def sharpened(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Raise distributions (..., N) to the power 1 / temperature and bring them to sum 1."""
    if temperature == 1.0:
        return probabilities
    # Relative to the largest, so that no power of all vanishes.
    raised = (probabilities / probabilities.max(axis=-1, keepdims=True)) ** (1.0 / temperature)
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))
