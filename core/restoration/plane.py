"""Restoring one plane: decided by its focus, brought to the networks' intensity scale, restored, and brought back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

import numpy as np

from parfocal import status
from parfocal.focus_quality.network import N_LEVELS
from parfocal.images.check import PARTLY_SATURATED_SHARE, check_plane
from parfocal.optics.optics import BLUR_PX_PER_LEVEL, Optics
from parfocal.restoration.conserve import to_input_scale
from parfocal.restoration.intensity import Intensity
from parfocal.restoration.restorers import Restorer
from parfocal.restoration.result import NAN, PlaneRestoration

SMALLEST_SIDE_PX = 32
# A pixel this far above the brightest of its neighbours, in units of the plane's range, is no image of anything.
_HOT = 3.0
# Networks and tiles reckon in float32, squares included.
_LARGEST_VALUE = 1e15
Answer = tuple[PlaneRestoration, Optional[np.ndarray], Optional[np.ndarray]]


@dataclass(frozen=True)
class PlaneRestorer:
    """Settings that all planes of an image share; call it with a plane and its focus."""

    restorer: Restorer
    optics: Optics
    optics_assumed: bool
    smallest_level: float
    defocus_level: Optional[float]
    uncertainty: bool
    saturation_level: Optional[float]

    def __call__(self, plane_yxc: np.ndarray, focus: Any) -> Answer:
        """Restore a plane (y, x, c), or say why not.

        Parameters
        ----------
        plane_yxc : ndarray
            Any type.
        focus : FocusEstimate or None
            Its measured focus; None where it was not measured.

        Returns
        -------
        answer : PlaneRestoration
        image : ndarray or None
            (y, x, c), in the type of the plane; None where the plane is left alone.
        error : ndarray or None
            Standard deviation of the error, (y, x, c), float32.
        """
        level = self._level(focus)
        refused = self._refusal(plane_yxc, focus, level)
        if refused is not None:
            return refused, None, None
        share = check_plane(plane_yxc, None, self.saturation_level).saturated_share
        warned = {
            "optics_assumed": self.optics_assumed,
            "unchecked": focus is None and self.defocus_level is None,
            "partly_saturated": share >= PARTLY_SATURATED_SHARE,
        }
        return self._restore(plane_yxc, level, [warning for warning, holds in warned.items() if holds])

    def _level(self, focus: Any) -> float:
        """Level in blur of the plane's own pixels; NaN where it is not known."""
        if self.defocus_level is not None:
            return self.defocus_level
        return NAN if focus is None else float(focus.blur_diameter_px) / BLUR_PX_PER_LEVEL

    def _refusal(self, plane_yxc: np.ndarray, focus: Any, level: float) -> Optional[PlaneRestoration]:
        """Say why a plane is left alone, or None where it is to be restored."""
        found, reason = self._checked(plane_yxc)
        if found == status.OK and focus is not None and not focus.answered:
            found, reason = focus.status, focus.reason
        if found == status.OK:
            measured = level if focus is None else float(focus.defocus_level)
            if measured < self.smallest_level and self.defocus_level is None:
                sharp = f"in focus: level {measured:.2f}, planes are restored from {self.smallest_level:g} on"
                return PlaneRestoration(defocus_level=level, reason=sharp)
            found, reason = self._out_of_range(focus, level)
        return None if found == status.OK else PlaneRestoration(defocus_level=level, status=found, reason=reason)

    def _checked(self, plane_yxc: np.ndarray) -> tuple[str, str]:
        height, width = plane_yxc.shape[:2]
        if 0 < min(height, width) < SMALLEST_SIDE_PX:
            return status.TOO_SMALL, f"{width} x {height} px, needs {SMALLEST_SIDE_PX} x {SMALLEST_SIDE_PX}"
        check = check_plane(plane_yxc, None, self.saturation_level)
        is_float = plane_yxc.dtype.kind == "f"
        if check.status == status.OK and is_float and float(np.abs(plane_yxc).max()) > _LARGEST_VALUE:
            return status.OUT_OF_RANGE, f"holds values above {_LARGEST_VALUE:g}: bring them to a smaller unit"
        return check.status, check.reason

    def _out_of_range(self, focus: Any, level: float) -> tuple[str, str]:
        largest = self.restorer.largest_level
        if self.restorer.needs_level and level != level:
            # Confocal and light-sheet planes have a rank, but no blur in pixels.
            reason = f"no blur in pixels is defined for this kind of image, and {self.restorer.name} needs it"
            return status.OUT_OF_DOMAIN, reason
        if focus is not None and focus.predicted_level >= N_LEVELS - 1:
            return status.OUT_OF_RANGE, f"out of focus by level {N_LEVELS - 1} or any amount beyond"
        if level > largest:
            reason = f"level {level:.1f} in blur of the image's own pixels, {self.restorer.name} ends at {largest:g}"
            return status.OUT_OF_RANGE, reason
        reason = self.restorer.reason_out_of_range(self.optics)
        return (status.OUT_OF_RANGE, reason) if reason else (status.OK, "")

    def _restore(self, plane_yxc: np.ndarray, level: float, warnings: list[str]) -> Answer:
        intensity = Intensity.of(plane_yxc)
        hot = hot_pixels(plane_yxc, intensity)
        if hot.any():
            warnings.append("hot_pixels")
        seen = intensity.apply(without_pixels(plane_yxc, hot))
        restored = self.restorer.restore(seen, level, self.optics, self.uncertainty)
        found = intensity.undo(restored.image)
        found[hot] = plane_yxc[hot]
        image = np.stack([to_input_scale(found[..., c], plane_yxc[..., c]) for c in range(found.shape[-1])], axis=-1)
        before = plane_yxc.astype(np.float64)
        change = float(np.sqrt(np.mean((image - before) ** 2)) / before.std())
        total = before.sum()
        ratio = float(image.sum(dtype=np.float64) / total) if total else 1.0
        error = None if restored.error is None else restored.error * np.float32(intensity.span)
        answer = PlaneRestoration(True, level, change, ratio, warnings=tuple(warnings))
        return answer, image, error


def hot_pixels(plane_yxc: np.ndarray, intensity: Intensity) -> np.ndarray:
    """Find single pixels far above all their neighbours: mask (y, x, c)."""
    from scipy.ndimage import maximum_filter

    scaled = intensity.apply(plane_yxc)
    if scaled.max() <= 1 + _HOT:
        return np.zeros(scaled.shape, bool)
    around = np.ones((3, 3, 1), bool)
    around[1, 1] = False
    return np.asarray(scaled > np.maximum(maximum_filter(scaled, footprint=around, mode="mirror"), 1) + _HOT)


def without_pixels(plane_yxc: np.ndarray, hot_yxc: np.ndarray) -> np.ndarray:
    """Replace pixels (y, x, c) by the median of 3 x 3 pixels."""
    if not hot_yxc.any():
        return plane_yxc
    from scipy.ndimage import median_filter

    return np.where(hot_yxc, median_filter(plane_yxc, size=(3, 3, 1), mode="mirror"), plane_yxc)
