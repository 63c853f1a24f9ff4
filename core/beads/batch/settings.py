"""What holds for all stacks of a batch."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Optional

from parfocal.beads.batch.targets import Target, check_targets
from parfocal.beads.batch.verdict import Limits
from parfocal.beads.distance.predict import TASK as DISTANCE_TASK
from parfocal.beads.measure import measure_bead_focal_plane
from parfocal.commands import command_spec
from parfocal.registry import load_model


@dataclass(frozen=True)
class BatchSettings:
    """How a batch is measured, judged and recorded.

    Attributes
    ----------
    z_tables : sequence of path
        CSV files with a column `z_um`: one for all stacks, or one for each path.
    channel : int, optional
        Channel to measure, from 0; all by default.
    limits : Limits
    targets : tuple of Target
    single_planes : bool
        Whether each plane of each file is measured by itself, by the distance model.
    repeats : bool
        Whether the stacks are repeats of one sample, to be pooled.
    history : path, optional
        CSV file that a row for each stack is appended to.
    instrument : str
    date : datetime, optional
        By default now.
    """

    z_tables: tuple[str | os.PathLike[str], ...] = ()
    channel: Optional[int] = None
    limits: Limits = Limits()
    targets: tuple[Target, ...] = ()
    single_planes: bool = False
    repeats: bool = False
    history: Optional[str | os.PathLike[str]] = None
    instrument: str = ""
    date: Optional[datetime] = None


def check_given(given: dict[str, Any], settings: BatchSettings) -> None:
    """Check the user's arguments before any file is opened.

    Raises
    ------
    TypeError, ValueError
        Where one is missing or out of its range; the message says what would be right.
    ModelError
        Where there is no such distance model.
    """
    spec = command_spec(measure_bead_focal_plane)
    for name, value in given.items():
        spec.parameter(name).param.check(name, value)
    if "bead_diameter_um" not in given:
        raise ValueError("the diameter of the beads, bead_diameter_um, must be given")
    if settings.z_tables and given.get("z_step_um") is not None:
        raise ValueError("give the z step or a table of positions, got both")
    if settings.single_planes:
        _check_single_planes(given, settings)
    if given.get("distance_model") is not None:
        load_model(given["distance_model"], DISTANCE_TASK)
    check_targets(settings.targets)


def _check_single_planes(given: dict[str, Any], settings: BatchSettings) -> None:
    if given.get("distance_model") is None:
        raise ValueError("single planes need a distance model: give --distance-model (in Python distance_model)")
    if settings.z_tables or settings.repeats:
        raise ValueError("single planes have no z table and no repeats: leave them out")
