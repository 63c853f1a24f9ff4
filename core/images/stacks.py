"""z-stacks that a user names: one file each, or planes in files of their own."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

import numpy as np

from parfocal.images.metadata import ImageMetadata, UnreadableImage
from parfocal.images.odd_sizes import with_odd_sizes
from parfocal.images.open_stack import TIFF_SUFFIXES, OpenStack, Planes, open_stacks
from parfocal.images.reading import find_images, one_line

_SINGLE = (".png", ".jpg", ".jpeg", ".bmp")


@dataclass(frozen=True)
class StackSource:
    """Where stacks come from: a file, or the files of a folder, of a pattern, or named one by one.

    Attributes
    ----------
    path : str
        As given.
    files : tuple of Path
        In the order of the numbers in their names.
    is_set : bool
        Whether those that hold a single plane are the planes of one stack.
    """

    path: str
    files: tuple[Path, ...]
    is_set: bool


def find_stack_sources(arguments: Sequence[str | os.PathLike[str]], each_file: bool = False) -> list[StackSource]:
    """Say what was named: each folder, pattern and file by itself; but files of single planes make one stack.

    With `each_file` every file is a source of its own, also those of folders and patterns.

    Raises
    ------
    FileNotFoundError
        Where there is no such file, or no image in a folder; the message names it.
    """
    texts = [os.fspath(argument) for argument in arguments]
    if each_file:
        return [StackSource(str(file), (file,), False) for file in sorted(find_images(texts), key=_by_numbers)]
    named = [Path(text) for text in texts if Path(text).is_file()]
    if len(named) == len(texts) > 1 and _single_planes(named):
        return [StackSource(str(named[0].parent), tuple(sorted(named, key=_by_numbers)), True)]
    sources = []
    for text in texts:
        files = tuple(sorted(find_images([text]), key=_by_numbers))
        sources.append(StackSource(text, files, not Path(text).is_file()))
    return sources


def read_stacks(source: StackSource) -> Iterator[OpenStack]:
    """Give the stacks of a source one by one; the planes of one can be read until the next is taken.

    A file gives a stack for each series, time and channel. In a set of files those of single planes are put together.

    Raises
    ------
    UnreadableImage
        Where a single file, or every file of a set, cannot be read.
    """
    if not source.is_set:
        yield from open_stacks(source.files[0])
        return
    groups: dict[str, list[_PlaneFile]] = {}
    bad: list[_PlaneFile] = []
    for file in source.files:
        try:
            for stack in open_stacks(file):
                if len(stack.planes) > 1:
                    yield stack
                else:
                    groups.setdefault(stack.part, []).append(_plane_file(file, stack))
        except (UnreadableImage, OSError, MemoryError) as error:
            bad.append(_PlaneFile(file, reason=one_line(error)))
    if bad and not groups:
        raise UnreadableImage(f"none of the {len(source.files)} files holds a plane; {bad[0].path}: {bad[0].reason}")
    for part, files in groups.items():
        yield _put_together(source, part, sorted([*files, *bad], key=lambda file: _by_numbers(file.path)))


@dataclass(frozen=True)
class _PlaneFile:
    path: Path
    part: str = ""
    shape_yx: tuple[int, int] = (0, 0)
    z_um: Optional[float] = None
    metadata: ImageMetadata = field(default_factory=ImageMetadata)
    reason: str = ""

    def read(self) -> np.ndarray:
        """Read the plane."""
        for stack in open_stacks(self.path):
            if stack.part == self.part:
                return stack.planes[0]
        raise UnreadableImage(f"{self.path.name} holds no such image any more")


def _plane_file(path: Path, stack: OpenStack) -> _PlaneFile:
    if stack.reasons[0]:
        return _PlaneFile(path, stack.part, reason=stack.reasons[0])
    height, width = stack.planes[0].shape
    z_um = None if stack.z_um is None else stack.z_um[0]
    return _PlaneFile(path, stack.part, (height, width), z_um, stack.metadata)


def _put_together(source: StackSource, part: str, files: Sequence[_PlaneFile]) -> OpenStack:
    """One stack of the planes in several files; those of another size than most are not used."""
    reasons = with_odd_sizes([file.reason for file in files], [file.shape_yx for file in files])
    z_um = tuple(file.z_um for file in files)
    return OpenStack(
        path=source.path,
        part=part,
        planes=Planes([file.read for file in files]),
        names=tuple(file.path.name for file in files),
        reasons=reasons,
        z_um=None if all(z is None for z in z_um) else z_um,
        metadata=next(file.metadata for file in files if not file.reason),
    )


def _single_planes(paths: Sequence[Path]) -> bool:
    """Whether two files or more can be read and each holds single planes only."""
    readable = 0
    for path in paths:
        if path.suffix.lower() not in (*TIFF_SUFFIXES, *_SINGLE):
            return False
        try:
            if any(len(stack.planes) > 1 for stack in open_stacks(path)):
                return False
            readable += 1
        except (UnreadableImage, OSError, MemoryError):
            continue
    return readable > 1


def _by_numbers(path: Path) -> tuple[Any, ...]:
    """Order in which plane_2 comes before plane_10."""
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", str(path)))
