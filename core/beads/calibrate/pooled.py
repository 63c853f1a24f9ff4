"""The reference focal plane of over-exposed sweeps, from the profile that all sweeps share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from parfocal.beads.batch.pooled import PooledStack, pool_stacks
from parfocal.beads.batch.stack import MeasuredStack
from parfocal.beads.calibrate.sweep import SATURATED_PEAK, Sweep
from parfocal.report.beads_style import WARNINGS


def with_pooled_labels(sweeps: Sequence[Sweep]) -> list[Sweep]:
    """Count the distances of sweeps whose peak is saturated from the plane that the pooled profile gives them.

    Exposure is a factor that profiles are pooled over (Chalfoun et al. 2024): where a long exposure saturates the
    planes about the peak, the rest of the profile still tells where it lies. Sweeps that no pooled profile fits are
    left out; the others stay as they are.
    """
    saturated = [i for i, sweep in enumerate(sweeps) if sweep.saturated_peak]
    usable = [i for i, sweep in enumerate(sweeps) if not sweep.reason]
    if not saturated:
        return list(sweeps)
    pooled = pool_stacks([MeasuredStack(sweeps[i].name, sweeps[i].path, sweeps[i].result) for i in usable])
    found = dict(zip(usable, pooled))
    own = len(usable) > len(saturated)
    return [_pooled(sweep, found[i], own) if i in saturated else sweep for i, sweep in enumerate(sweeps)]


def _pooled(sweep: Sweep, pooled: PooledStack, others: bool) -> Sweep:
    refp_um = pooled.reference_focal_plane_um
    if not (others and math.isfinite(refp_um)):
        why = pooled.reason or "no other stack shows the peak"
        return replace(sweep, reason=f"{WARNINGS[SATURATED_PEAK]} {why[0].upper()}{why[1:]}: expose less.")
    shift = refp_um - sweep.result.reference_focal_plane_um
    low, high = sweep.result.interval_um
    result = replace(sweep.result, reference_focal_plane_um=refp_um, interval_um=(low + shift, high + shift))
    rows = tuple({**row, "distance_um": row["distance_um"] - shift} for row in sweep.rows)
    return replace(sweep, result=result, distance_um=sweep.distance_um - shift, rows=rows)
