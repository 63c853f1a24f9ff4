"""Planes of confocal and light-sheet stacks that hold next to no light, as those out of focus do there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Optional

import numpy as np

from parfocal import status
from parfocal.focus_quality.result import FocusEstimate, PlaneFocus

# Of the plane with the most light: below it noise and stray light are what is left, and they look sharp.
SMALLEST_SHARE_OF_LIGHT = 0.05


def light_above_background(image_yx: np.ndarray, mask_yx: Optional[np.ndarray]) -> float:
    """99.9th percentile above the median of a plane (y, x), where the mask is; NaN without finite pixels there."""
    shown = image_yx if mask_yx is None else image_yx[mask_yx]
    shown = shown[np.isfinite(shown)]
    if not shown.size:
        return float("nan")
    middle, bright = np.percentile(shown, [50, 99.9])
    return float(bright - middle)


def refuse_dark_planes(planes: Sequence[PlaneFocus], light: Sequence[float]) -> tuple[PlaneFocus, ...]:
    """Withdraw the answers of planes with less than 5 percent of the light of the stack's brightest plane."""
    known = [value for value in light if np.isfinite(value)]
    most = max(known, default=0.0)
    kept = []
    for plane, value in zip(planes, light):
        if plane.estimate.answered and value < SMALLEST_SHARE_OF_LIGHT * most:
            reason = (
                f"its light is {100 * value / most:.1f} percent of that of the brightest plane, needs"
                f" {100 * SMALLEST_SHARE_OF_LIGHT:g}: out of focus, planes of such microscopes are dark"
            )
            refused = FocusEstimate(status=status.NO_CONTENT, reason=reason)
            plane = replace(plane, estimate=refused, objects=dict.fromkeys(plane.objects, refused))
        kept.append(plane)
    return tuple(kept)
