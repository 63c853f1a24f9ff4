"""What to do after a look: a function of the look and of what is remembered, so that a log can be replayed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from parfocal.focus_control.confirm import agreed, probe_size_um, reversed_stage
from parfocal.focus_control.filter import Measurement, Track
from parfocal.focus_control.look import Look, measurements
from parfocal.focus_control.memory import Memory, Pending
from parfocal.focus_control.settings import HoldFocus
from parfocal.focus_control.states import CALIBRATING, CORRECT, HOLDING, LOCKED, LOST, PROBE, STAY, Decision
from parfocal.focus_control.trimming import Trimming
from parfocal.focus_control.unseen import MOST_REFUTED, Decided

# So many looks in a row at the setpoint that are unlike the last good one show that the sample has changed.
_UNTIL_NEW_LIKENESS = 2


def decide(look: Look, memory: Memory, settings: HoldFocus, limits_um: tuple[float, float]) -> Decided:
    """Decide what to do after a look.

    Parameters
    ----------
    look : Look
    memory : Memory
        Of the looks before.
    settings : HoldFocus
    limits_um : tuple of float
        Lowest and highest position.

    Returns
    -------
    decision : Decision
    memory : Memory
        To be given `Memory.after` what became of the decision, then to the next look.
    """
    before = memory.shape
    decision, memory = _Decider(look, memory.seeing(look, settings), settings, limits_um).decide()
    if not look.fault and before not in ((0, 0), look.shape):
        told = f"image size changed from {before[1]} x {before[0]} to {look.width_px} x {look.height_px}; "
        decision = replace(decision, reason=told + decision.reason)
    return decision, replace(memory, state=decision.state)


class _Decider(Trimming):
    """The decisions, from the first question on."""

    def decide(self) -> Decided:
        look, memory = self.look, self.memory
        if look.fault:
            return self._faulty()
        here = replace(self, memory=replace(memory, faults=0))
        if memory.trim is not None:
            return here.trim_further(memory.trim)
        expected = memory.track.plane_um if memory.track else None
        options, why = measurements(look, self.settings, self.limits_um, expected)
        options = tuple(option for option in options if not here.is_refuted(option))
        if options and here.outlives_trim():
            here = replace(here, memory=here.untrimmed())
        track = here.memory.track
        if options and here.rises_from(memory.before_mismatch):
            return here.doubt()
        if memory.pending is not None:
            return here._second(options, why or "the estimate was refuted before")
        if not options and track is not None and here.goes_by_sharpness(track):
            return here._correct(track)
        if not options:
            return here.unseen(why or "the estimate was refuted before")
        if track is None or not memory.trusted:
            return here._probe(options, "whether the estimates follow the focus device")
        return here._compare(options, track)

    def _faulty(self) -> Decided:
        faults = self.memory.faults + 1
        here = replace(self, memory=replace(self.memory, faults=faults))
        decision, memory = here.unseen(self.look.fault, counts=False)
        if faults >= self.settings.faults_until_lost:
            decision = replace(decision, state=LOST)
        return decision, memory

    def _compare(self, options: Sequence[Measurement], track: Track) -> Decided:
        """Hold an estimate against what was expected."""
        inside = [option for option in options if track.distance(option) <= self.settings.gate]
        if len(inside) == 1 or (inside and self.is_trimmed()):
            return self._correct(self._updated(track, inside[0]))
        if not inside:
            return self._probe(options, f"{options[0].plane_um:.2f} um instead of the expected {track.plane_um:.2f} um")
        if self.is_near(inside, track):
            return self._correct(track)
        return self._probe(options, "above or below")

    def _probe(self, options: Sequence[Measurement], purpose: str) -> Decided:
        """Move a little, towards the setpoint where that is known, and look again."""
        size = probe_size_um(options, self.settings.probe_um, self.settings.largest_step_um)
        z_um = self.look.z_um
        up = self.error(options[0].plane_um) < 0
        target = z_um + (size if up else -size)
        low, high = self.limits_um
        if not low <= target <= high:
            target = min(max(z_um - (target - z_um), low), high)
        state = self.waiting_state()
        pending = Pending(z_um, tuple(options), self.memory.mismatch(self.look))
        memory = replace(self.memory, pending=pending, before_mismatch=math.nan)
        return Decision(PROBE, state, f"a second look is to tell: {purpose}", target, True), memory

    def _second(self, options: Sequence[Measurement], why: str) -> Decided:
        """Put the look before the probe and this one together."""
        pending, track, trusted = self.memory.pending, self.memory.track, self.memory.trusted
        assert pending is not None
        moved = self.look.z_um - pending.z_um
        plane = agreed(pending.options, options, moved)
        # Of a single estimate the probe went the way that it claims: there the image cannot become worse.
        if plane is not None and len(pending.options) == 1 and self.rises_from(pending.mismatch):
            refuted = (*self.memory.refuted, Track.begin(self.look.time_s, plane))[-MOST_REFUTED:]
            told = "the estimate leads away from how the last good image looked"
            return replace(self, memory=replace(self.memory, refuted=refuted)).unseen(told)
        if plane is not None:
            return self._accept(plane, pending.mismatch)
        if options and trusted and track is not None:
            inside = [option for option in options if track.distance(option) <= self.settings.gate]
            if len(inside) == 1:
                return self._correct(self._updated(track, inside[0]))
        if not options:
            return self.unseen(why)
        if reversed_stage(pending.options, options, moved):
            return self.unseen(
                "the estimates fall as the focus device rises: its direction, or their sign, is reversed"
            )
        return self.unseen(f"the estimates do not follow the focus device, which moved by {moved:.2f} um")

    def _accept(self, plane: Measurement, mismatch: float) -> Decided:
        memory, track = self.memory, self.memory.track
        former = memory.former
        if track is None:
            track = Track.begin(self.look.time_s, plane)
        elif track.distance(plane) <= self.settings.gate:
            track = self._updated(track, plane)
        else:
            former = former or (track if memory.trusted else None)
            track = track.jumped(plane)
            memory = replace(memory, trim_variance_um2=math.nan)
        memory = replace(memory, trusted=True, pending=None, former=former, before_mismatch=mismatch)
        return replace(self, memory=memory)._correct(track)

    def _updated(self, track: Track, measured: Measurement) -> Track:
        """Take an estimate in, unless sharpness has told the focal plane better than estimates can."""
        return track if self.is_trimmed() else track.updated(measured, self.settings.common_error)

    def _correct(self, track: Track) -> Decided:
        """Hold still within the hysteresis, else move to where the setpoint will be halfway to the next look."""
        settings, look = self.settings, self.look
        memory = replace(self.memory, track=track, pending=None, unusable=0, doubts=0, before_mismatch=math.nan)
        error = self.error(track.plane_um)
        inside = abs(error) <= settings.tolerance_um
        here = replace(self, memory=memory)
        if inside and here.needs_trim():
            return here.begin_trim(track)
        if inside and self.is_unlike() and memory.unlike < _UNTIL_NEW_LIKENESS:
            # A jump may hide in the uncertainty of an estimate: later images must not be held against this one.
            told = "at the setpoint by the estimate, but the image is unlike the last good one: another look"
            return Decision(STAY, HOLDING, told, again=True), replace(memory, unlike=memory.unlike + 1)
        if inside:
            memory = memory.locked(look)
        allowed, lead = here.allowed_and_lead_um(error)
        if abs(error) <= allowed:
            told = f"{error:+.2f} um from the setpoint"
            return Decision(STAY, LOCKED, told), replace(memory, correcting=False)
        target = self.bounded(look.z_um - error + lead)
        state = LOCKED if inside else CALIBRATING if self.memory.state == CALIBRATING else HOLDING
        if target == look.z_um:
            return Decision(STAY, HOLDING, "the focal plane lies beyond the limits"), memory
        if not inside:
            least = float(np.fmin(self.memory.before_mismatch, memory.mismatch(look)))
            memory = replace(memory, corrections=memory.corrections + 1, before_mismatch=least)
        if memory.corrections > settings.distrust_after and not self.is_sharp():
            return replace(self, memory=memory).distrust(f"{memory.corrections} corrections in a row did not get there")
        told = f"{error:+.2f} um from the setpoint"
        return Decision(CORRECT, state, told, target, not inside), replace(memory, correcting=True)
