"""Stacks that are repeats of one sample, pooled to one profile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from parfocal.beads.batch.stack import MeasuredStack
from parfocal.beads.pooling import AlignedStack, pool_profiles

NAN = float("nan")


@dataclass(frozen=True)
class PooledStack:
    """What pooling says of one stack.

    Attributes
    ----------
    reference_focal_plane_um : float
        Mean of the two pooled extrema in the stack's own z, um; NaN where `reason` says why.
    shift_um, shift_error_um : float
        By how far it lies above the reference stack, mean of both features, um, and the standard error.
    is_reference : bool
        Whether the others were aligned to it (by either feature).
    reason : str
    """

    reference_focal_plane_um: float = NAN
    shift_um: float = NAN
    shift_error_um: float = NAN
    is_reference: bool = False
    reason: str = ""


def pool_stacks(stacks: Sequence[MeasuredStack]) -> tuple[PooledStack, ...]:
    """Pool stacks of one sample, in the order given; both features are aligned to the same reference stack.

    Stacks without beads, of another contrast than most, or that the pooled profile does not fit, get a reason.
    """
    contrasts = [stack.result.contrast for stack in stacks if stack.result.features is not None]
    usual = max(contrasts, key=contrasts.count) if contrasts else ""
    taken = [i for i, s in enumerate(stacks) if s.result.features is not None and s.result.contrast == usual]
    if len(taken) < 2:
        return tuple(PooledStack(reason="fewer than two stacks of one contrast hold beads") for _ in stacks)
    found = dict(zip(taken, _pool([stacks[index] for index in taken])))
    nothing = PooledStack(reason="without beads, or of another contrast than most stacks")
    return tuple(found.get(index, nothing) for index in range(len(stacks)))


def _pool(stacks: Sequence[MeasuredStack]) -> list[PooledStack]:
    centre = pool_profiles([_feature(stack, "centre_intensity_bz") for stack in stacks], "centre_intensity")
    slopes = [_feature(stack, "steepest_slope_bz") for stack in stacks]
    slope = pool_profiles(slopes, "steepest_slope", centre.reference)
    reason = "; ".join(dict.fromkeys(filter(None, (centre.reason, slope.reason))))
    return [
        PooledStack(reason=reason) if reason else _mean(by_slope, by_centre, index == centre.reference)
        for index, (by_slope, by_centre) in enumerate(zip(slope.stacks, centre.stacks))
    ]


def _feature(stack: MeasuredStack, name: str) -> tuple[np.ndarray, np.ndarray]:
    features = stack.result.features
    assert features is not None, "only stacks with beads are pooled"
    return stack.result.z_um, getattr(features, name)[features.usable_b]


def _mean(slope: AlignedStack, centre: AlignedStack, is_reference: bool) -> PooledStack:
    reasons = [f"{name}: {stack.reason}" for name, stack in (("slope", slope), ("centre", centre)) if stack.reason]
    if reasons:
        return PooledStack(is_reference=is_reference, reason="; ".join(reasons))
    return PooledStack(
        reference_focal_plane_um=(slope.extremum_um + centre.extremum_um) / 2,
        shift_um=(slope.shift_um + centre.shift_um) / 2,
        # Both features come from the same pixels: their errors are taken to be in step.
        shift_error_um=(slope.shift_error_um + centre.shift_error_um) / 2,
        is_reference=is_reference,
    )
