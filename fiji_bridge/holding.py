"""Plugins > Parfocal > Hold Focus...: focus held through the Micro-Manager that runs in the same ImageJ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional

from parfocal.focus_control.asked import Asked
from parfocal.focus_control.desk import FocusDesk
from parfocal.focus_control.focus_session import FocusSession
from parfocal.focus_control.seen import summary_line
from parfocal.focus_control.stoppable import StoppedError

from .hold_options import ACTION, PAUSE, SHOW, START, STOP
from .imagej1 import fail, is_headless, log, on_event_queue
from .micromanager.autofocus_plugin import offer_autofocus
from .micromanager.studio import StudioMicroscope, find_studio
from .optional import need
from .progress import Cancelled

TITLE = "Hold Focus"
# What a stop may take: the look and the move in progress.
_PATIENCE_S = 60.0


class Holding:
    """The desk of this process, and its window where there is one."""

    def __init__(self) -> None:
        self.desk = FocusDesk(self._microscope, self._changed, "estimator=metric")
        self._window: Optional[Any] = None
        self._leaves = False

    def start(self, arguments: dict[str, Any]) -> FocusSession:
        """Hold focus, or go on; returns when it has begun.

        Raises
        ------
        Cancelled
            Where it is stopped before.
        ValueError, TypeError, OSError, MicroscopeError, ModelError
            As `FocusDesk.begin`.
        """
        session = self.desk.session
        if session is not None and self.desk.held:
            self.desk.lock({})
            return session
        if not self.desk.begun:
            self.desk.forget()
        self._leave_in_time()
        try:
            return self.desk.begin(arguments)
        except StoppedError as error:
            raise Cancelled(str(error)) from error

    def stop(self) -> None:
        """End, wait for the end, and say in ImageJ's log how it went."""
        if not self.desk.begun:
            return
        self.desk.stop()
        if not self.desk.wait(_PATIENCE_S):
            raise OSError(f"the microscope has not answered for {_PATIENCE_S:g} s: nothing is moved when it does")
        session = self.desk.session
        log([f"{TITLE}: {'stopped' if session is None else summary_line(session.rows)}"])

    def show(self, arguments: dict[str, Any]) -> None:
        """Open the window, or bring it to the front, with these arguments filled in where nothing goes on."""
        filled_in = {} if self.desk.begun else arguments
        on_event_queue(lambda: self._guarded(lambda: self._show(filled_in)))

    def _leave_in_time(self) -> None:
        """End before Java does, which the thread that holds calls."""
        if not self._leaves:
            self._leaves = True
            need("scyjava").when_jvm_stops(self._leave)

    def _leave(self) -> None:
        self.desk.stop()
        self.desk.wait(_PATIENCE_S)

    def _show(self, arguments: dict[str, Any]) -> None:
        from .hold_window import HoldWindow

        if self._window is None or self._window.closed:
            self._leave_in_time()
            self._window = HoldWindow(self.desk)
        if arguments:
            self._window.fill_in(arguments)
        self._window.show()

    def _guarded(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception as error:
            fail(TITLE, error)

    def _microscope(self) -> StudioMicroscope:
        return StudioMicroscope(find_studio(), lambda: self.desk.searching)

    def _changed(self) -> None:
        if self._window is not None:
            self._window.changed()


holding = Holding()


def hold_in_imagej(command: Callable[..., Any], arguments: dict[str, Any]) -> None:
    """Do what the action says.

    Raises
    ------
    StudioError
        Where there is no Micro-Manager.
    OSError
        Where a window is wanted and there is none.
    ValueError, TypeError, OSError, MicroscopeError, ModelError
        As `Holding.start`.
    """
    given = dict(arguments)
    action = given.pop(ACTION.name)
    Asked.of(given)
    if action == PAUSE:
        holding.desk.pause()
        return
    if action == STOP:
        holding.stop()
        return
    unlisted = offer_autofocus(find_studio(), holding.desk)
    if unlisted:
        log([f"{TITLE}: {unlisted}"])
    if action == SHOW and is_headless():
        raise OSError("the window of Hold Focus needs ImageJ's, and this one was started without: use action=start")
    if not is_headless():
        holding.show(given)
    if action == START:
        holding.start(given)


def hold_focus(**arguments: Any) -> FocusSession:
    """Hold the focus of the Micro-Manager that runs in this process; the session is in its thread.

    Parameters
    ----------
    **arguments
        Of `HoldFocus`, `HoldingChoice` (`estimator`, `log`) and `estimate_focal_position`.

    Returns
    -------
    FocusSession
        Its `stop()` goes back to the last good position, `stop(stay=True)` leaves the focus device where it is.

    Raises
    ------
    StudioError
        Where there is no Micro-Manager.
    AlreadyHeldError
        Where focus is held already.
    ValueError, TypeError, OSError, MicroscopeError, ModelError
        As `FocusDesk.begin`.
    """
    return holding.start(arguments)
