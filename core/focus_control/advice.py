"""What to check where focus is not found for long."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import takewhile

from parfocal.focus_control.log import LOOK, Row
from parfocal.focus_control.settings import HoldFocus

# Two looks suffice where the estimates follow the device; a search, and as many looks after it, may still help.
_SEARCHES_LONG = 2


def advice(rows: Sequence[Row], settings: HoldFocus) -> str:
    """Say what to check after twice as many looks without a focal plane, one after the other, as a search waits for.

    Parameters
    ----------
    rows : sequence of dict
        Of the log, from the beginning.
    settings : HoldFocus

    Returns
    -------
    str
        One line; empty as long as there is nothing to say.
    """
    # From the last look back to the last one that knew of a focal plane.
    looks = list(takewhile(_knows_no_plane, (row for row in reversed(rows) if row["kind"] == LOOK)))
    if len(looks) < _SEARCHES_LONG * settings.search_after_looks:
        return ""
    last = "; ".join(filter(None, (looks[0]["reason"], looks[0]["fault"])))
    return (
        f"{len(looks)} looks and no focal plane ({last}): check that light and sample are there, that the optics given"
        " are those of the objective, and that the estimator was made for this sample"
    )


def _knows_no_plane(look: Row) -> bool:
    return math.isnan(look["focal_plane_z_um"])
