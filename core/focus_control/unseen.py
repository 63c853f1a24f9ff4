"""What to do without an estimate that can be used, or with one that has led astray."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Optional

from parfocal.focus_control.memory import Memory
from parfocal.focus_control.situation import Situation
from parfocal.focus_control.states import (
    CALIBRATING,
    FOLLOW,
    HOLDING,
    LOST,
    RETURN,
    SEARCH,
    STAY,
    Decision,
)

MOST_REFUTED = 8

Decided = tuple[Decision, Memory]


class Waiting(Situation):
    """A situation in which nothing usable was seen, or what was seen is not believed."""

    def unseen(self, why: str, counts: bool = True) -> Decided:
        """Without a usable estimate: go back from a probe, follow the drift for a while, or search."""
        memory, settings = self.memory, self.settings
        dark = self.is_dark()
        counts = counts and not dark
        why = f"dark, {why}" if dark else why
        memory = replace(memory, unusable=memory.unusable + counts, pending=None, trim=None, before_mismatch=math.nan)
        state = self.waiting_state()
        if self.memory.away_from_um is not None:
            again = counts and memory.unusable < settings.search_after_looks
            return Decision(RETURN, state, why, self.memory.away_from_um, again), memory
        if counts and memory.unusable >= settings.search_after_looks and self.may_search():
            told = f"{memory.unusable} looks without an estimate, {why}"
            return Decision(SEARCH, state, told, memory.good_z_um, True), memory
        target = self._along_the_drift() if state == HOLDING else None
        if target is not None:
            return Decision(FOLLOW, state, why, target), memory
        # At the start nobody waits for images that take turns with these looks.
        again = counts and state == CALIBRATING and memory.unusable < settings.search_after_looks
        return Decision(STAY, state, why, again=again), memory

    def _along_the_drift(self) -> Optional[float]:
        """Where the setpoint is expected by now, where that can be told and is worth a move."""
        memory, look = self.memory, self.look
        track, age_s = memory.track, look.time_s - memory.good_s
        if track is None or not (memory.trusted and track.drifts) or age_s > self.settings.follow_drift_s:
            return None
        error = self.error(track.plane_um)
        target = self.bounded(look.z_um - error)
        return target if abs(error) > self.settings.settle_um and target != look.z_um else None

    def doubt(self) -> Decided:
        """Look again where a correction has led away from how the last good image looked; then go back."""
        memory = replace(self.memory, doubts=self.memory.doubts + 1)
        if memory.doubts < 2:
            told = "the image looks less like the last good one than before the correction: a second look"
            return Decision(STAY, HOLDING, told, again=True), memory
        return replace(self, memory=memory).distrust("the correction led away from how the last good image looked")

    def distrust(self, why: str) -> Decided:
        """Believe what was believed before the jump, refuse what was claimed, and go back to the last good position."""
        memory = self.memory
        wrong = memory.track
        refuted = memory.refuted + ((wrong,) if wrong else ())
        former = memory.former and memory.former.at(self.look.time_s, self.settings)
        memory = replace(
            memory,
            track=former,
            trusted=former is not None,
            former=None,
            refuted=refuted[-MOST_REFUTED:],
            pending=None,
            correcting=False,
            corrections=0,
            doubts=0,
            before_mismatch=math.nan,
            trim_variance_um2=math.nan,
        )
        return Decision(RETURN, LOST, f"estimator distrusted: {why}", memory.good_z_um), memory
