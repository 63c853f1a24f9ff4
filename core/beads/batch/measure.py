"""`measure_bead_stacks`: the reference focal plane of each stack, as tables, pictures, a report, and a history."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from parfocal.batch.measure import claim_output
from parfocal.batch.worker import common_names
from parfocal.beads.batch.finish import FILES, PICTURES, BatchRun, BeadBatch
from parfocal.beads.batch.history import read_history
from parfocal.beads.batch.positions import PositionTable, read_positions
from parfocal.beads.batch.settings import BatchSettings, check_given
from parfocal.beads.batch.stack import MeasuredStack, measure_stack, refused_stack
from parfocal.beads.batch.targets import Target
from parfocal.images.metadata import UnreadableImage
from parfocal.images.open_stack import single_planes
from parfocal.images.stacks import StackSource, find_stack_sources, read_stacks


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
    positions = [read_positions(path) for path in settings.z_tables]
    earlier = [] if settings.history is None else read_history(settings.history)
    sources = find_stack_sources(paths, each_file=settings.single_planes)
    if len(positions) not in (0, 1, len(sources)):
        raise ValueError(f"give one table of positions for all or one for each of {len(sources)}, got {len(positions)}")
    claim_output(output, overwrite, FILES)
    (output / PICTURES).mkdir(exist_ok=True)
    measured, pictures = [], []
    for stack in _measure_all(sources, positions, given, settings, progress):
        pictures.append(_draw(stack, settings.targets, output / PICTURES))
        measured.append(replace(stack, plane_yx=None))
    return BatchRun(output, settings, date, earlier).finish(measured, pictures)


def _measure_all(
    sources: Sequence[StackSource],
    positions: Sequence[PositionTable],
    given: dict[str, Any],
    settings: BatchSettings,
    progress: Callable[[str], None],
) -> Iterator[MeasuredStack]:
    names = common_names([Path(source.path) for source in sources])
    for index, (source, name) in enumerate(zip(sources, names)):
        table = positions[min(index, len(positions) - 1)] if positions else None
        progress(name)
        try:
            found = False
            for stack in read_stacks(source):
                if settings.channel is None or stack.metadata.channel == settings.channel:
                    found = True
                    for part in single_planes(stack) if settings.single_planes else [stack]:
                        yield measure_stack(part, f"{name} {part.part}".strip(), given, table)
            if not found:
                yield refused_stack(name, source.path, f"there is no channel {settings.channel} in it", given)
        except (UnreadableImage, OSError, MemoryError) as error:
            yield refused_stack(name, source.path, str(error) or type(error).__name__, given)


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
