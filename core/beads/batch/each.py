"""The stacks of a batch one by one, read from files, with the positions that the user gave."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

from parfocal.batch.files import common_names
from parfocal.beads.batch.positions import PositionTable, read_positions
from parfocal.beads.batch.stack import MeasuredStack, measure_stack, refused_stack
from parfocal.images.metadata import UnreadableImage
from parfocal.images.open_stack import OpenStack, single_planes
from parfocal.images.stacks import StackSource, find_stack_sources, read_stacks


@dataclass(frozen=True)
class NamedStack:
    """A stack of a batch before it is measured, or why there is none.

    Attributes
    ----------
    name : str
        Tells the stacks of a batch apart.
    path : str
        File, folder or pattern.
    stack : OpenStack or None
        Its planes can be read until the next stack is taken.
    positions : PositionTable or None
        Positions of the planes, where the user gave them.
    reason : str
        Why there is no stack, or nothing.
    """

    name: str
    path: str
    stack: Optional[OpenStack] = field(default=None, repr=False)
    positions: Optional[PositionTable] = None
    reason: str = ""

    def measure(self, given: dict[str, Any]) -> MeasuredStack:
        """Measure it; where it cannot be measured the result says why."""
        if self.stack is None:
            return refused_stack(self.name, self.path, self.reason, given)
        return measure_stack(self.stack, self.name, given, self.positions)


def each_stack(
    paths: Sequence[str | os.PathLike[str]],
    z_tables: Sequence[str | os.PathLike[str]] = (),
    channel: Optional[int] = None,
    planes_alone: bool = False,
    progress: Callable[[str], None] = lambda name: None,
) -> Iterator[NamedStack]:
    """Give the stacks of files and folders; what is named, and the tables, is looked at before the first is read.

    Parameters
    ----------
    paths : sequence of path
        Files with a stack each; folders and patterns of files with a plane each.
    z_tables : sequence of path
        CSV files with a column `z_um`: one for all stacks, or one for each path.
    channel : int, optional
        Channel to take, from 0; all by default.
    planes_alone : bool
        Take each plane by itself instead of the stack that it belongs to.
    progress : callable
        Called with the name of each file or folder that is begun.

    Raises
    ------
    FileNotFoundError
        Where there is no image.
    ValueError
        Where a table of positions is none, or their number fits neither one nor that of the paths.
    """
    positions = [read_positions(path) for path in z_tables]
    sources = find_stack_sources(paths, each_file=planes_alone)
    if len(positions) not in (0, 1, len(sources)):
        raise ValueError(f"give one table of positions for all or one for each of {len(sources)}, got {len(positions)}")
    return _each(sources, positions, channel, planes_alone, progress)


def _each(
    sources: Sequence[StackSource],
    positions: Sequence[PositionTable],
    channel: Optional[int],
    planes_alone: bool,
    progress: Callable[[str], None],
) -> Iterator[NamedStack]:
    names = common_names([Path(source.path) for source in sources])
    for index, (source, name) in enumerate(zip(sources, names)):
        table = positions[min(index, len(positions) - 1)] if positions else None
        progress(name)
        try:
            found = False
            for stack in read_stacks(source):
                if channel is None or stack.metadata.channel == channel:
                    found = True
                    for part in single_planes(stack) if planes_alone else [stack]:
                        yield NamedStack(f"{name} {part.part}".strip(), source.path, part, table)
            if not found:
                yield NamedStack(name, source.path, reason=f"there is no channel {channel} in it")
        except (UnreadableImage, OSError, MemoryError) as error:
            yield NamedStack(name, source.path, reason=str(error) or type(error).__name__)
