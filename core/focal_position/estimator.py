"""A loaded model with the optics of one microscope: from an image to a distribution, and to an answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Optional

import numpy as np

from parfocal import status
from parfocal.focal_position.bins import Bins
from parfocal.focal_position.inputs import (
    SMALLEST_SIDE_PX,
    contrast_problem,
    default_input,
    paper_input,
    reduced,
)
from parfocal.focal_position.likeness import read_known
from parfocal.focal_position.network import pooled, softmax
from parfocal.focal_position.read_out import read_distribution
from parfocal.focal_position.result import FocalPosition
from parfocal.focal_position.settings import DEPTH_OF_FIELD
from parfocal.focus_quality.scale import ModelScale
from parfocal.images.check import PARTLY_SATURATED_SHARE, check_plane
from parfocal.images.lone_pixels import without_lone_pixels
from parfocal.optics.optics import Optics
from parfocal.registry import Model

UNKNOWN, POSITIVE, NEGATIVE = "unknown", "positive", "negative"
ABERRATIONS = (UNKNOWN, POSITIVE, NEGATIVE)


@dataclass(frozen=True)
class FocalPositionEstimator:
    """Call it with an image (y, x): what a control loop needs.

    Attributes
    ----------
    network : Model
    optics : Optics, optional
        Needed by models whose unit is the depth of field.
    spherical_aberration : str
        `unknown`, `positive` or `negative`; models that were trained on real stacks do not ask for it.
    saturation_level : float, optional
    refusal : str
        Why the kind of microscope is refused; nothing where it is not.
    """

    network: Model
    optics: Optional[Optics] = None
    spherical_aberration: str = UNKNOWN
    saturation_level: Optional[float] = None
    refusal: str = ""

    def __post_init__(self) -> None:
        if self._scales and self.optics is None:
            raise ValueError(
                f"the model {self.network.folder.name!r} gives depths of field: pixel_size_um, numerical_aperture and "
                "emission_wavelength_um must all be given, or a model that was calibrated on your own stacks"
            )

    def __call__(self, image_yx: np.ndarray) -> FocalPosition:
        """Estimate the focal position of an image (y, x)."""
        found, reason, share = self._check(image_yx)
        if found != status.OK:
            return self._refused(found, reason)
        image_yx, hot = without_lone_pixels(image_yx)
        seen = image_yx if self._is_paper else reduced(image_yx, self._zoom)
        problem = contrast_problem(seen)
        if problem:
            return self._refused(status.NO_CONTENT, problem)
        probability, features = self._distribution(seen)
        unlike = self._unlike(features)
        if unlike:
            return self._refused(status.OUT_OF_DOMAIN, unlike)
        told = read_distribution(self.positions_um, probability)
        warned = {"partly_saturated": share >= PARTLY_SATURATED_SHARE, "hot_pixels": hot}
        return replace(told, warnings=(*told.warnings, *(name for name, holds in warned.items() if holds)))

    @property
    def positions_um(self) -> np.ndarray:
        """Middles of the bins, um."""
        positions = Bins.from_dict(self.network.config["bins"]).positions
        return positions * self._scale.defocus_distance_um(1.0) if self._scales else positions

    def _distribution(self, seen_yx: np.ndarray) -> tuple[np.ndarray, Optional[np.ndarray]]:
        """Distribution over the bins (n,), and the features of the image where the network has any."""
        config = self.network.config
        if self._is_paper:
            inputs = paper_input(seen_yx, config["training"]["crop_px"], config["training"]["downsampling"])
            return softmax(self.network.predict(inputs[None, ..., None]))[0], None
        maps = self.network.predict(default_input(seen_yx)[None, ..., None])
        distribution, features = pooled(maps, Bins.from_dict(config["bins"]).count)
        return self._signed(distribution[0]), features[0]

    def _signed(self, distribution: np.ndarray) -> np.ndarray:
        """Mirror the distribution for the other sign of the aberration, or both ways where the sign is not known."""
        if self.network.config["sign"] != "aberration" or self.spherical_aberration == POSITIVE:
            return distribution
        if self.spherical_aberration == NEGATIVE:
            return distribution[::-1]
        return (distribution + distribution[::-1]) / 2

    def _check(self, image_yx: np.ndarray) -> tuple[str, str, float]:
        if self.refusal:
            return status.OUT_OF_DOMAIN, self.refusal, 0.0
        far = self._reason_out_of_range()
        if far:
            return status.OUT_OF_RANGE, far, 0.0
        needed = self._smallest_px
        if min(image_yx.shape) < needed:
            return status.TOO_SMALL, f"{image_yx.shape[1]} x {image_yx.shape[0]} px, needs {needed} x {needed}", 0.0
        check = check_plane(image_yx, saturation_level=self.saturation_level)
        return check.status, check.reason, check.saturated_share

    def _reason_out_of_range(self) -> str:
        if not self._scales or self.optics is None:
            return ""
        low, high = self.network.config["numerical_aperture"]
        aperture, index = self.optics.numerical_aperture, self.optics.immersion_index
        if not 0.9 * low <= aperture <= 1.1 * high or index > self.network.config["largest_immersion_index"]:
            own = f"this one has {aperture:g} and immersion index {index:g}"
            return f"the model is for air objectives of NA {low:g} to {high:g}, {own}: calibrate one on your stacks"
        return self._scale.reason_out_of_range()

    def _unlike(self, features: Optional[np.ndarray]) -> str:
        if features is None or "known" not in self.network.config:
            return ""
        known = read_known(self.network.folder / self.network.config["known"])
        distance = float(known.distance(features[None])[0])
        if distance <= known.limit:
            return ""
        return f"it looks like nothing the model was trained on: distance {distance:.2f}, limit {known.limit:.2f}"

    def _refused(self, found: str, reason: str) -> FocalPosition:
        positions = self.positions_um
        return FocalPosition(found, reason, positions_um=positions, probability=np.full(len(positions), np.nan))

    @property
    def _is_paper(self) -> bool:
        return bool(self.network.config["architecture"] == "wei2018")

    @property
    def _scales(self) -> bool:
        return bool(self.network.config["unit"] == DEPTH_OF_FIELD)

    @property
    def _scale(self) -> ModelScale:
        return ModelScale.of(self.optics)

    @property
    def _zoom(self) -> float:
        return self._scale.zoom if self._scales else float(self.network.config["zoom"])

    @property
    def _smallest_px(self) -> int:
        if self._is_paper:
            return int(self.network.config["training"]["crop_px"])
        return int(np.ceil(SMALLEST_SIDE_PX / self._zoom))


def refusal_of(config: dict[str, Any], modality: str) -> str:
    """Say why a kind of microscope is refused by a model, or nothing."""
    if config["sign"] == "trained" or modality == "widefield_fluorescence":
        return ""
    return (
        f"the model is for widefield fluorescence, not for {modality.replace('_', ' ')}: calibrate one on your stacks"
    )
