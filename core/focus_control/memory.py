"""What the controller remembers from one look to the next."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Optional

from parfocal.focus_control.filter import Measurement, Track
from parfocal.focus_control.look import Look
from parfocal.focus_control.settings import HoldFocus
from parfocal.focus_control.states import (
    CALIBRATING,
    CORRECT,
    HOLDING,
    IDLE,
    LOCKED,
    LOST,
    MOVES,
    SEARCH,
    Decision,
    Outcome,
)
from parfocal.focus_control.trim import Trim


@dataclass(frozen=True)
class Pending:
    """A look that waits for a second one from another z; `mismatch` is what the image has with the last good one."""

    z_um: float
    options: tuple[Measurement, ...]
    mismatch: float = math.nan


@dataclass(frozen=True)
class Memory:
    """State of the controller.

    Attributes
    ----------
    state : str
    track : Track, optional
        Filter; None before the first measurement.
    trusted : bool
        Whether the estimates were seen to follow the device.
    pending : Pending, optional
    correcting : bool
        Whether a correction has begun that is to end within `settle_um`.
    unusable, faults, stage_faults, corrections, doubts, unlike : int
        In a row: looks without a usable estimate, looks without an image, moves that failed, corrections without a
        lock, looks that speak against the last correction, looks at the setpoint that are unlike the last good one.
    good_z_um, good_s : float
        Position and time of the last look that was locked, or of the last search that found something.
    good : Look, optional
        The last look that was locked, where later images can be held against it.
    shape : tuple of int
        Of the last image.
    before_mismatch : float
        Least `mismatch` since the correction began; NaN where there is nothing to hold it against.
    former : Track, optional
        What was believed before the last jump.
    refuted : tuple of Track
        Focal planes that a correction towards them has shown to be wrong; not believed again for
        `search_again_s`.
    searches : int
        Since the last lock.
    next_search_s : float
    trim : Trim, optional
        That is under way.
    trim_variance_um2 : float
        Of the focal plane by the last trim that the filter rests on; NaN where it rests on estimates.
    trims : int
        Since the last one that told the focal plane.
    next_trim_s : float
    """

    state: str = IDLE
    track: Optional[Track] = None
    trusted: bool = False
    pending: Optional[Pending] = None
    correcting: bool = False
    unusable: int = 0
    faults: int = 0
    stage_faults: int = 0
    corrections: int = 0
    doubts: int = 0
    unlike: int = 0
    good_z_um: float = math.nan
    good_s: float = math.nan
    good: Optional[Look] = None
    shape: tuple[int, int] = (0, 0)
    before_mismatch: float = math.nan
    former: Optional[Track] = None
    refuted: tuple[Track, ...] = ()
    searches: int = 0
    next_search_s: float = -math.inf
    trim: Optional[Trim] = None
    trim_variance_um2: float = math.nan
    trims: int = 0
    next_trim_s: float = -math.inf

    @classmethod
    def begin(cls, time_s: float, z_um: float) -> Memory:
        """Begin where the device is: there it returns to as long as nothing better is known."""
        return cls(CALIBRATING, good_z_um=z_um, good_s=time_s)

    @property
    def away_from_um(self) -> Optional[float]:
        """Where the device was before the probe or the trim that is under way."""
        if self.pending is not None:
            return self.pending.z_um
        return None if self.trim is None else self.trim.first.z_um

    def seeing(self, look: Look, settings: HoldFocus) -> Memory:
        """Bring the filter to the time of a look; sharpness is not held against that of images of another size."""
        track = self.track and self.track.at(look.time_s, settings)
        if look.fault or look.shape == self.shape:
            return replace(self, track=track)
        return replace(self, track=track, shape=look.shape, good=None, before_mismatch=math.nan, doubts=0)

    def mismatch(self, look: Look) -> float:
        """How unlike the last good image a look is in sharpness: size of the logarithm of their ratio.

        It does not ask which way: phase objects in bright field are least contrasted in focus. NaN where there is no
        sharpness to compare; what is less than a tenth counts as a tenth.
        """
        if self.good is None or self.good.setpoint_um != look.setpoint_um:
            return math.nan
        if not (self.good.sharpness > 0 and math.isfinite(look.sharpness)):
            return math.nan
        ratio = look.sharpness / self.good.sharpness
        return abs(math.log(min(max(ratio, 0.1), 10.0)))

    def locked(self, look: Look) -> Memory:
        """Remember a look that shows the setpoint."""
        return replace(
            self,
            state=LOCKED,
            good_z_um=look.z_um,
            good_s=look.time_s,
            good=look,
            unlike=0,
            corrections=0,
            former=None,
            searches=0,
            next_search_s=-math.inf,
        )

    def after(self, decision: Decision, outcome: Outcome, now_s: float, settings: HoldFocus) -> Memory:
        """Take in what became of a decision."""
        if decision.action == SEARCH:
            return self.searched(outcome.found_um, now_s, settings)
        if decision.action not in MOVES:
            return self
        if outcome.reached:
            return replace(self, stage_faults=0)
        failed = self.stage_faults + 1
        state = LOST if failed >= settings.faults_until_lost else HOLDING
        # A correction that the device did not carry out says nothing of the estimator.
        corrections = max(0, self.corrections - (decision.action == CORRECT))
        return replace(
            self,
            state=state,
            stage_faults=failed,
            corrections=corrections,
            pending=None,
            trim=None,
            before_mismatch=math.nan,
        )

    def searched(self, found_um: float, now_s: float, settings: HoldFocus) -> Memory:
        """Take in what a search found: it is held there until the estimator agrees."""
        # Each search waits twice as long as the one before, up to 16 times.
        wait_s = settings.search_again_s * 2 ** min(self.searches, 4)
        memory = replace(
            self, searches=self.searches + 1, next_search_s=now_s + wait_s, unusable=0, pending=None, corrections=0
        )
        if math.isnan(found_um):
            return replace(memory, state=LOST)
        return replace(
            memory,
            state=HOLDING,
            track=None,
            trusted=False,
            good_z_um=found_um,
            good_s=now_s,
            good=None,
            former=None,
            refuted=(),
            before_mismatch=math.nan,
            doubts=0,
            trim_variance_um2=math.nan,
        )
