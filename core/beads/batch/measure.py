"""`measure_bead_stacks`: the reference focal plane of each stack, as tables, pictures, a report, and a history."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from parfocal.batch.files import claim_output
from parfocal.beads.batch.each import each_stack
from parfocal.beads.batch.finish import FILES, PICTURES, BatchRun, BeadBatch
from parfocal.beads.batch.history import read_history
from parfocal.beads.batch.settings import BatchSettings, check_given
from parfocal.beads.batch.stack import MeasuredStack
from parfocal.beads.batch.targets import Target


def measure_bead_stacks(
    paths: Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    given: dict[str, Any],
    settings: BatchSettings = BatchSettings(),  # noqa: B008
    overwrite: bool = False,
    progress: Callable[[str], None] = lambda name: None,
) -> BeadBatch:
    """Measure the reference focal plane of stacks of beads in files, and write tables, pictures and a report.

    A stack that cannot be measured is a row with its reason; planes that cannot be read are left out and listed.

    Parameters
    ----------
    paths : sequence of path
        Files with a stack each; folders and patterns of files with a plane each.
    output : path
        Folder to write to; made where it does not exist.
    given : dict
        Arguments of `measure_bead_focal_plane` by name; they count more than what the files say.
    settings : BatchSettings
    overwrite : bool
        Replace the tables of an earlier run.
    progress : callable
        Called with the name of each stack that is begun.

    Returns
    -------
    BeadBatch

    Raises
    ------
    FileNotFoundError
        Where there is no image.
    FileExistsError
        Where files of an earlier run are there and `overwrite` is not set.
    OSError
        Where the output folder or the history cannot be written.
    ValueError
        Where an argument is wrong, a table of positions or the history is none.
    """
    output, date = Path(output), (settings.date or datetime.now()).replace(second=0, microsecond=0)
    check_given(given, settings)
    earlier = [] if settings.history is None else read_history(settings.history)
    stacks = each_stack(paths, settings.z_tables, settings.channel, settings.single_planes, progress)
    claim_output(output, overwrite, FILES)
    (output / PICTURES).mkdir(exist_ok=True)
    measured, pictures = [], []
    for stack in (named.measure(given) for named in stacks):
        pictures.append(_draw(stack, settings.targets, output / PICTURES))
        measured.append(replace(stack, plane_yx=None))
    return BatchRun(output, settings, date, earlier).finish(measured, pictures)


def _draw(stack: MeasuredStack, targets: Sequence[Target], folder: Path) -> list[Path]:
    """Draw the pictures of a stack; none of one that could not be measured."""
    from parfocal.report.beads_distance import draw_distances
    from parfocal.report.beads_field import draw_field
    from parfocal.report.beads_plane import draw_beads
    from parfocal.report.beads_profile import draw_profiles

    if stack.plane_yx is None:
        return []
    result, stem = stack.result, re.sub(r"[^\w.-]+", "_", stack.name)
    refp = result.reference_focal_plane_um
    places = [(target.name, refp + target.offset_um) for target in targets] if math.isfinite(refp) else []
    height, width = stack.plane_yx.shape
    pictures = [
        draw_field(result, (height, width), folder / f"{stem}_field.png"),
        draw_beads(result, stack.plane_yx, float(stack.z_um[stack.plane_index]), folder / f"{stem}_beads.png"),
    ]
    if result.plane_distances:
        pictures.insert(0, draw_distances(result, folder / f"{stem}_distances.png"))
    if len(result.z_um) > 1:
        pictures.insert(0, draw_profiles(result, folder / f"{stem}_profiles.png", places))
    return pictures
