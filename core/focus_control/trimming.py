"""When to trim by sharpness, and what follows from it: focus held better than estimates know it."""

from __future__ import annotations

import math
from dataclasses import replace

from parfocal import status
from parfocal.focus_control.filter import HOUR_S, Measurement, Track
from parfocal.focus_control.look import measurements
from parfocal.focus_control.memory import Memory
from parfocal.focus_control.states import CORRECT, HOLDING, RETURN, TRIM, Decision
from parfocal.focus_control.trim import Trim
from parfocal.focus_control.unseen import Decided, Waiting

# After a trim that was discarded; twice as long each time, up to 16 times.
_AGAIN_S = 60.0
# So many trims in a row that were discarded leave the focal plane to the estimates.
_UNTRIMMED_AFTER = 3
# A sample that was just put on a stage drifts so fast, and what estimates told of it may be their own errors.
_FIRST_DRIFT_UM_H = 200.0
# Steps that two layers must lie apart for the sharpness to have a peak at each.
_LAYERS_APART = 3.0


class Trimming(Waiting):
    """A situation that knows of sharpness what estimates do not tell."""

    def is_trimmed(self) -> bool:
        """Whether estimates have nothing to add to what sharpness has told of the focal plane."""
        track = self.memory.track
        if track is None or math.isnan(self.memory.trim_variance_um2):
            return False
        return track.plane_variance < self._common_um2() or self._is_wanted()

    def outlives_trim(self) -> bool:
        """Whether estimates tell more by now than sharpness has told at the last trim."""
        return not (math.isnan(self.memory.trim_variance_um2) or self.memory.track is None or self.is_trimmed())

    def untrimmed(self, least_variance_um2: float = 0.0) -> Memory:
        """Let estimates count again."""
        track = self.memory.track
        assert track is not None
        known = Measurement(track.plane_um, max(track.plane_variance, least_variance_um2))
        return replace(self.memory, track=track.jumped(known), trim_variance_um2=math.nan)

    def needs_trim(self) -> bool:
        """Whether no mean of estimates knows the focal plane within the tolerance, nor an earlier trim any more."""
        tolerance, track, trimmed = self.settings.tolerance_um, self.memory.track, self.memory.trim_variance_um2
        if track is None or not self._is_wanted() or self.look.time_s < self.memory.next_trim_s:
            return False
        if math.isnan(trimmed):
            return not self._is_broad() or track.plane_variance > tolerance**2
        return track.plane_variance > max((tolerance / 2) ** 2, 2 * trimmed) or self.is_unlike()

    def allowed_and_lead_um(self, error_um: float) -> tuple[float, float]:
        """How large an error like this one is left as it is, and how far ahead of the drift a correction aims."""
        settings, track = self.settings, self.memory.track
        lead = track.drift_um_s * settings.interval_s / 2 if track and track.drifts else 0.0
        if not self.is_trimmed():
            return settings.settle_um if self.memory.correcting else settings.tolerance_um, lead
        # What sharpness has told does not scatter from look to look: the device follows the drift in small steps.
        allowed = settings.settle_um / 4
        lead = math.copysign(min(max(abs(lead), allowed), settings.tolerance_um / 2), lead) if lead else 0.0
        return allowed + (abs(lead) if error_um * lead > 0 else 0.0), lead

    def goes_by_sharpness(self, track: Track) -> bool:
        """Whether an image that estimates say too little of need not wait for one that they say more of."""
        if not (self._is_broad() and self.memory.trusted) or self.is_unlike() or self.is_dark():
            return False
        inside = abs(self.error(track.plane_um)) <= self.settings.tolerance_um
        return self.is_trimmed() or (inside and self.needs_trim())

    def begin_trim(self, track: Track) -> Decided:
        """Take images around the focal plane, beginning with this one."""
        counts = not (self._is_broad() or self.is_unlike())
        memory = self.memory.locked(self.look) if counts else self.memory
        wait_s = max(_AGAIN_S, self.settings.interval_s) * 2 ** min(memory.trims, 4)
        trim = Trim.begin(self.look, track.plane_um, self.settings.trim_um)
        memory = replace(memory, trims=memory.trims + 1, next_trim_s=self.look.time_s + wait_s, correcting=False)
        return replace(self, memory=memory)._go_on(trim)

    def trim_further(self, trim: Trim) -> Decided:
        """Take an image of a trim in."""
        why = "dark" if self.is_dark() else trim.refusal(self.look)
        if why:
            return self._discard(trim, why)
        trim = trim.seeing(self.look)
        top = trim.top(self.settings.least_deviation_um)
        return self._go_on(trim) if top is None else self._trimmed(trim, top)

    def _go_on(self, trim: Trim) -> Decided:
        trim, why = trim.going_on(self.limits_um)
        if why:
            return self._discard(trim, why)
        if trim.leads_away():
            why = f"sharper farther than {trim.reach_um:.2f} um away"
            return replace(self, memory=self.untrimmed(trim.reach_um**2))._discard(trim, why)
        told = "estimates do not tell the focal plane within the tolerance: another image for its sharpness"
        return Decision(TRIM, HOLDING, told, trim.target_um, True), replace(self.memory, trim=trim)

    def _trimmed(self, trim: Trim, top: Measurement) -> Decided:
        memory, track, variance = self.memory, self.memory.track, top.variance_um2
        assert track is not None
        # A parabola is to be believed in its middle: one whose top lies aside asks for another trim, around it.
        top = replace(top, variance_um2=variance + (trim.off_um(top) / 2) ** 2)
        if math.isnan(memory.trim_variance_um2):
            track = replace(Track.begin(self.look.time_s, top), drift_variance=(_FIRST_DRIFT_UM_H / HOUR_S) ** 2)
        elif track.distance(top) <= self.settings.gate:
            track = track.updated(top, 0.0)
        else:
            # The sample may have changed in between: the next trim counts, whatever it finds.
            told = f"sharpest at {top.plane_um:.2f} um instead of the expected {track.plane_um:.2f} um"
            memory = replace(self.untrimmed(), next_trim_s=-math.inf)
            return replace(self, memory=memory)._discard(trim, told)
        # An image that is unlike this one may ask for another trim, but not at once.
        not_yet_s = self.look.time_s + self.settings.interval_s / 2
        memory = replace(memory, track=track, trim=None, trims=0, next_trim_s=not_yet_s)
        wanted = track.plane_um + self.look.setpoint_um
        # Later images are held against one that was taken about where they will be taken.
        memory = replace(memory, trim_variance_um2=variance, good=trim.as_at(wanted))
        _, lead = replace(self, memory=memory).allowed_and_lead_um(0.0)
        told = f"trimmed: sharpest at {top.plane_um:.2f} um ({math.sqrt(top.variance_um2):.2f} um)"
        return Decision(CORRECT, HOLDING, told, self.bounded(wanted + lead), True), memory

    def _discard(self, trim: Trim, why: str) -> Decided:
        memory = self.memory if self.memory.trims < _UNTRIMMED_AFTER else self.untrimmed()
        memory = replace(memory, trim=None)
        return Decision(RETURN, self.waiting_state(), f"trim discarded: {why}", trim.first.z_um, True), memory

    def _is_broad(self) -> bool:
        return self.look.status == status.BROAD

    def _is_wanted(self) -> bool:
        """Whether estimates do not suffice, and sharpness may."""
        if not (self.settings.trim_um > 0 and self.look.sharpness > 0 and self._layers_apart()):
            return False
        return self._is_broad() or self._common_um2() > self.settings.tolerance_um**2

    def _layers_apart(self) -> bool:
        if self.look.status != status.TWO_LAYERS:
            return True
        distances = [candidate.defocus_um for candidate in self.look.candidates[:2]]
        return max(distances) - min(distances) >= _LAYERS_APART * self.settings.trim_um

    def _common_um2(self) -> float:
        """Variance that no mean of estimates like this one takes away."""
        expected = self.memory.track.plane_um if self.memory.track else None
        options, _ = measurements(self.look, self.settings, self.limits_um, expected)
        return self.settings.common_error * max((option.variance_um2 for option in options), default=0.0)
