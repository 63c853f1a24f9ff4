"""From the distributions of patches to the answer about an image, or to none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Optional

import numpy as np

from parfocal import status
from parfocal.focus_quality.aggregate import (
    certainty,
    combine,
    effective_number,
    expected_level,
    patch_weights_of,
    share_near,
    sharpened,
)
from parfocal.focus_quality.network import N_LEVELS
from parfocal.focus_quality.result import FocusEstimate
from parfocal.registry import ModelError

# In an image that is evenly out of focus 24 percent of the patches, by weight, are over 2 levels from its own at most
# (99th percentile of 572 exposures of images that took no part in training).
_APART_LEVELS, _MIXED_SHARE = 2.0, 0.25


@dataclass(frozen=True)
class Pooling:
    """How the patches of an image are summed up, and when that is an answer; a model states its own in its config.

    Attributes
    ----------
    independence : float
        See `aggregate.sharpened`.
    smallest_share_near : float
        What the patches must give, on average, to the level of the image and those beside it, for it to be told.
    """

    independence: float = 0.0
    smallest_share_near: float = 0.0

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Pooling:
        """Read what a model's `config.json` says; without `pooling` patches are averaged and every level is told.

        Raises
        ------
        parfocal.registry.ModelError
            Where it says anything else.
        """
        told = config.get("pooling", {})
        try:
            return cls(**{name: float(value) for name, value in told.items()})
        except (AttributeError, TypeError, ValueError):
            names = "independence and smallest_share_near"
            raise ModelError(f"pooling in config.json must give numbers for {names}, got {told!r}") from None


def estimate_focus(probabilities: np.ndarray, shares: Optional[np.ndarray], pooling: Pooling) -> FocusEstimate:
    """Sum up patches (n_patches, 11) of which these shares are to be measured, in levels alone."""
    weights = patch_weights_of(probabilities, shares)
    mean_certainty = float(np.average(certainty(probabilities), weights=shares))
    mean = combine(probabilities, weights)
    if mean is None:
        reason = f"no patch shows structure (mean certainty {mean_certainty:.2f})"
        return FocusEstimate(mean_certainty=mean_certainty, status=status.NO_CONTENT, reason=reason)
    found = read_distribution(mean, mean_certainty, effective_number(weights), pooling)
    if found.answered and _share_apart(probabilities, weights, found.defocus_level) > _MIXED_SHARE:
        return replace(found, warnings=(*found.warnings, "mixed_focus"))
    return found


def _share_apart(probabilities: np.ndarray, weights: np.ndarray, level: float) -> float:
    """Share of the patches, by weight, that tell another level than the image has."""
    apart = np.abs(expected_level(probabilities) - level) > _APART_LEVELS
    return float(weights[apart].sum() / weights.sum())


def read_distribution(
    mean: np.ndarray, mean_certainty: float, effective_patches: float, pooling: Pooling
) -> FocusEstimate:
    """Read level and certainty off the mean distribution (11,) of patches, or say why it gives no answer."""
    distribution = sharpened(mean, effective_patches, pooling.independence)
    level = float(expected_level(distribution))
    near = share_near(mean, level)
    if near < pooling.smallest_share_near:
        given, needed = (f"{np.floor(100 * share):.0f}" for share in (near, pooling.smallest_share_near))
        reason = (
            f"the level cannot be told: the patches give {given} percent to levels near {level:.1f}, needs {needed}"
        )
        return FocusEstimate(mean_certainty=mean_certainty, status=status.OUT_OF_DOMAIN, reason=reason)
    predicted = int(distribution.argmax())
    return FocusEstimate(
        defocus_level=level,
        predicted_level=float(predicted),
        certainty=float(certainty(distribution)),
        mean_certainty=mean_certainty,
        effective_patches=effective_patches,
        probabilities=distribution,
        warnings=("worst_level_or_beyond",) if predicted == N_LEVELS - 1 else (),
    )
