"""From the distributions of patches to the answer about an image, or to none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
        """Read what a model's `config.json` says; without `pooling` patches are averaged and every level is told."""
        return cls(**config.get("pooling", {}))


def estimate_focus(probabilities: np.ndarray, shares: Optional[np.ndarray], pooling: Pooling) -> FocusEstimate:
    """Sum up patches (n_patches, 11) of which these shares are to be measured, in levels alone."""
    weights = patch_weights_of(probabilities, shares)
    mean_certainty = float(np.average(certainty(probabilities), weights=shares))
    mean = combine(probabilities, weights)
    if mean is None:
        reason = f"no patch shows structure (mean certainty {mean_certainty:.2f})"
        return FocusEstimate(mean_certainty=mean_certainty, status=status.NO_CONTENT, reason=reason)
    return read_distribution(mean, mean_certainty, effective_number(weights), pooling)


def read_distribution(
    mean: np.ndarray, mean_certainty: float, effective_patches: float, pooling: Pooling
) -> FocusEstimate:
    """Read level and certainty off the mean distribution (11,) of patches, or say why it gives no answer."""
    distribution = sharpened(mean, effective_patches, pooling.independence)
    level = float(expected_level(distribution))
    near = share_near(mean, level)
    if near < pooling.smallest_share_near:
        needed = f"needs {100 * pooling.smallest_share_near:.0f}"
        reason = (
            f"the level cannot be told: its patches are within one of {level:.1f} by {100 * near:.0f} percent, {needed}"
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
