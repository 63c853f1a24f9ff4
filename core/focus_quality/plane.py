"""Focus of one plane: checked, resampled, cut into patches, predicted, and summed up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

import numpy as np
from scipy.ndimage import find_objects

from parfocal import status
from parfocal.focus_quality.aggregate import certainty, combine, expected_level
from parfocal.focus_quality.network import N_LEVELS, PATCH_SIZE_PX
from parfocal.focus_quality.patches import cut_patches, object_corners, patch_corners
from parfocal.focus_quality.result import FocusEstimate, FocusPatches, PlaneFocus
from parfocal.focus_quality.scale import ModelScale
from parfocal.images.check import PARTLY_SATURATED_SHARE, check_plane, saturation_threshold
from parfocal.images.planes import fill_masked
from parfocal.registry import Model, load_model

TASK = "focus_quality"
# A patch takes part where the mask leaves at least this share of it.
SMALLEST_SHARE = 0.25
_PATCHES_AT_ONCE = 256
# Standard deviation to which an image is brought before the network; far above the constant in its standardisation.
_INPUT_STD = 1000.0


@dataclass(frozen=True)
class PlaneMeasurement:
    """Settings that all planes of an image share; call it with a plane, its mask and its labels."""

    model: str
    scale: ModelScale
    black_level: float = 0.0
    saturation_level: Optional[float] = None
    classical_metrics: bool = False
    refusal: str = ""
    is_rank: bool = False

    def __call__(
        self, image_yx: np.ndarray, mask_yx: Optional[np.ndarray], labels_yx: Optional[np.ndarray]
    ) -> PlaneFocus:
        """Measure one plane (y, x)."""
        network = load_model(self.model, TASK)
        found, reason = self._check(image_yx, mask_yx)
        metrics = self._metrics(image_yx, mask_yx, found)
        if found != status.OK:
            refused = FocusEstimate(status=found, reason=reason)
            return PlaneFocus(refused, None, dict.fromkeys(_label_values(labels_yx), refused), metrics)
        warnings = self._warnings(image_yx, mask_yx)
        plane, mask = self._prepare(image_yx, mask_yx, network)
        corners = patch_corners(plane.shape)
        probabilities = _predict(network, plane, corners)
        estimate = self._estimate(probabilities, _shares(mask, corners), warnings)
        objects = self._objects(network, plane, mask, labels_yx)
        return PlaneFocus(estimate, self._patches(corners, probabilities), objects, metrics)

    def _check(self, image_yx: np.ndarray, mask_yx: Optional[np.ndarray]) -> tuple[str, str]:
        if self.refusal:
            return status.OUT_OF_DOMAIN, self.refusal
        far = self.scale.reason_out_of_range()
        if far:
            return status.OUT_OF_RANGE, far
        height, width = self.scale.resampled_shape(image_yx.shape)
        if min(height, width) < PATCH_SIZE_PX:
            scaled = "" if self.scale.zoom == 1 else " at the model's scale"
            return status.TOO_SMALL, f"{width} x {height} px{scaled}, needs {PATCH_SIZE_PX} x {PATCH_SIZE_PX}"
        return check_plane(image_yx, mask_yx, self.saturation_level)

    def _warnings(self, image_yx: np.ndarray, mask_yx: Optional[np.ndarray]) -> tuple[str, ...]:
        used = image_yx if mask_yx is None else image_yx[mask_yx]
        warnings = []
        if np.mean(used >= saturation_threshold(used, self.saturation_level)) >= PARTLY_SATURATED_SHARE:
            warnings.append("partly_saturated")
        if self.is_rank:
            warnings.append("rank_only")
        return tuple(warnings)

    def _metrics(self, image_yx: np.ndarray, mask_yx: Optional[np.ndarray], found: str) -> dict[str, float]:
        if not self.classical_metrics:
            return {}
        from parfocal.focus_quality.classical import METRICS, classical_metrics

        if found not in (status.OK, status.OUT_OF_DOMAIN, status.OUT_OF_RANGE):
            return dict.fromkeys(METRICS, float("nan"))
        image = image_yx if mask_yx is None else fill_masked(image_yx, mask_yx)
        return classical_metrics(image)

    def _prepare(
        self, image_yx: np.ndarray, mask_yx: Optional[np.ndarray], network: Model
    ) -> tuple[np.ndarray, Optional[np.ndarray]]:
        """Return the plane at the model's scale and intensity, and its mask."""
        image = np.asarray(image_yx, np.float32)
        if self.black_level:
            image = np.maximum(image - np.float32(self.black_level), 0)
        if mask_yx is not None:
            image = fill_masked(image, mask_yx)
        plane = self.scale.resample(image)
        mask = None if mask_yx is None else self.scale.resample_labels(mask_yx)
        if network.config.get("input") == "counts":
            return plane * _counts_per_unit(image_yx), mask
        spread = float(plane.std(dtype=np.float64))
        return (plane - plane.flat[0]) * np.float32(_INPUT_STD / spread if spread > 0 else 1.0), mask

    def _patches(self, corners: np.ndarray, probabilities: np.ndarray) -> FocusPatches:
        zoom = self.scale.zoom
        levels, sure = expected_level(probabilities), certainty(probabilities)
        return FocusPatches(corners / zoom, PATCH_SIZE_PX / zoom, probabilities, levels, sure)

    def _estimate(
        self, probabilities: np.ndarray, shares: Optional[np.ndarray], warnings: tuple[str, ...]
    ) -> FocusEstimate:
        distribution = combine(probabilities, shares)
        mean_certainty = float(np.average(certainty(probabilities), weights=shares if _any(shares) else None))
        if distribution is None:
            reason = f"no patch shows structure (mean certainty {mean_certainty:.2f})"
            return FocusEstimate(mean_certainty=mean_certainty, status=status.NO_CONTENT, reason=reason)
        level = float(expected_level(distribution))
        predicted = int(distribution.argmax())
        if predicted == N_LEVELS - 1:
            warnings = (*warnings, "worst_level_or_beyond")
        return FocusEstimate(
            defocus_level=level,
            predicted_level=float(predicted),
            certainty=float(certainty(distribution)),
            mean_certainty=mean_certainty,
            blur_diameter_px=float("nan") if self.is_rank else self.scale.blur_diameter_px(level),
            defocus_distance_um=float("nan") if self.is_rank else self.scale.defocus_distance_um(level),
            probabilities=distribution,
            warnings=warnings,
        )

    def _objects(
        self, network: Model, plane: np.ndarray, mask: Optional[np.ndarray], labels_yx: Optional[np.ndarray]
    ) -> dict[int, FocusEstimate]:
        """Estimate each object from the patches around it."""
        if labels_yx is None:
            return {}
        labels = _label_values(labels_yx)
        lost = FocusEstimate(status=status.TOO_SMALL, reason="the object vanishes at the model's scale")
        estimates = dict.fromkeys(labels, lost)
        boxes = find_objects(np.asarray(self.scale.resample_labels(labels_yx), dtype=np.int64))
        places = {label: object_corners(boxes[label - 1], plane.shape) for label in labels if boxes[label - 1 :][:1] != [] and boxes[label - 1]}
        if not places:
            return estimates
        corners = np.concatenate(list(places.values()))
        probabilities, shares = _predict(network, plane, corners), _shares(mask, corners)
        first = 0
        for label, own in places.items():
            here = slice(first, first + len(own))
            estimates[label] = self._estimate(probabilities[here], None if shares is None else shares[here], ())
            first += len(own)
        return estimates


def _any(shares: Optional[np.ndarray]) -> bool:
    return shares is not None and bool(shares.any())


def _label_values(labels_yx: Optional[np.ndarray]) -> list[int]:
    if labels_yx is None:
        return []
    return [int(value) for value in np.unique(labels_yx) if value > 0]


def _shares(mask_yx: Optional[np.ndarray], corners: np.ndarray) -> Optional[np.ndarray]:
    """Share of each patch that is to be measured, 0 where it is too small; None without a mask."""
    if mask_yx is None:
        return None
    sums = np.pad(mask_yx.astype(np.int64), ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    y, x = corners.T
    s = PATCH_SIZE_PX
    share = (sums[y + s, x + s] - sums[y, x + s] - sums[y + s, x] + sums[y, x]) / s**2
    return np.where(share >= SMALLEST_SHARE, share, 0.0)


def _predict(network: Model, plane: np.ndarray, corners: np.ndarray) -> np.ndarray:
    parts = [corners[start : start + _PATCHES_AT_ONCE] for start in range(0, len(corners), _PATCHES_AT_ONCE)]
    return np.concatenate([network.predict(cut_patches(plane, part)[..., None]) for part in parts])


def _counts_per_unit(image_yx: np.ndarray) -> float:
    """Factor to the 16-bit range, for a network that was trained on counts: 8-bit images fill it, as do 0 to 1."""
    if image_yx.dtype == np.uint8:
        return 257.0
    return 65535.0 if image_yx.dtype.kind == "f" and image_yx.max() <= 1.0 else 1.0
