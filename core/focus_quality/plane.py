"""Focus of one plane: checked, resampled, cut into patches, predicted, and summed up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Optional

import numpy as np

from parfocal import status
from parfocal.focus_quality.aggregate import certainty, expected_level
from parfocal.focus_quality.beyond import SUSPECT_LEVEL, doubled, halved, is_beyond
from parfocal.focus_quality.estimate import Pooling, estimate_focus
from parfocal.focus_quality.missing_noise import missing_noise, noise_patch
from parfocal.focus_quality.network import N_LEVELS, PATCH_SIZE_PX
from parfocal.focus_quality.patches import (
    constant_patches,
    cut_patches,
    label_boxes,
    object_corners,
    patch_corners,
    patch_weights,
    standardise,
)
from parfocal.focus_quality.result import FocusEstimate, FocusPatches, PlaneFocus
from parfocal.focus_quality.scale import ModelScale
from parfocal.images.check import PARTLY_SATURATED_SHARE, PlaneCheck, check_plane
from parfocal.images.lone_pixels import without_lone_pixels
from parfocal.images.planes import fill_masked
from parfocal.registry import Model, load_model

TASK = "focus_quality"
# A patch takes part where the mask leaves at least this share of it.
SMALLEST_SHARE = 0.25
# A batch that stays in the processor's cache between being cut and being convolved.
_PATCHES_AT_ONCE = 16
# Range to which a plane is brought before its patches are standardised: no square of it overflows or vanishes.
_INPUT_RANGE = 65535.0


@dataclass(frozen=True)
class _NetworkInput:
    """A plane at the model's scale without hot pixels, if any; the network sees (value - floor) * factor.

    `noise` is the standard deviation of what is added to patches before, see `missing_noise`.
    """

    plane_yx: np.ndarray
    mask_yx: Optional[np.ndarray]
    floor: float
    factor: float
    hot: bool
    noise: float = 0.0

    def halved(self) -> _NetworkInput:
        """Half as large along each axis."""
        mask = None if self.mask_yx is None else halved(self.mask_yx) == 1
        return replace(self, plane_yx=halved(self.plane_yx), mask_yx=mask)


@dataclass(frozen=True)
class PlaneMeasurement:
    """Settings that all planes of an image share; call it with a plane, its mask and its labels.

    `at_half` says whether the network sees the plane at half of its scale, see `beyond`.
    """

    model: str
    scale: ModelScale
    black_level: float = 0.0
    saturation_level: Optional[float] = None
    classical_metrics: bool = False
    counts_per_unit: float = 1.0
    refusal: str = ""
    is_rank: bool = False
    optics_incomplete: bool = False
    at_half: bool = False

    def __call__(
        self, image_yx: np.ndarray, mask_yx: Optional[np.ndarray], labels_yx: Optional[np.ndarray]
    ) -> PlaneFocus:
        """Measure one plane (y, x)."""
        network = load_model(self.model, TASK)
        mask_yx = None if mask_yx is None or mask_yx.all() else mask_yx
        boxes = {} if labels_yx is None else label_boxes(labels_yx)
        check = self._check(image_yx, mask_yx)
        metrics = self._metrics(image_yx, mask_yx, check.status)
        if check.status == status.OK:
            ready = self._prepare(image_yx, mask_yx, network)
            if ready.factor > 0:
                about = (boxes, metrics, self._warnings(check, ready.hot))
                focus = self._measure(network, ready, *about)
                if not self._may_be_beyond(focus.estimate, ready):
                    return focus
                smaller = replace(self, at_half=True)._measure(network, ready.halved(), *about)
                return smaller if is_beyond(focus.estimate.defocus_level, smaller.estimate.defocus_level) else focus
            told = "" if ready.hot else f" above the black level {self.black_level:g}"
            found = status.NO_CONTENT if ready.hot else status.BLANK
            check = PlaneCheck(found, f"no pixel stands out{told or ' but hot ones'}")
        refused = FocusEstimate(status=check.status, reason=check.reason)
        return PlaneFocus(refused, None, dict.fromkeys(boxes, refused), metrics)

    def _measure(
        self,
        network: Model,
        ready: _NetworkInput,
        boxes: dict[int, tuple[slice, slice]],
        metrics: dict[str, float],
        warnings: tuple[str, ...],
    ) -> PlaneFocus:
        corners = patch_corners(ready.plane_yx.shape)
        probabilities = self._predict(network, ready, corners)
        shares = _shares(ready.mask_yx, corners)
        weights = patch_weights(ready.plane_yx.shape)
        covered = weights if shares is None else weights * shares
        estimate = self._estimate(probabilities, covered, warnings, Pooling.of(network.config))
        objects = self._objects(network, ready, boxes)
        seen = np.ones(len(corners), bool) if shares is None else shares > 0
        return PlaneFocus(estimate, self._patches(corners[seen], probabilities[seen]), objects, metrics)

    def _may_be_beyond(self, found: FocusEstimate, ready: _NetworkInput) -> bool:
        """Whether a plane may be further out of focus than it seems, and is large enough to be looked at again."""
        is_large = min(ready.plane_yx.shape) // 2 >= PATCH_SIZE_PX
        return is_large and not self.is_rank and found.defocus_level >= SUSPECT_LEVEL

    def _check(self, image_yx: np.ndarray, mask_yx: Optional[np.ndarray]) -> PlaneCheck:
        if self.refusal:
            return PlaneCheck(status.OUT_OF_DOMAIN, self.refusal)
        far = self.scale.reason_out_of_range()
        if far:
            return PlaneCheck(status.OUT_OF_RANGE, far)
        height, width = self.scale.resampled_shape(image_yx.shape)
        if min(height, width) < PATCH_SIZE_PX:
            scaled = "" if self.scale.zoom == 1 else " at the model's scale"
            needed = f"{PATCH_SIZE_PX} x {PATCH_SIZE_PX}"
            return PlaneCheck(status.TOO_SMALL, f"{width} x {height} px{scaled}, needs {needed}")
        return check_plane(image_yx, mask_yx, self.saturation_level)

    def _warnings(self, check: PlaneCheck, hot: bool) -> tuple[str, ...]:
        found = {
            "partly_saturated": check.saturated_share >= PARTLY_SATURATED_SHARE,
            "rank_only": self.is_rank,
            "optics_incomplete": self.optics_incomplete,
            "hot_pixels": hot,
        }
        return tuple(warning for warning, holds in found.items() if holds)

    def _metrics(self, image_yx: np.ndarray, mask_yx: Optional[np.ndarray], found: str) -> dict[str, float]:
        if not self.classical_metrics:
            return {}
        from parfocal.focus_quality.classical import METRICS, classical_metrics

        if found not in (status.OK, status.OUT_OF_DOMAIN, status.OUT_OF_RANGE):
            return dict.fromkeys(METRICS, float("nan"))
        image = image_yx if mask_yx is None else fill_masked(image_yx, mask_yx)
        return classical_metrics(image)

    def _prepare(self, image_yx: np.ndarray, mask_yx: Optional[np.ndarray], network: Model) -> _NetworkInput:
        """Bring a plane to the model's scale and intensity; the factor is 0 where it is blank."""
        image = image_yx
        if mask_yx is not None:
            image = fill_masked(image, mask_yx)
        image, hot = without_lone_pixels(image)
        noise = missing_noise(image)
        if self.black_level:
            image = np.maximum(np.subtract(image, self.black_level, dtype=np.result_type(image, np.float32)), 0)
        plane = self.scale.resample(image)
        mask = None if mask_yx is None else self.scale.resample_mask(mask_yx)
        low, high = float(plane.min()), float(plane.max())
        if low == high:
            return _NetworkInput(plane, mask, low, 0.0, hot)
        if network.config.get("input") == "counts":
            return _NetworkInput(plane, mask, 0.0, self.counts_per_unit, hot, noise)
        return _NetworkInput(plane, mask, low, _INPUT_RANGE / (high - low), hot, noise)

    @property
    def _seen_scale(self) -> ModelScale:
        """Scale of what the network sees."""
        return ModelScale(self.scale.zoom / 2) if self.at_half else self.scale

    def _predict(self, network: Model, ready: _NetworkInput, corners: np.ndarray) -> np.ndarray:
        """Predict the patches at these corners, in levels of the plane that is not halved."""
        probabilities = _predict(network, ready, corners)
        return doubled(probabilities) if self.at_half else probabilities

    def _patches(self, corners: np.ndarray, probabilities: np.ndarray) -> FocusPatches:
        zoom = self._seen_scale.zoom
        levels, sure = expected_level(probabilities), certainty(probabilities)
        return FocusPatches(corners / zoom, PATCH_SIZE_PX / zoom, probabilities, levels, sure)

    def _estimate(
        self, probabilities: np.ndarray, shares: Optional[np.ndarray], warnings: tuple[str, ...], pooling: Pooling
    ) -> FocusEstimate:
        if shares is not None and not shares.any():
            reason = f"the mask leaves less than {100 * SMALLEST_SHARE:g} percent of every patch"
            return FocusEstimate(status=status.MASKED_OUT, reason=reason)
        found = estimate_focus(probabilities, shares, pooling)
        if not found.answered:
            return found
        return replace(
            found,
            blur_diameter_px=float("nan") if self.is_rank else self.scale.blur_diameter_px(found.defocus_level),
            defocus_distance_um=float("nan") if self.is_rank else self.scale.defocus_distance_um(found.defocus_level),
            warnings=(*warnings, *found.warnings),
        )

    def _objects(
        self, network: Model, ready: _NetworkInput, boxes: dict[int, tuple[slice, slice]]
    ) -> dict[int, FocusEstimate]:
        """Estimate each object from the patches around it."""
        if not boxes:
            return {}
        shape = ready.plane_yx.shape
        places = [object_corners(self._seen_scale.resample_box(box), shape) for box in boxes.values()]
        corners = np.concatenate(places)
        probabilities, shares = self._predict(network, ready, corners), _shares(ready.mask_yx, corners)
        estimates, first = {}, 0
        for label, own in zip(boxes, places):
            here = slice(first, first + len(own))
            left = None if shares is None else shares[here]
            estimates[label] = self._estimate(probabilities[here], left, (), Pooling.of(network.config))
            first += len(own)
        return estimates


def _shares(mask_yx: Optional[np.ndarray], corners: np.ndarray) -> Optional[np.ndarray]:
    """Share of each patch that is to be measured, 0 where it is too small; None without a mask."""
    if mask_yx is None:
        return None
    sums = np.pad(mask_yx.astype(np.int64), ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    y, x = corners.T
    s = PATCH_SIZE_PX
    share = (sums[y + s, x + s] - sums[y, x + s] - sums[y + s, x] + sums[y, x]) / s**2
    return np.where(share >= SMALLEST_SHARE, share, 0.0)


def _predict(network: Model, ready: _NetworkInput, corners: np.ndarray) -> np.ndarray:
    """Predict the patches at these corners, a batch at a time; one of a single value gets the uniform distribution."""
    parts = []
    for start in range(0, len(corners), _PATCHES_AT_ONCE):
        some = corners[start : start + _PATCHES_AT_ONCE]
        batch = cut_patches(ready.plane_yx, some, floor=ready.floor, factor=ready.factor)
        constant = constant_patches(batch)
        if ready.noise:
            batch[~constant] += np.float32(ready.noise * ready.factor) * noise_patch()
        if network.config.get("input") == "standardised":
            standardise(batch)
        probabilities = network.predict(batch[..., None])
        probabilities[constant] = 1.0 / N_LEVELS
        parts.append(probabilities)
    return np.concatenate(parts)
