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


def patch_weights_of(probabilities: np.ndarray, shares: np.ndarray | None = None) -> np.ndarray:
    """Weight (n_patches,) of each patch: its certainty, 0 where it has no content, times the share to be measured.

    Parameters
    ----------
    probabilities : ndarray
        (n_patches, N).
    shares : ndarray, optional
        (n_patches,), 0 to 1.
    """
    sure = certainty(probabilities)
    weight = np.where(sure >= CONTENT_CERTAINTY, sure, 0.0)
    return weight if shares is None else weight * shares


def combine(probabilities: np.ndarray, weights: np.ndarray) -> np.ndarray | None:
    """Weighted mean of patch distributions.

    Parameters
    ----------
    probabilities : ndarray
        (n_patches, N).
    weights : ndarray
        (n_patches,), 0 or more, see `patch_weights_of`.

    Returns
    -------
    ndarray or None
        Distribution (N,), or None where no patch has content.
    """
    return weights @ probabilities / weights.sum() if weights.sum() > 0 else None


def effective_number(weights: np.ndarray) -> float:
    """Number of equal weights that say as much: (sum w)^2 / sum w^2 (Kish 1965, Survey Sampling); 0 of none."""
    squares = float(np.sum(np.square(weights)))
    return float(np.sum(weights)) ** 2 / squares if squares > 0 else 0.0


def sharpened(mean: np.ndarray, patches: float | np.ndarray, independence: float) -> np.ndarray:
    """Sharpen the mean distribution of patches by how much they say together.

    The mean of n patches is as broad as the distribution of one, though they say more. With an independence a they
    count for n^a: the mean is raised to that power. 0 leaves the mean, as Yang et al. 2018 have it. A model's own
    value is fitted on sources that it has not seen (as a temperature is: Guo et al. 2017, arXiv:1706.04599), so that
    the probabilities of an image come true as often as they say, whatever its size; a single patch stays what it is.

    Parameters
    ----------
    mean : ndarray
        (..., N).
    patches : float or ndarray
        (...), the number of patches that each rests on, see `effective_number`.
    independence : float
        0 (the patches all say the same) to 1 (each is evidence of its own).
    """
    # Relative to the largest, so that no power of all vanishes.
    relative = mean / mean.max(axis=-1, keepdims=True)
    raised = relative ** (np.asarray(patches, float) ** independence)[..., None]
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))


def share_near(probabilities: np.ndarray, level: float) -> float:
    """Probability that a distribution (N,) gives to a level, rounded, and the levels beside it."""
    first = max(int(np.floor(level + 0.5)) - 1, 0)
    return float(np.sum(probabilities[first : first + (3 if level >= 0.5 else 2)]))
