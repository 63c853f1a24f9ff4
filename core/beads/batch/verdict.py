"""Pass or fail of a bead stack against limits that the user sets."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Optional

from parfocal.beads.batch.history import FAIL
from parfocal.beads.curve import AT_END
from parfocal.beads.result import BeadFocalPlane

PASS = "pass"


@dataclass(frozen=True)
class Limits:
    """What a stack has to keep; None for what is not asked.

    Attributes
    ----------
    interval_um : float, optional
        Largest half width of the interval of the reference focal plane, um.
    tilt_um_per_mm : float, optional
        Largest tilt of the focal plane across the field, um per mm.
    distance_um : float, optional
        Largest distance of a single plane from the reference focal plane, um, to either side.
    refp_shift_um : float, optional
        Largest distance of the reference focal plane from that of the last entry of the history, um.
    fewest_beads : int, optional
        Beads that the reference focal plane must rest on.

    Raises
    ------
    ValueError
        Where a limit is not above 0.
    """

    interval_um: Optional[float] = None
    tilt_um_per_mm: Optional[float] = None
    distance_um: Optional[float] = None
    refp_shift_um: Optional[float] = None
    fewest_beads: Optional[int] = None

    def __post_init__(self) -> None:
        for name in ("interval_um", "tilt_um_per_mm", "distance_um", "refp_shift_um", "fewest_beads"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ValueError(f"the limit {name} must be above 0 and finite, got {value!r}")


@dataclass(frozen=True)
class Criterion:
    """One limit and how it was kept.

    Attributes
    ----------
    name : str
        What is limited, with its unit.
    limit, value : float
        NaN as the value where there is none.
    passed : bool or None
        None where it could not be looked at (no earlier entry to compare with).
    reason : str
        Why there is no value, or nothing.
    """

    name: str
    limit: float
    value: float
    passed: Optional[bool]
    reason: str = ""


@dataclass(frozen=True)
class Verdict:
    """All limits of a stack.

    Attributes
    ----------
    criteria : tuple of Criterion
        Empty where no limit was set.
    """

    criteria: tuple[Criterion, ...] = ()

    @property
    def word(self) -> str:
        """`pass`, `fail`, or nothing where no limit was set or none could be looked at."""
        looked_at = [criterion.passed for criterion in self.criteria if criterion.passed is not None]
        if not looked_at:
            return ""
        return PASS if all(looked_at) else FAIL

    @property
    def failed(self) -> tuple[Criterion, ...]:
        """The limits that were not kept."""
        return tuple(criterion for criterion in self.criteria if criterion.passed is False)


def judge(result: BeadFocalPlane, limits: Limits, last_refp_um: Optional[float] = None) -> Verdict:
    """Hold a result against the limits. What has no value fails, for whatever reason it has none.

    Parameters
    ----------
    result : BeadFocalPlane
    limits : Limits
    last_refp_um : float, optional
        Reference focal plane of the last comparable entry of the history, um; without one the limit of the shift is
        not looked at.
    """
    shape, refp = result.field_shape, result.reference_focal_plane_um
    no_answer = result.reason or ("the stack does not pass focus" if AT_END in result.warnings else result.status)
    if AT_END in result.warnings:
        refp = math.nan
    criteria = []
    if limits.interval_um is not None:
        half = (result.interval_um[1] - result.interval_um[0]) / 2
        criteria.append(_at_most("half width of the interval, um", limits.interval_um, half, no_answer))
    if limits.tilt_um_per_mm is not None:
        reason = shape.reason or no_answer
        criteria.append(_at_most("tilt, um per mm", limits.tilt_um_per_mm, shape.tilt_um_per_mm, reason))
    if limits.distance_um is not None:
        reason = no_answer if len(result.z_um) == 1 else "a stack lies at no single distance"
        criteria.append(_at_most("distance from the REFP, um", limits.distance_um, abs(result.distance_um), reason))
    if limits.refp_shift_um is not None:
        name, limit = "shift since the last entry, um", limits.refp_shift_um
        if last_refp_um is None:
            criteria.append(Criterion(name, limit, math.nan, None, "no earlier entry to compare with"))
        else:
            criteria.append(_at_most(name, limit, abs(refp - last_refp_um), no_answer))
    if limits.fewest_beads is not None:
        enough = result.n_beads >= limits.fewest_beads
        criteria.append(Criterion("beads, at least", limits.fewest_beads, result.n_beads, enough))
    return Verdict(tuple(criteria))


def _at_most(name: str, limit: float, value: float, reason: str) -> Criterion:
    if math.isnan(value):
        return Criterion(name, limit, value, False, f"no value: {reason}")
    return Criterion(name, limit, value, value <= limit)
