"""From labelled sweeps to a trained model folder, with its error on the sweeps that were kept back."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Optional

import numpy as np

from parfocal.beads.calibrate.pooled import with_pooled_labels
from parfocal.beads.calibrate.scores import (
    ALL_BEADS,
    bead_counts,
    beads_enough,
    by_beads,
    by_stack,
    figures,
    read_sweeps,
)
from parfocal.beads.calibrate.start import AUTO, Start
from parfocal.beads.calibrate.sweep import Sweep, pooled_crops
from parfocal.beads.distance.crops import LabelledCrops, split_by_stack, write_labelled_crops
from parfocal.beads.distance.plan import FEWEST_CROPS
from parfocal.beads.distance.settings import CONFIGS
from parfocal.beads.distance.training import train_bead_distance
from parfocal.registry import read_config

if TYPE_CHECKING:
    import pandas as pd

TRAINING, LIMITS, KEPT_BACK, LEFT_OUT = "training", "limits", "kept back", "left out"
DETAILS = "calibration"
_KEPT_SHARE = 0.25
_FINE_TUNING_STEPS, _NEW_STEPS = 800, 1600
_SAME_PIXELS = 0.005


@dataclass(frozen=True)
class CalibrationSettings:
    """How a calibration is made.

    Attributes
    ----------
    keep_back : int, optional
        Stacks kept back for the figures; by default a quarter, at least one. 0 for none.
    start_from : str
        See `choose_start`.
    members, steps : int, optional
        Networks, and batches of 64 crops for each: by default 800 for fine-tuning, 1600 for new networks.
    depth_of_field_um : float
        NaN where it is not known.
    seed : int
        Of the choice of stacks, and of the training.
    """

    keep_back: Optional[int] = None
    start_from: str = AUTO
    members: int = 2
    steps: Optional[int] = None
    depth_of_field_um: float = math.nan
    seed: int = 1


@dataclass(frozen=True)
class BeadCalibration:
    """What a calibration leaves.

    Attributes
    ----------
    output : Path
        The model folder, for `signed_distance` and `measure_bead_focal_plane`; tables and report lie in its folder
        `calibration`.
    sweeps : tuple of Sweep
    roles : tuple of str
        Of each: `training`, `limits` (sets the limits and intervals of the model), `kept back`, `left out`.
    start : str
        What the networks began from.
    range_um : tuple of float
        Distances that the model answers for, um.
    minutes : float
        That the training took.
    tables : dict
        By name: `stacks`; with stacks kept back also `readings`, `accuracy`, `by_stack`, `by_beads`.
    beads_enough : int, optional
        Fewest beads whose 95 percent error is within 10 percent of that with all beads of the images kept back; None
        where it takes all, or nothing was kept back.
    """

    output: Path
    sweeps: tuple[Sweep, ...] = field(repr=False)
    roles: tuple[str, ...]
    start: str
    range_um: tuple[float, float]
    minutes: float
    tables: dict[str, pd.DataFrame] = field(repr=False)
    beads_enough: Optional[int] = None

    @property
    def details(self) -> Path:
        """Folder with the crops, the tables and the report."""
        return self.output / DETAILS


def calibrate_sweeps(
    sweeps: Sequence[Sweep],
    output: Path,
    start: Start,
    settings: CalibrationSettings = CalibrationSettings(),  # noqa: B008
) -> BeadCalibration:
    """Train a model from sweeps, whole stacks being kept back for its figures; writes the model folder, no report.

    Raises
    ------
    ValueError
        Where fewer stacks are usable than it takes, or they hold too few crops; the message lists the others.
    """
    sweeps = with_pooled_labels(_of_one_pixel_size(sweeps))
    roles = _roles(sweeps, settings)
    details = output / DETAILS
    training = [i for i, role in enumerate(roles) if role in (TRAINING, LIMITS)]
    kept = [i for i, role in enumerate(roles) if role == KEPT_BACK]
    crops = pooled_crops(sweeps, training)
    if len(crops) < FEWEST_CROPS:
        raise ValueError(f"at least {FEWEST_CROPS} crops are needed, the stacks to train from hold {len(crops)}")
    write_labelled_crops(crops, details / "training")
    if kept:
        write_labelled_crops(pooled_crops(sweeps, kept), details / "kept_back")
    begun = time.perf_counter()
    train_bead_distance(
        str(output),
        crops=str(details / "training"),
        start_from=None if start.folder is None else str(start.folder),
        members=settings.members,
        steps=settings.steps or (_NEW_STEPS if start.folder is None else _FINE_TUNING_STEPS),
        seed=settings.seed,
    )
    minutes = (time.perf_counter() - begun) / 60
    shutil.rmtree(output / "checkpoints")
    low, high = read_config(output)["range_um"]
    made = BeadCalibration(output, tuple(sweeps), roles, start.text, (low, high), minutes, {})
    tables = {"stacks": _stack_table(made)}
    if not kept:
        return replace(made, tables=tables)
    tables.update(_score_tables(made, start, settings.depth_of_field_um))
    return replace(made, tables=tables, beads_enough=beads_enough(tables["by_beads"]))


def _of_one_pixel_size(sweeps: Sequence[Sweep]) -> list[Sweep]:
    """Leave out sweeps of another pixel size than the first usable one."""
    sizes = [sweep.result.pixel_size_um for sweep in sweeps if not sweep.reason]
    first = sizes[0] if sizes else math.nan
    text = "pixels of {:g} um, those of the first stack are {:g} um wide"
    return [
        replace(sweep, reason=text.format(sweep.result.pixel_size_um, first))
        if not sweep.reason and abs(sweep.result.pixel_size_um / first - 1) > _SAME_PIXELS
        else sweep
        for sweep in sweeps
    ]


def _roles(sweeps: Sequence[Sweep], settings: CalibrationSettings) -> tuple[str, ...]:
    usable = [i for i, sweep in enumerate(sweeps) if not sweep.reason]
    n_kept = max(1, round(_KEPT_SHARE * len(usable))) if settings.keep_back is None else settings.keep_back
    if len(usable) < n_kept + 1:
        raise ValueError(_too_few(sweeps, len(usable), n_kept))
    order = np.random.default_rng([settings.seed, 81]).permutation(usable)
    # A label that others helped to find is no truth to be held against.
    order = np.array(sorted(order, key=lambda i: sweeps[i].saturated_peak))
    roles = np.full(len(sweeps), LEFT_OUT, dtype=object)
    roles[order[:n_kept]], roles[order[n_kept:]] = KEPT_BACK, TRAINING
    training = np.flatnonzero(roles == TRAINING)
    if len(training) > 1:
        roles[_validation_stacks(training, settings.seed)] = LIMITS
    return tuple(roles)


def _validation_stacks(training: np.ndarray, seed: int) -> np.ndarray:
    """Which of the stacks the training will not fit to but set its limits by: it asks the same function."""
    n = len(training)
    one_each = LabelledCrops(np.zeros((n, 1, 1), np.uint8), np.zeros(n), training, 1.0, 1.0)
    return split_by_stack(one_each, CONFIGS["default"].validation_share, seed)[1].stack_index


def _too_few(sweeps: Sequence[Sweep], n_usable: int, n_kept: int) -> str:
    reasons = "".join(f"; {sweep.name}: {sweep.reason}" for sweep in sweeps if sweep.reason)
    if n_usable == 0:
        return f"none of the {len(sweeps)} stacks can be used{reasons}"
    return (
        f"{n_kept + 1} stacks or more are needed, got {n_usable} that can be used: a stack that was trained from tells"
        f" nothing of the error on others, so {n_kept} must be kept back. Give more stacks, or keep_back=0 for a model"
        f" whose error is not known{reasons}"
    )


def _score_tables(made: BeadCalibration, start: Start, depth_of_field_um: float) -> dict[str, pd.DataFrame]:
    """Readings and figures of the stacks kept back, by the new model and by the one it began from."""
    import pandas as pd

    kept = [sweep for sweep, role in zip(made.sweeps, made.roles) if role == KEPT_BACK]
    counts = bead_counts(kept)
    readings = read_sweeps(made.output, kept, made.range_um, counts)
    readings.insert(0, "model", "calibrated")
    parts = [readings]
    if start.folder is not None:
        parts.insert(
            0, read_sweeps(start.folder, kept, made.range_um, counts).assign(model=f"{start.folder.name} as it was")
        )
    whole = pd.concat(parts, ignore_index=True)[list(readings.columns)]
    accuracy = [
        {"model": name, **figures(mine[mine["group"] == ALL_BEADS], depth_of_field_um)}
        for name, mine in whole.groupby("model", sort=False)
    ]
    return {
        "readings": whole,
        "accuracy": pd.DataFrame(accuracy),
        "by_stack": by_stack(readings, depth_of_field_um),
        "by_beads": by_beads(readings, depth_of_field_um),
    }


def _stack_table(made: BeadCalibration) -> pd.DataFrame:
    import pandas as pd

    rows = [
        {
            "stack": sweep.name,
            "role": role,
            "refp_um": sweep.result.reference_focal_plane_um,
            "refp_from": "" if sweep.reason else "all stacks" if sweep.saturated_peak else "its own",
            "refp_interval_half_um": (sweep.result.interval_um[1] - sweep.result.interval_um[0]) / 2,
            "beads": len(np.unique(sweep.bead)),
            "planes": len(np.unique(sweep.plane)),
            "crops": len(sweep),
            "lowest_um": sweep.distance_um.min() if len(sweep) else math.nan,
            "highest_um": sweep.distance_um.max() if len(sweep) else math.nan,
            "background": sweep.background,
            "reason": sweep.reason,
        }
        for sweep, role in zip(made.sweeps, made.roles)
    ]
    return pd.DataFrame(rows)
