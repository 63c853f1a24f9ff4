"""The control loop, one look at a time: image, estimate, decision, move, row."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np

from parfocal.focal_position.result import FocalPosition
from parfocal.focus_control.decide import decide
from parfocal.focus_control.log import END, SWEEP, LogWriter, Row
from parfocal.focus_control.look import Look, describe
from parfocal.focus_control.memory import Memory
from parfocal.focus_control.microscope import Microscope
from parfocal.focus_control.rows import row_of
from parfocal.focus_control.search import search
from parfocal.focus_control.settings import HoldFocus
from parfocal.focus_control.stage import Move, StageGuard
from parfocal.focus_control.states import (
    IDLE,
    LOCKED,
    MOVES,
    RETURN,
    SEARCH,
    SEARCHING,
    STOPPED,
    TRIM,
    Decision,
    Outcome,
)

Estimator = Callable[[np.ndarray], FocalPosition]


class FocusController:
    """Looks, decides and moves; knows nothing of threads.

    Parameters
    ----------
    microscope : Microscope
    estimate : callable
        Image (y, x) to `FocalPosition`. An attribute `range_um` (lowest and highest defocus) is held against the
        setpoint.
    settings : HoldFocus
    log : str or Path, optional
        CSV to write.
    on_row : callable, optional
        Is given each row of the log.

    Raises
    ------
    ValueError
        Where the limits exclude the present position, or the setpoint lies outside the estimator's range.
    StageError
        Where the position cannot be read.
    """

    def __init__(
        self,
        microscope: Microscope,
        estimate: Estimator,
        settings: HoldFocus,
        log: Optional[Union[str, Path]] = None,
        on_row: Optional[Callable[[Row], None]] = None,
    ) -> None:
        settings.check_range(getattr(estimate, "range_um", None))
        self._microscope, self._estimate, self.settings = microscope, estimate, settings
        self._on_row = on_row
        self._engaged: Callable[[], str] = getattr(microscope, "engaged", str)
        self.callback_fault = ""
        self.cancelled: Callable[[], bool] = lambda: False
        # Nothing is to be moved any more.
        self.stays = False
        self._guard, start = StageGuard.begin(microscope, settings)
        self.setpoint_um = settings.setpoint(settings.channel)
        now = microscope.now_s()
        self.memory = replace(Memory.begin(now, start), state=IDLE)
        self.log = LogWriter(log, settings, self.limits_um, now, start, self._guard.by_offset)

    @property
    def limits_um(self) -> tuple[float, float]:
        """Lowest and highest position that may be commanded."""
        return self._guard.limits_um

    def look(self) -> tuple[Row, Decision]:
        """Take one look and do what follows from it."""
        if self.memory.state == IDLE:
            self.memory = Memory.begin(self._microscope.now_s(), self.memory.good_z_um)
        look = self._take()
        decision, memory = decide(look, self.memory, self.settings, self.limits_um)
        row = row_of(look, decision, memory)
        # Kept before anything moves: where a move is interrupted, it is known what was decided.
        self.memory = memory
        outcome, faults = self._carry_out(decision)
        now = self._microscope.now_s()
        self.memory = memory.after(decision, outcome, now, self.settings)
        told = "; ".join(filter(None, (look.fault, *faults)))
        row.update(z_after_um=outcome.z_um, reached=float(outcome.reached), found_um=outcome.found_um, fault=told)
        row.update(done_s=now, state=self.memory.state)
        self._write(row)
        return row, replace(decision, again=decision.again and outcome.reached)

    def end_trim(self) -> None:
        """Go back where looks end in the middle of a trim; the next look discards it."""
        trim = self.memory.trim
        if trim is None or self.memory.state == STOPPED or self.stays:
            return
        if not abs(self._guard.read()[0] - trim.first.z_um) <= self.settings.arrival_tolerance_um:
            self._guard.travel_to(trim.first.z_um)

    def stop(self) -> Row:
        """Leave the device at the last good position, or where it is, and write the last row."""
        before, _ = self._guard.read()
        move = self._to_good() if self._needs_return() else Move(before, before, not math.isnan(before))
        where = "the last good position" if self._was_good() else "the position where it began"
        where = "the position where it was" if self.stays else where
        told = f"stopped at {where}" if move.reached else f"stopped; {where} was not reached"
        self.memory = replace(self.memory, state=STOPPED)
        row = {"time_s": self._microscope.now_s(), "kind": END, "state": STOPPED, "reason": told, "fault": move.fault}
        row.update(z_before_um=before, target_um=move.target_um, z_after_um=move.z_um, reached=float(move.reached))
        self._write({**row, "decision": RETURN, "setpoint_um": self.setpoint_um})
        return row

    def _was_good(self) -> bool:
        """Whether a look was ever locked, or a search found something."""
        return any(
            row["state"] == LOCKED or row["decision"] == TRIM or math.isfinite(row["found_um"]) for row in self.log.rows
        )

    def _needs_return(self) -> bool:
        """A small correction after the last lock needs none: it stays nearer than the last good position."""
        settled = self.memory.state in (LOCKED, IDLE) and self.memory.pending is None
        return not (settled or self.stays)

    def _take(self) -> Look:
        """An image and its estimate, or the fault after the last try."""
        settings, z_um, fault = self.settings, math.nan, ""
        for number in range(settings.camera_retries + 1):
            if number:
                self._microscope.wait_s(settings.retry_s)
            z_um, fault = self._guard.read()
            if math.isnan(z_um):
                break
            try:
                image = _checked(self._microscope.snap())
            except Exception as error:  # whatever a camera raises is a fault of the camera
                fault = f"no image: {error or type(error).__name__}"
                continue
            return self._seen(image, z_um)
        return Look(self._microscope.now_s(), z_um, self.setpoint_um, fault=fault)

    def _seen(self, image: np.ndarray, z_um: float) -> Look:
        now = self._microscope.now_s()
        try:
            found = self._estimate(image)
            if not isinstance(found, FocalPosition):
                raise TypeError(f"estimate must return a FocalPosition, got {found!r}")
            return Look(now, z_um, self.setpoint_um, **describe(image, found, self.settings.focus_metric))
        except Exception as error:  # an estimator that fails must not end a session of a day
            return Look(now, z_um, self.setpoint_um, fault=f"no estimate: {type(error).__name__}: {error}")

    def _carry_out(self, decision: Decision) -> tuple[Outcome, tuple[str, ...]]:
        if decision.action not in (*MOVES, SEARCH) or self.stays:
            return self._unmoved(decision.action not in (*MOVES, SEARCH)), ()
        if decision.action == SEARCH:
            return self._search(decision.target_um)
        if decision.action == TRIM and (engaged := self._engaged()):
            # Its next image would be taken out of focus: the next look discards the trim.
            return self._unmoved(True), (f"not moved for a trim: {engaged}",)
        travels = decision.action in (RETURN, TRIM)
        move = self._guard.travel_to(decision.target_um) if travels else self._guard.step_to(decision.target_um)
        return Outcome(move.z_um, move.reached), (move.fault,)

    def _search(self, middle_um: float) -> tuple[Outcome, tuple[str, ...]]:
        self.memory = replace(self.memory, state=SEARCHING)
        found = search(self._microscope, self._guard, self.settings, middle_um, cancelled=self.cancelled)
        for z_um, score in zip(found.curve_z_um, found.curve_score):
            row = {"time_s": self._microscope.now_s(), "kind": SWEEP, "state": SEARCHING, "decision": SEARCH}
            self._write({**row, "z_before_um": float(z_um), "z_after_um": float(z_um), "score": float(score)})
        if self.stays:
            return self._unmoved(False), found.faults
        target = found.z_um + self.setpoint_um if found.found else self.memory.good_z_um
        move = self._guard.travel_to(target)
        reached = found.found and move.reached
        told = "" if found.found else f"search without a result: {found.reason}"
        return Outcome(move.z_um, move.reached, move.z_um if reached else math.nan), (told, *found.faults, move.fault)

    def _unmoved(self, reached: bool) -> Outcome:
        return Outcome(self._guard.read()[0], reached)

    def _to_good(self) -> Move:
        return self._guard.travel_to(self.memory.good_z_um)

    def _write(self, row: Row) -> None:
        self.log.write(row)
        if self._on_row is None:
            return
        try:
            self._on_row(dict(self.log.rows[-1]))
        except Exception as error:  # a callback is the user's own: the loop goes on
            self.callback_fault = f"{type(error).__name__}: {error}"


def _checked(image: Any) -> np.ndarray:
    image = np.asarray(image)
    if image.ndim != 2 or image.size == 0:
        raise ValueError(f"the image must be (y, x) with pixels in it, got shape {image.shape}")
    return image
