"""Sorting one plane: checked, judged by the network, and held against the measured level."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Optional

import numpy as np

from parfocal import status
from parfocal.focus_quality.scale import ModelScale
from parfocal.images.check import PARTLY_SATURATED_SHARE, check_plane
from parfocal.sorting.inputs import in_range
from parfocal.sorting.members import Sorter
from parfocal.sorting.result import PlaneFlag

SMALLEST_SIDE_PX = 84
# Sorter and level contradict each other where the sorter is as sure as this, and the level is below the highest that
# sharp images are measured at, or well above the lowest that counts as defocused.
SURE, SHARP_LEVEL, DEFOCUSED_LEVEL = 0.9, 1.5, 4.5


@dataclass(frozen=True)
class PlaneSorter:
    """Settings that all planes of an image share; call it with a plane and its measured focus."""

    sorter: Sorter
    scale: ModelScale
    saturation_level: Optional[float] = None
    refusal: str = ""
    optics_incomplete: bool = False

    def __call__(self, plane_yx: np.ndarray, focus: Any, hot: bool = False) -> PlaneFlag:
        """Judge a plane (y, x).

        Parameters
        ----------
        plane_yx : ndarray
            Without its hot pixels.
        focus : FocusEstimate or None
            Its measured focus; None where it was not measured.
        hot : bool
            Whether there were hot pixels.
        """
        found, reason, warnings = self._check(plane_yx, focus, hot)
        warnings = (*warnings, "hot_pixels") if hot else warnings
        warnings = (*warnings, "optics_incomplete") if self.optics_incomplete else warnings
        if found != status.OK:
            return PlaneFlag(status=found, reason=reason)
        measured = focus is not None and focus.answered
        level = float(focus.defocus_level) if measured else float("nan")
        told = PlaneFlag(self.sorter.probability(self.scale.resample(in_range(plane_yx))), level, warnings=warnings)
        if not measured:
            return replace(told, warnings=(*warnings, "level_unchecked"))
        return _held_against_level(told)

    def _check(self, plane_yx: np.ndarray, focus: Any, hot: bool) -> tuple[str, str, tuple[str, ...]]:
        if self.refusal:
            return status.OUT_OF_DOMAIN, self.refusal, ()
        far = self.scale.reason_out_of_range()
        if far:
            return status.OUT_OF_RANGE, far, ()
        height, width = self.scale.resampled_shape(plane_yx.shape)
        if 0 < min(height, width) < SMALLEST_SIDE_PX:
            reason = f"{width} x {height} px at the model's scale, needs {SMALLEST_SIDE_PX} x {SMALLEST_SIDE_PX}"
            return status.TOO_SMALL, reason, ()
        check = check_plane(plane_yx, None, self.saturation_level)
        if check.status == status.BLANK and hot:
            return status.NO_CONTENT, f"{check.reason} but hot ones", ()
        warned = ("partly_saturated",) if check.saturated_share >= PARTLY_SATURATED_SHARE else ()
        if check.status == status.OK and focus is not None and focus.status == status.NO_CONTENT:
            return status.NO_CONTENT, focus.reason, ()
        return check.status, check.reason, warned


def _held_against_level(told: PlaneFlag) -> PlaneFlag:
    """Withdraw an answer that the level contradicts."""
    p, level = told.probability, told.defocus_level
    if (p > SURE and level < SHARP_LEVEL) or (p < 1 - SURE and level > DEFOCUSED_LEVEL):
        reason = f"the sorter gives a probability of defocus of {p:.2f}, the measured level is {level:.1f}"
        return PlaneFlag(defocus_level=level, status=status.DISAGREEMENT, reason=reason, warnings=told.warnings)
    return told
