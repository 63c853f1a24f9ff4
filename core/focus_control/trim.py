"""A trim: a few images around the focal plane whose sharpness tells where it is, where estimates cannot."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Optional

from parfocal.focus_control.bracket import NEAREST, Point, bracketed, next_position
from parfocal.focus_control.filter import Measurement
from parfocal.focus_control.look import Look

# Images at most, and steps from the expected focal plane at most.
_MOST_IMAGES, _REACH = 6, 3.0
# In longer the sample may have bleached, moved or drifted.
_LONGEST_S = 60.0
# Share by which the mean of the images may change: defocus keeps it, but for the borders.
_SAME_LIGHT = 0.05


@dataclass(frozen=True)
class Trim:
    """Images of a trim so far.

    Attributes
    ----------
    first : Look
        With which it began, at the setpoint: there it returns to.
    plane_um : float
        Expected focal plane.
    step_um : float
        From image to image.
    points : tuple of (float, float)
        Position and sharpness of each image.
    target_um : float
        Where the next image is to be taken.
    """

    first: Look
    plane_um: float
    step_um: float
    points: tuple[Point, ...]
    target_um: float = math.nan

    @classmethod
    def begin(cls, look: Look, plane_um: float, step_um: float) -> Trim:
        """Begin with the image of a look."""
        return cls(look, plane_um, step_um, ((look.z_um, look.sharpness),))

    @property
    def reach_um(self) -> float:
        """Farthest from the expected focal plane that images are taken."""
        return _REACH * self.step_um

    def seeing(self, look: Look) -> Trim:
        """Take in an image; one at a setpoint far from the focal plane would make the parabola lopsided."""
        near = abs(self.points[0][0] - self.plane_um) < NEAREST * self.step_um
        return replace(self, points=(*(self.points if near else ()), (look.z_um, look.sharpness)))

    def refusal(self, look: Look) -> str:
        """Why an image cannot be held against the first; empty where it can."""
        if look.shape != self.first.shape:
            return "the image size changed"
        if abs(look.z_um - self.target_um) > NEAREST / 2 * self.step_um:
            return "the focus device was moved in between"
        if look.time_s - self.first.time_s > _LONGEST_S:
            return f"it took more than {_LONGEST_S:g} s"
        if not look.sharpness > 0:
            return "an image has no sharpness"
        if not abs(look.mean - self.first.mean) <= _SAME_LIGHT * abs(self.first.mean):
            return "the light changed"
        return ""

    def top(self, least_deviation_um: float) -> Optional[Measurement]:
        """Focal plane by the sharpness; None as long as it has no clear peak with an image on either side."""
        found = bracketed(self.points, self.step_um)
        return found and Measurement(found.plane_um, found.variance_um2 + least_deviation_um**2)

    def going_on(self, limits_um: tuple[float, float]) -> tuple[Trim, str]:
        """With the position of the next image, or why there is none."""
        wanted = next_position(self.points, (self.plane_um,), self.step_um)
        target = min(max(wanted, limits_um[0]), limits_um[1])
        if self._is_seen(wanted):
            return self, "the sharpness has no clear peak"
        if len(self.points) >= _MOST_IMAGES:
            return self, f"no peak within {_MOST_IMAGES} images"
        if self._is_seen(target):
            return self, "the limits leave no room on both sides of the sharpest image"
        return replace(self, target_um=target), ""

    def off_um(self, top: Measurement) -> float:
        """How far the top lies above the sharpest image."""
        return top.plane_um - max(self.points, key=lambda point: point[1])[0]

    def as_at(self, z_um: float) -> Optional[Look]:
        """The first look with the sharpness of an image that was taken about at a position; None without one."""
        seen = (*self.points, (self.first.z_um, self.first.sharpness))
        nearest = min(seen, key=lambda point: abs(point[0] - z_um))
        near = abs(nearest[0] - z_um) < NEAREST * self.step_um
        return replace(self.first, z_um=nearest[0], sharpness=nearest[1]) if near else None

    def leads_away(self) -> bool:
        """Whether the next image would lie beyond the reach."""
        return abs(self.target_um - self.plane_um) > self.reach_um

    def _is_seen(self, z_um: float) -> bool:
        return any(abs(z_um - z) < NEAREST * self.step_um for z, _ in self.points)
