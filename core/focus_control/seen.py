"""What there is to show of a session of holding focus, and a strip chart of its last looks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Optional

import numpy as np

from parfocal.focus_control.log import Row
from parfocal.focus_control.states import IDLE, LOCKED


@dataclass(frozen=True)
class SeenFocus:
    """What there is to show.

    Attributes
    ----------
    state : str
        Of the session (`parfocal.focus_control.states.STATES`), `beginning`, or `learning` from a sweep or a stack.
    begun, held : bool
        Whether something goes on, so that it can be stopped and nothing else begins; and whether that is a session,
        which can be paused and resumed.
    waits : str
        Why the session takes no look: `paused`, or what else has the microscope.
    told : str
        The last that was said of what is done.
    advice : str
        What to check, where focus is not found for long.
    error : Exception, optional
        What ended it.
    model : str
        Folder of the model that was calibrated last.
    looks : tuple of dict
        The last looks, rows of the log.
    limits_um, tolerance_um
        Of the session; infinite and NaN without one.
    """

    state: str = IDLE
    begun: bool = False
    held: bool = False
    waits: str = ""
    told: str = ""
    advice: str = ""
    error: Optional[BaseException] = None
    model: str = ""
    looks: tuple[Row, ...] = field(default=(), repr=False)
    limits_um: tuple[float, float] = (-math.inf, math.inf)
    tolerance_um: float = math.nan


@dataclass(frozen=True)
class Strip:
    """Looks over time, each an array (n,).

    Attributes
    ----------
    minutes : ndarray
        Before the last look, so that it is at 0.
    z_um : ndarray
        Focus device after the move.
    wanted_um : ndarray
        Focal plane and setpoint, where the device should be; NaN where that is not known.
    certainty : ndarray
        Of the estimates.
    locked : ndarray of bool
    """

    minutes: np.ndarray
    z_um: np.ndarray
    wanted_um: np.ndarray
    certainty: np.ndarray
    locked: np.ndarray


def strip(looks: Sequence[Row]) -> Strip:
    """Columns of a strip chart from rows of the log."""
    of = {name: np.array([row[name] for row in looks], float) for name in _NUMBERS}
    time_s = of["time_s"]
    z_um = np.where(np.isfinite(of["z_after_um"]), of["z_after_um"], of["z_before_um"])
    wanted = of["focal_plane_z_um"] + of["setpoint_um"]
    locked = np.array([row["state"] == LOCKED for row in looks], bool)
    return Strip((time_s - time_s[-1:]) / 60.0, z_um, wanted, of["certainty"], locked)


_NUMBERS = ("time_s", "z_before_um", "z_after_um", "focal_plane_z_um", "setpoint_um", "certainty")
