"""What there is to show of a session of holding focus, and a strip chart of its last looks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Optional

import numpy as np

from parfocal.focus_control.log import LOOK, Row
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


def number_texts(look: Optional[Row]) -> dict[str, str]:
    """The numbers of a look as they are read, by their names; dashes without one."""
    if look is None:
        return dict.fromkeys(READ_NUMBERS, "-")
    z_um = look["z_after_um"] if math.isfinite(look["z_after_um"]) else look["z_before_um"]
    # The error of the look was that before the move.
    error_um = look["error_um"] + z_um - look["z_before_um"]
    values = (z_um, look["focal_plane_z_um"], error_um, look["focal_plane_deviation_um"])
    texts = [f"{value:.2f} um" if math.isfinite(value) else "-" for value in values]
    certainty, drift = look["certainty"], look["drift_um_h"]
    texts.append(f"{certainty:.2f}" if math.isfinite(certainty) else "-")
    # No -0.0.
    texts.append(f"{round(drift, 1) + 0.0:+.1f} um/h" if math.isfinite(drift) else "-")
    return dict(zip(READ_NUMBERS, texts))


def summary_line(rows: Sequence[Row]) -> str:
    """How a session that has ended went."""
    looks = [row for row in rows if row["kind"] == LOOK]
    locked = sum(row["state"] == LOCKED for row in looks)
    return f"{len(looks)} looks, {locked} of them locked; {rows[-1]['reason']}, {rows[-1]['z_after_um']:.2f} um"


READ_NUMBERS = ("position", "focal plane", "error", "deviation", "certainty", "drift")
_NUMBERS = ("time_s", "z_before_um", "z_after_um", "focal_plane_z_um", "setpoint_um", "certainty")
