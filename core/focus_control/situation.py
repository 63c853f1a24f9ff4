"""One look with what is remembered: what it is evidence of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from parfocal.focus_control.filter import Measurement, Track
from parfocal.focus_control.look import Look
from parfocal.focus_control.memory import Memory
from parfocal.focus_control.settings import HoldFocus
from parfocal.focus_control.states import CALIBRATING, HOLDING, LOST

# A darker image with less than these shares of the contrast and the noise of the last good one was taken without light.
_DARK_CONTRAST, _DARK_NOISE = 0.5, 0.75


@dataclass(frozen=True)
class Situation:
    """A look, the memory at its time, and what both are judged by."""

    look: Look
    memory: Memory
    settings: HoldFocus
    limits_um: tuple[float, float]

    def is_near(self, options: Sequence[Measurement], track: Track) -> bool:
        """Whether nothing is to be corrected on whichever side the focal plane lies."""
        tolerance = self.settings.tolerance_um
        planes_um = (track.plane_um, *(option.plane_um for option in options))
        return all(abs(self.error(plane_um)) <= tolerance for plane_um in planes_um)

    def error(self, plane_um: float) -> float:
        """How far the device is above the setpoint if the focal plane lies there, um."""
        return self.look.z_um - (plane_um + self.look.setpoint_um)

    def bounded(self, target_um: float) -> float:
        """Bring a target within the largest step and the limits."""
        z_um, longest = self.look.z_um, self.settings.largest_step_um
        step = min(max(target_um - z_um, -longest), longest)
        return min(max(z_um + step, self.limits_um[0]), self.limits_um[1])

    def waiting_state(self) -> str:
        """State as long as nothing usable is seen."""
        memory = self.memory
        if memory.state in (LOST, CALIBRATING):
            return memory.state
        return HOLDING if self.look.time_s - memory.good_s <= self.settings.hold_s else LOST

    def may_search(self) -> bool:
        """Whether a search is wanted and due, and the image not as sharp as the last good one."""
        wanted = bool(self.settings.focus_metric) and self.look.time_s >= self.memory.next_search_s
        return wanted and not self.is_sharp()

    def is_sharp(self) -> bool:
        """Whether the image is as sharp as the last good one."""
        return self.memory.mismatch(self.look) <= -math.log(max(self.settings.sharpness_share, 1e-3))

    def is_unlike(self) -> bool:
        """Whether the image differs from the last good one, as far as there is one."""
        return self.rises_from(0.0)

    def rises_from(self, mismatch: float) -> bool:
        """Whether the image looks less like the last good one than before."""
        rise = self.memory.mismatch(self.look) - mismatch
        return rise > -math.log(max(self.settings.sharpness_share, 1e-3))

    def is_dark(self) -> bool:
        """Whether the image was taken without light."""
        look, good = self.look, self.memory.trim.first if self.memory.trim else self.memory.good
        if good is None or look.fault:
            return False
        # Defocus lowers contrast and, at the borders, the mean; what it leaves is the noise that comes with light.
        return (
            look.mean < good.mean
            and look.contrast < _DARK_CONTRAST * good.contrast
            and look.noise < _DARK_NOISE * good.noise
        )

    def is_refuted(self, option: Measurement) -> bool:
        """Whether a correction towards this focal plane was taken back not long ago."""
        since_s = self.look.time_s - self.settings.search_again_s
        recent = [wrong for wrong in self.memory.refuted if wrong.time_s >= since_s]
        return any(wrong.distance(option) <= self.settings.gate for wrong in recent)
