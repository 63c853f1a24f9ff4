"""What CellProfiler is told of a measured stack of beads: numbers, text, objects."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Optional

import numpy as np

if __package__:
    from ._parfocal_bead_names import STACK_FEATURES
else:  # CellProfiler imports the files of its plugins folder one by one, with the folder on the path.
    from _parfocal_bead_names import STACK_FEATURES

_WIDTHS = {"LateralFwhmUm": "lateral_fwhm_um", "AxialFwhmUm": "axial_fwhm_um"}
_WIDTHS["SignalToBackground"] = "signal_to_background"


@dataclass(frozen=True)
class MeasuredBeads:
    """A measured stack of beads.

    Attributes
    ----------
    result : parfocal.beads.result.BeadFocalPlane
    image_numbers : tuple of int
        Image sets of the planes, or the one of a 3D image.
    shapes_yx : tuple
        Size of each plane.
    z_um : ndarray
        (n,) position of each plane, um; NaN where it is not known.
    reasons : tuple of str
        For each plane nothing, or why it was left out.
    plane_index : int
        Plane nearest to the reference focal plane, or the middle one.
    plane_yx : ndarray or None
        That plane, counts.
    single : bool
        Whether it is a single image, whose plane lies at z = 0, and no stack.
    """

    result: Any
    image_numbers: tuple[int, ...]
    shapes_yx: tuple[tuple[int, int], ...]
    z_um: np.ndarray
    reasons: tuple[str, ...]
    plane_index: int = 0
    plane_yx: Optional[np.ndarray] = field(default=None, repr=False)
    single: bool = False

    def features(self) -> dict[str, float]:
        """Numbers of the stack, or of a single image by its beads; NaN where there is no answer."""
        numbers = self.result.numbers()
        return {name: value for name, value in numbers.items() if not (self.single and name in STACK_FEATURES)}

    def plane_features(self, index: int) -> dict[str, float]:
        """Numbers of one plane: its signed distance, positive above the reference focal plane, and where it lies.

        A plane of a group has its position, a single image the interval of the distance.
        """
        z, (low, high) = float(self.z_um[index]), self.result.interval_um
        distance = z - self.result.reference_focal_plane_um
        if self.single:
            return {"DistanceUm": distance, "DistanceLowUm": z - high, "DistanceHighUm": z - low}
        return {"PlaneZUm": z, "DistanceUm": distance}

    def texts(self) -> dict[str, str]:
        """Text measurements."""
        left_out = [index for index, reason in enumerate(self.reasons) if reason]
        warnings = list(self.result.warnings)
        if left_out:
            planes = f"{len(left_out)} of {len(self.reasons)}"
            warnings.append(f"planes_left_out ({planes}; number {left_out[0] + 1}: {self.reasons[left_out[0]]})")
        return {"Status": self.result.status, "Reason": self.result.reason, "Warnings": ", ".join(warnings)}

    def bead_features(self) -> dict[str, np.ndarray]:
        """Numbers of the beads, an array in the order of the object numbers."""
        beads = self.result.beads
        columns = {
            "Used": [float(bead.used) for bead in beads],
            "FocalPlaneUm": [bead.focal_plane_um for bead in beads],
            "DistanceUm": [bead.focal_plane_um - self.result.reference_focal_plane_um for bead in beads],
        }
        if not self.single:
            columns["FocalPlaneErrorUm"] = [bead.focal_plane_error_um for bead in beads]
        if not self.single and self.result.contrast == "fluorescence":
            for feature, name in _WIDTHS.items():
                columns[feature] = [getattr(bead.widths, name, math.nan) for bead in beads]
        return {feature: np.array(values, dtype=float) for feature, values in columns.items()}

    def places_zyx_px(self) -> np.ndarray:
        """Centres (bead, 3): index of the plane nearest to the bead's focal plane, y, x."""
        places = [(self._plane_of(bead), bead.y_px, bead.x_px) for bead in self.result.beads]
        return np.array(places, dtype=float).reshape(-1, 3)

    def volume_labels(self) -> np.ndarray:
        """Label image (z, y, x) of the beads, each a disc in the plane nearest to its focal plane."""
        labels = np.zeros((len(self.shapes_yx), *self.shapes_yx[0]), np.uint16)
        for number, (z, y, x) in enumerate(self.places_zyx_px(), 1):
            draw_disc(labels[int(z)], (y, x), self.diameter_px, number)
        return labels

    def plane_labels(self, index: int) -> np.ndarray:
        """Label image (y, x) of the beads on a plane of a group; only the one nearest to focus has any."""
        labels = np.zeros(self.shapes_yx[index], np.uint16)
        if index == self.plane_index:
            for number, (_, y, x) in enumerate(self.places_zyx_px(), 1):
                draw_disc(labels, (y, x), self.diameter_px, number)
        return labels

    @property
    def diameter_px(self) -> float:
        """Diameter of the beads in pixels."""
        return self.result.bead_diameter_um / self.result.pixel_size_um

    def _plane_of(self, bead: Any) -> int:
        if not math.isfinite(bead.focal_plane_um):
            return self.plane_index
        return nearest_plane(self.z_um, self.reasons, bead.focal_plane_um)


def nearest_plane(z_um: np.ndarray, reasons: Sequence[str], wanted_um: float) -> int:
    """Index of the plane nearest to a position, of those that were measured; the middle one where it is NaN."""
    usable = [index for index, reason in enumerate(reasons) if not reason] or list(range(len(reasons)))
    if not math.isfinite(wanted_um):
        return usable[len(usable) // 2]
    return usable[int(np.nanargmin(np.abs(z_um[usable] - wanted_um)))]


def draw_disc(labels_yx: np.ndarray, centre_yx: tuple[float, float], diameter_px: float, number: int) -> None:
    """Draw a disc into a label image; what belongs to another bead stays its own."""
    y, x = np.ogrid[: labels_yx.shape[0], : labels_yx.shape[1]]
    inside = np.hypot(y - centre_yx[0], x - centre_yx[1]) <= diameter_px / 2
    labels_yx[inside & (labels_yx == 0)] = number
