"""Focus that is held: a session that starts, steps and stops."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Optional

from parfocal.focus_control.advice import advice
from parfocal.focus_control.controller import FocusController
from parfocal.focus_control.log import FocusLog, Row
from parfocal.focus_control.microscope import Microscope
from parfocal.focus_control.settings import HoldFocus
from parfocal.focus_control.states import STOPPED, Decision

# So long at most a stop waits for the pause between two looks.
_SLICE_S = 0.2
PAUSED = "paused"


class FocusSession:
    """Focus that is held, made by `hold_focus`.

    As a context manager it starts a thread, and stops at the end, whatever ends it.
    """

    def __init__(
        self, controller: FocusController, microscope: Microscope, release: Callable[[FocusSession], None]
    ) -> None:
        self._controller, self._microscope, self._release = controller, microscope, release
        self._turn, stopping, paused = threading.RLock(), threading.Event(), threading.Event()
        self._stopping, self._paused = stopping, paused
        # Holds no session: one that nobody has any more gives its microscope back.
        controller.cancelled = lambda: stopping.is_set() or paused.is_set()
        self._thread: Optional[threading.Thread] = None
        # An interrupt in Thread.join may take a running thread for one that has ended: this event tells.
        self._ended = threading.Event()
        self._error: Optional[BaseException] = None
        # Thread that is in a step: a callback that stops the session from there must not move the device under it.
        self._stepping: Optional[int] = None

    @property
    def settings(self) -> HoldFocus:
        """Settings of the session."""
        return self._controller.settings

    @property
    def state(self) -> str:
        """One of `parfocal.focus_control.states.STATES`."""
        return self._controller.memory.state

    @property
    def limits_um(self) -> tuple[float, float]:
        """Lowest and highest position that may be commanded."""
        return self._controller.limits_um

    @property
    def focal_plane_z_um(self) -> float:
        """Where the filter sees the focal plane; NaN before it was measured."""
        track = self._controller.memory.track
        return float("nan") if track is None else track.at(self._microscope.now_s(), self.settings).plane_um

    @property
    def last_good_z_um(self) -> float:
        """Where the device was at the last good look: where it is left at the end."""
        return self._controller.memory.good_z_um

    @property
    def rows(self) -> tuple[Row, ...]:
        """Rows of the log so far."""
        return tuple(self._controller.log.rows)

    @property
    def log(self) -> FocusLog:
        """The log so far, to be drawn or replayed."""
        return self._controller.log.finished()

    @property
    def advice(self) -> str:
        """What to check where no focal plane has been known for many looks; empty otherwise."""
        return advice(self.rows, self.settings)

    @property
    def callback_fault(self) -> str:
        """What the last failure of `on_row` was; empty where it never failed."""
        return self._controller.callback_fault

    @property
    def paused(self) -> bool:
        """Whether it was paused, and not resumed."""
        return self._paused.is_set()

    @property
    def waits(self) -> str:
        """Why the thread takes no look: `paused`, or what else has the microscope; empty where it looks."""
        engaged: Callable[[], str] = getattr(self._microscope, "engaged", str)
        return PAUSED if self.paused else engaged()

    @property
    def error(self) -> Optional[BaseException]:
        """What ended the thread, if anything but `stop` did."""
        return self._error

    def step(self) -> Row:
        """Take one look and do what follows from it; beside a thread, when that is not looking."""
        return self._step()[0]

    def settle(self) -> Row:
        """Step until nothing is left to be done at once, `looks_at_once` looks at most; the last row."""
        return self._settle(str)

    def _settle(self, waits: Callable[[], str]) -> Row:
        for _ in range(self.settings.looks_at_once):
            row, decision = self._step()
            if not decision.again or self._stopping.is_set() or waits():
                break
        with self._turn:
            self._controller.end_trim()
        return row

    def start(self) -> FocusSession:
        """Hold focus in a thread, until `stop`."""
        with self._turn:
            self._refuse_stopped()
            if self._thread is not None:
                raise RuntimeError("the session has been started already")
            self._thread = threading.Thread(target=self._run, name="hold focus", daemon=True)
            self._thread.start()
        return self

    def pause(self) -> None:
        """Take no further look after the present one until `resume`; a search ends at the last good position."""
        self._paused.set()

    def resume(self) -> None:
        """Look again, at once."""
        self._paused.clear()

    def stop(self, stay: bool = False) -> None:
        """End, and leave the device at the last good position, or where it is; a second call does nothing.

        Called by `on_row`, it ends the session as soon as the step is done.

        Parameters
        ----------
        stay : bool
            Move nothing any more: a move that has begun ends, as does a search, wherever it is.
        """
        if stay:
            self._controller.stays = True
        self._stopping.set()
        if self._stepping == threading.get_ident():
            return
        if self._thread is not None:
            try:
                self._ended.wait()
            except KeyboardInterrupt:
                # The thread is on its way back: only another interrupt leaves the device under way.
                self._ended.wait()
                raise
            self._thread.join()
        self._end()

    def set_channel(self, channel: str) -> None:
        """Hold the setpoint of another channel from the next look on."""
        with self._turn:
            self._controller.setpoint_um = self.settings.setpoint(channel)

    def wait(self, timeout_s: Optional[float] = None) -> bool:
        """Wait for the thread to end; whether it has."""
        return self._thread is None or self._ended.wait(timeout_s)

    def __enter__(self) -> FocusSession:
        return self.start()

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.stop()

    def _step(self) -> tuple[Row, Decision]:
        with self._turn:
            self._refuse_stopped()
            self._stepping = threading.get_ident()
            try:
                found = self._controller.look()
            finally:
                self._stepping = None
            if self._stopping.is_set():
                self._end()
            return found

    def _end(self) -> None:
        with self._turn:
            if self.state == STOPPED:
                return
            try:
                self._controller.stop()
            finally:
                self._release(self)

    def _refuse_stopped(self) -> None:
        if self.state == STOPPED:
            raise RuntimeError("the session has stopped: begin another with hold_focus")

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                if self.waits:
                    self._microscope.wait_s(_SLICE_S)
                    continue
                due_s = self._microscope.now_s() + self.settings.interval_s
                self._settle(lambda: self.waits)
                self._pass_until(due_s)
        except BaseException as error:  # kept for whoever asks: a thread has nobody to raise it to
            self._error = error
        finally:
            try:
                self._end()
            finally:
                self._ended.set()

    def _pass_until(self, due_s: float) -> None:
        while not self._stopping.is_set() and not self.waits:
            left_s = due_s - self._microscope.now_s()
            if left_s <= 0:
                return
            self._microscope.wait_s(min(left_s, _SLICE_S))
