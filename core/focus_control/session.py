"""`hold_focus`: one session of holding focus for each microscope."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Optional, Union
from weakref import WeakValueDictionary

from parfocal.focus_control.controller import Estimator, FocusController
from parfocal.focus_control.focus_session import FocusSession
from parfocal.focus_control.log import Row
from parfocal.focus_control.microscope import Microscope, MicroscopeError, check_microscope
from parfocal.focus_control.settings import HoldFocus

_live: WeakValueDictionary[object, FocusSession] = WeakValueDictionary()
_registering = threading.Lock()


class AlreadyHeldError(MicroscopeError):
    """Another session holds the focus of this microscope."""


def hold_focus(
    microscope: Microscope,
    estimate: Estimator,
    settings: Optional[HoldFocus] = None,
    log: Optional[Union[str, Path]] = None,
    on_row: Optional[Callable[[Row], None]] = None,
) -> FocusSession:
    """Hold the focus of a microscope by the images of its sample.

    The result is a session: `start()` holds focus in a thread, `step()` takes one look, `settle()` looks until the
    setpoint is reached, `stop()` leaves the focus device at the last good position. `with hold_focus(...) as session:`
    starts and stops. docs/hold-focus.md says what the states and the columns of the log mean.

    Parameters
    ----------
    microscope : Microscope
        Focus device and camera, see `parfocal.focus_control.microscope`.
    estimate : callable
        Image (y, x) to `FocalPosition`, such as `estimate_focal_position`. Its attribute `range_um` (lowest and highest
        defocus), where it has one, is held against the setpoint.
    settings : HoldFocus, optional
        Setpoint, interval, limits and the rest.
    log : str or Path, optional
        CSV to write, a row for each decision as it is taken; the settings go into a JSON beside it.
    on_row : callable, optional
        Is given each row; its failures do not end the session.

    Returns
    -------
    FocusSession

    Raises
    ------
    AlreadyHeldError
        Where another session that has not stopped holds this microscope.
    ValueError
        Where the limits exclude the present position, or the setpoint lies outside the estimator's range.
    StageError
        Where the position cannot be read.
    FileExistsError
        Where the log exists.
    TypeError
        Where the microscope lacks a method, or nothing estimates.
    """
    check_microscope(microscope)
    if not callable(estimate):
        raise TypeError(f"estimate must be callable with an image, such as model_estimator(), got {estimate!r}")
    key = microscope.lock()
    with _registering:
        if key in _live:
            raise AlreadyHeldError("another session holds the focus of this microscope: stop it first")
        controller = FocusController(microscope, estimate, settings or HoldFocus(), log, on_row)
        session = FocusSession(controller, microscope, lambda ended: _release(key, ended))
        _live[key] = session
    return session


def refuse_held(microscope: Microscope) -> None:
    """Raise AlreadyHeldError where a session holds this microscope."""
    with _registering:
        if microscope.lock() in _live:
            raise AlreadyHeldError("a session holds the focus of this microscope: stop it first")


def _release(key: object, session: FocusSession) -> None:
    with _registering:
        if _live.get(key) is session:
            del _live[key]
