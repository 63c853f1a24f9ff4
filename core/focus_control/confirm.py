"""Two looks from different positions: what both say, and whether the estimates follow the focus device."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Optional

from parfocal.focus_control.filter import Measurement, mean_of

# Change of the estimate over the move of the device: 1 where it follows, 0 where it does not, -1 where it is reversed.
RESPONSES = (0.5, 1.5)


def response(first: Measurement, second: Measurement, moved_um: float) -> float:
    """Change of the estimated defocus over the move of the device between two looks."""
    return 1.0 - (second.plane_um - first.plane_um) / moved_um


def agreed(first: Sequence[Measurement], second: Sequence[Measurement], moved_um: float) -> Optional[Measurement]:
    """Focal plane that both looks see; None where they see none, or more than one.

    Parameters
    ----------
    first, second : sequence of Measurement
        What each look may mean: two measurements where the sign is unknown.
    moved_um : float
        By how much the device went up in between.
    """
    if moved_um == 0:
        return None
    pairs = [(one, other) for one in first for other in second if _agree(one, other, moved_um)]
    planes = [mean_of(one, other) for one, other in pairs]
    if len(planes) > 1 and max(p.plane_um for p in planes) - min(p.plane_um for p in planes) > abs(moved_um):
        return None
    return min(planes, key=lambda plane: plane.variance_um2) if planes else None


def _agree(one: Measurement, other: Measurement, moved_um: float) -> bool:
    low, high = RESPONSES
    return low <= response(one, other, moved_um) <= high


def reversed_stage(first: Sequence[Measurement], second: Sequence[Measurement], moved_um: float) -> bool:
    """Whether single estimates change as they would if the device's positive direction were down."""
    if moved_um == 0 or len(first) != 1 or len(second) != 1:
        return False
    return -1.5 <= response(first[0], second[0], moved_um) <= -0.5


def probe_size_um(options: Sequence[Measurement], smallest_um: float, largest_um: float) -> float:
    """Move that a second look can tell from none: five standard deviations of a single estimate."""
    spread = math.sqrt(min(option.variance_um2 for option in options))
    return min(max(smallest_um, 5.0 * spread), largest_um)
