"""States of the controller, what it may decide, and what becomes of that."""

from __future__ import annotations

import math
from dataclasses import dataclass

IDLE, CALIBRATING, LOCKED, HOLDING = "idle", "calibrating", "locked", "holding"
SEARCHING, LOST, STOPPED = "searching", "lost", "stopped"
STATES = {
    IDLE: "made, not begun",
    CALIBRATING: "the first looks: a small move shows whether the estimates follow the focus device",
    LOCKED: "the last look measured the focal plane, or looks as sharp as where a trim told it, and the device is"
    " within the tolerance of the setpoint",
    HOLDING: "where the focal plane should be is known, but the last look did not show it within the tolerance: no"
    " usable image, or a move that the next look has yet to confirm",
    SEARCHING: "a sweep is being taken",
    LOST: "where the focal plane is, is not known: the device is at the last good position, and looks go on",
    STOPPED: "ended; the device is at the last good position, or where it began if there was none",
}

STAY, CORRECT, PROBE, FOLLOW, SEARCH, RETURN = "stay", "correct", "probe", "follow", "search", "return"
TRIM = "trim"
DECISIONS = {
    STAY: "no move",
    CORRECT: "move towards the setpoint",
    PROBE: "small move, after which a second look tells above from below, confirms a jump, or checks the estimator",
    TRIM: "small move to an image whose sharpness, with that of others around it, tells the focal plane",
    FOLLOW: "move along the estimated drift without an image",
    SEARCH: "sweep by the focus metric",
    RETURN: "move back to where the device was before a probe or a trim, or to the last good position",
}
MOVES = (CORRECT, PROBE, TRIM, FOLLOW, RETURN)


@dataclass(frozen=True)
class Decision:
    """What is to be done after a look.

    Attributes
    ----------
    action : str
        One of `DECISIONS`.
    state : str
        In which the controller is with this decision, one of `STATES`.
    target_um : float
        Where to move; NaN without a move. Of a search its middle.
    again : bool
        Whether the next look follows at once.
    reason : str
    """

    action: str
    state: str
    reason: str
    target_um: float = math.nan
    again: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of a decision: where the device ended, and what a search found (NaN for nothing)."""

    z_um: float
    reached: bool = True
    found_um: float = math.nan
