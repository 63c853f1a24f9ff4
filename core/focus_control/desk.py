"""Focus as a window offers it: begun, paused, stopped and learned for, without waiting for the microscope."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Optional

from parfocal.focal_position.calibrate import SHIPPED
from parfocal.focus_control.asked import Asked
from parfocal.focus_control.controller import Estimator
from parfocal.focus_control.estimators import METRIC, calibrate_in_place, chosen_estimator
from parfocal.focus_control.focus_session import PAUSED, FocusSession
from parfocal.focus_control.log import LOOK, Row, check_new
from parfocal.focus_control.microscope import Microscope, MicroscopeError
from parfocal.focus_control.seen import SeenFocus
from parfocal.focus_control.session import AlreadyHeldError, hold_focus
from parfocal.focus_control.states import IDLE, SEARCHING, STOPPED
from parfocal.focus_control.stoppable import StoppableMicroscope, StoppedError

# Looks that are kept to be drawn.
_SHOWN_LOOKS = 500
# So often it is asked whether the session goes on.
_PATIENCE_S = 0.2
LEARNING, BEGINNING = "learning", "beginning"


class FocusDesk:
    """Begins, pauses and stops sessions, and learns for them; no call of a button waits for the microscope.

    Stopped, the focus device stays where it is; only from a sweep or a stack to learn from it goes back to where that
    began.

    Parameters
    ----------
    microscope : callable
        Gives the microscope, when it is needed (MicroscopeError where there is none).
    changed : callable
        Is called from threads of the desk where there is something new to see.
    metric_by : str
        How the focus metric is chosen here, for messages.
    """

    def __init__(
        self,
        microscope: Callable[[], Microscope],
        changed: Callable[[], None] = lambda: None,
        metric_by: str = "the estimator metric",
    ) -> None:
        self._microscope, self.changed, self._metric_by = microscope, changed, metric_by
        self._turn, self._stopping = threading.Lock(), threading.Event()
        # Empty while the state is that of the session.
        self._state, self._told, self._model, self._engaged = IDLE, "", "", ""
        self._error: Optional[BaseException] = None
        self._looks: deque[Row] = deque(maxlen=_SHOWN_LOOKS)
        self._thread: Optional[threading.Thread] = None
        self._learned: Optional[tuple[Asked, Estimator]] = None
        # The present session, or the last one, and what it was asked for.
        self.session: Optional[FocusSession] = None
        self.arguments: dict[str, Any] = {}

    @property
    def seen(self) -> SeenFocus:
        """What there is to show now."""
        session, looks = self.session, tuple(self._looks)
        seen = SeenFocus(self._state, self.begun, self.held, "", self._told, "", self._error, self._model, looks)
        if session is None:
            return seen
        # Of the last one too, whose looks are shown.
        shown = replace(seen, limits_um=session.limits_um, tolerance_um=session.settings.tolerance_um)
        if not seen.held:
            return shown
        held = replace(shown, state=BEGINNING if session.state == IDLE else session.state)
        return replace(held, waits=PAUSED if session.paused else self._engaged, advice=session.advice)

    @property
    def begun(self) -> bool:
        """Whether something goes on."""
        return self._state not in (IDLE, STOPPED)

    @property
    def held(self) -> bool:
        """Whether that is a session."""
        return self._state == ""

    @property
    def searching(self) -> bool:
        """Whether positions are searched through, also to learn from."""
        session = self.session
        return not self.held or (session is not None and session.state == SEARCHING)

    @property
    def estimator(self) -> Optional[Estimator]:
        """What was learned or loaded last."""
        return None if self._learned is None else self._learned[1]

    def lock(self, arguments: Mapping[str, Any]) -> None:
        """Hold focus, or go on where it is paused; a metric is learned from a sweep first, unless that was done."""
        if self.held and self.session is not None:
            self.session.resume()
            self.changed()
        else:
            self._start(lambda: self._hold(arguments))

    def pause(self) -> None:
        """Take no look and move nothing until `lock`."""
        if self.held and self.session is not None:
            self.session.pause()
            self.changed()

    def calibrate(self, arguments: Mapping[str, Any]) -> None:
        """Learn the focus metric from a sweep, or adapt the model to a stack, while no session goes on."""
        self._start(lambda: self._calibrate(arguments))

    def stop(self) -> None:
        """End what goes on; the focus device stays where it is."""
        with self._turn:
            self._stopping.set()
            session = self.session
        if session is not None:
            threading.Thread(target=session.stop, args=(True,), name="stop holding focus", daemon=True).start()

    def forget(self) -> None:
        """Learn anew at the next `lock`: another sample may be there."""
        self._learned = None

    def wait(self, timeout_s: Optional[float] = None) -> bool:
        """Wait until nothing goes on any more; whether that is so."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout_s)
        return thread is None or not thread.is_alive()

    def begin(self, arguments: Mapping[str, Any]) -> FocusSession:
        """Hold focus as `lock` does, but return when the session has begun, or raise what went wrong.

        Raises
        ------
        AlreadyHeldError
            Where something goes on already, here or elsewhere.
        ValueError, TypeError, OSError, MicroscopeError, ModelError
            As `Asked.of`, `chosen_estimator` and `hold_focus` do.
        """
        begun = threading.Event()
        if not self._start(lambda: self._hold(arguments, begun.set), begun.set):
            raise AlreadyHeldError("focus is held or learned already: stop that first")
        begun.wait()
        if self._error is not None:
            raise self._error
        if self.session is None or self._stopping.is_set():
            raise StoppedError("stopped before it had begun")
        return self.session

    def _start(self, act: Callable[[], None], ended: Callable[[], None] = lambda: None) -> bool:
        """Begin in a thread, unless something goes on."""
        with self._turn:
            if self._thread is not None and self._thread.is_alive():
                return False
            self._stopping.clear()
            self._state, self._told, self._error = BEGINNING, "", None
            self._thread = threading.Thread(target=self._guarded, args=(act, ended), name="focus desk", daemon=True)
            self._thread.start()
        self.changed()
        return True

    def _guarded(self, act: Callable[[], None], ended: Callable[[], None]) -> None:
        try:
            act()
        except StoppedError:
            self._told = "stopped"
        except BaseException as error:  # kept to be shown: a thread has nobody to raise it to
            self._error = error
        self._state = IDLE if self.session is None else STOPPED
        ended()
        self.changed()

    def _hold(self, arguments: Mapping[str, Any], begun: Callable[[], None] = lambda: None) -> None:
        asked = Asked.of(arguments)
        log = asked.choice.log or None
        if log is not None:
            check_new(log)
        microscope = self._free_microscope()
        estimate = self._estimator(asked, microscope)
        self._looks.clear()
        self._engaged, self.arguments = "", dict(arguments)
        session = hold_focus(microscope, estimate, asked.settings, log, self._on_row)
        with self._turn:
            self.session, self._state = session, ""
            if not self._stopping.is_set():
                session.start()
        begun()
        self._watch(session)
        session.stop(stay=True)
        self._told = str(session.rows[-1]["reason"])
        if session.error is not None:
            raise session.error

    def _watch(self, session: FocusSession) -> None:
        """Tell of changes that no row tells of, until the session ends."""
        before = (False, "", "")
        while not session.wait(_PATIENCE_S):
            # Not asked for by who only wants to see: a microscope may take its time.
            self._engaged = "" if session.paused else session.waits
            now = (session.paused, self._engaged, session.advice)
            if now != before:
                before = now
                self.changed()

    def _calibrate(self, arguments: Mapping[str, Any]) -> None:
        asked = Asked.of(arguments)
        microscope = self._free_microscope()
        self._state = LEARNING
        if asked.choice.estimator == METRIC:
            self._learned = asked, self._chosen(asked, microscope)
            return
        if not asked.calibration.get("output"):
            raise ValueError("the model folder to write must be given")
        stoppable: Any = StoppableMicroscope(microscope, self._stopping)
        given = {"start_from": asked.told.get("model", SHIPPED), **asked.calibration}
        made = calibrate_in_place(stoppable, **given, settings=asked.settings, tell=self._tell)
        self._model = str(made.output)

    def _estimator(self, asked: Asked, microscope: Microscope) -> Estimator:
        if self._learned is None or not asked.learned_alike(self._learned[0]):
            self._learned = asked, self._chosen(asked, microscope)
        return self._learned[1]

    def _chosen(self, asked: Asked, microscope: Microscope) -> Estimator:
        self._state = LEARNING
        stoppable: Any = StoppableMicroscope(microscope, self._stopping)
        kind = asked.choice.estimator
        return chosen_estimator(kind, stoppable, asked.settings, asked.told, self._tell, self._metric_by)

    def _free_microscope(self) -> Microscope:
        microscope = self._microscope()
        engaged = getattr(microscope, "engaged", str)()
        if engaged:
            raise MicroscopeError(f"{engaged}: wait for its end")
        return microscope

    def _tell(self, line: str) -> None:
        self._told = line
        self.changed()

    def _on_row(self, row: Row) -> None:
        if row["kind"] == LOOK:
            self._looks.append(row)
            self._told = "; ".join(filter(None, (row["reason"], row["fault"])))
        self.changed()
