"""Sorting one plane: checked, judged by the network, and held against the measured level."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Optional

import numpy as np

from parfocal import status
from parfocal.focus_quality.scale import ModelScale
from parfocal.images.check import PARTLY_SATURATED_SHARE, check_plane
from parfocal.registry import Model
from parfocal.restoration.intensity import Intensity
from parfocal.sorting.inputs import default_input, default_tiles, in_range, paper_inputs
from parfocal.sorting.result import PlaneFlag

SMALLEST_SIDE_PX = 84
# Sorter and level contradict each other where the sorter is as sure as this, and the level is below the highest that
# sharp images are measured at, or well above the lowest that counts as defocused.
SURE, SHARP_LEVEL, DEFOCUSED_LEVEL = 0.9, 1.5, 4.5


@dataclass(frozen=True)
class PlaneSorter:
    """Settings that all planes of an image share; call it with a plane and its measured focus."""

    network: Model
    scale: ModelScale
    saturation_level: Optional[float] = None
    refusal: str = ""

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
        if found != status.OK:
            return PlaneFlag(status=found, reason=reason)
        measured = focus is not None and focus.answered
        level = float(focus.defocus_level) if measured else float("nan")
        told = PlaneFlag(self.probability(self.scale.resample(in_range(plane_yx))), level, warnings=warnings)
        if not measured:
            return replace(told, warnings=(*warnings, "level_unchecked"))
        return _held_against_level(told)

    def probability(self, plane_yx: np.ndarray) -> float:
        """Probability of defocus of a plane at the model's scale."""
        if self.network.config["architecture"] == "default":
            tiles = [
                self.network.predict(tile[None, ..., None])[0].reshape(-1, 2)
                for tile in default_tiles(default_input(plane_yx))
            ]
            return _sigmoid(pooled(np.concatenate(tiles)))
        # On the scale of the examples: the standardisation keeps deviations above a fixed value.
        seen = Intensity.of(plane_yx).apply(plane_yx)
        logits = self.network.predict(paper_inputs(seen), batch_size=8)
        return float(np.mean([_sigmoid(float(after - before)) for before, after in logits]))

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


def pooled(places: np.ndarray) -> float:
    """Logit of defocus from evidence and logarithm of its weight at all places of an image, (n, 2)."""
    evidence, log_weight = places.astype(np.float64).T
    weight = np.exp(log_weight - log_weight.max())
    return float((evidence * weight).sum() / weight.sum())


def _held_against_level(told: PlaneFlag) -> PlaneFlag:
    """Withdraw an answer that the level contradicts."""
    p, level = told.probability, told.defocus_level
    if (p > SURE and level < SHARP_LEVEL) or (p < 1 - SURE and level > DEFOCUSED_LEVEL):
        reason = f"the sorter gives a probability of defocus of {p:.2f}, the measured level is {level:.1f}"
        return PlaneFlag(defocus_level=level, status=status.DISAGREEMENT, reason=reason, warnings=told.warnings)
    return told


def _sigmoid(logit: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(logit, -60, 60))))
