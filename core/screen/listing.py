"""Which files a screen is of: found one after the other, so that work begins at once and memory stays flat."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Optional

from parfocal.images.metadata import UnreadableImage
from parfocal.images.ome_zarr import SUFFIX, zarr_fields, zarr_root
from parfocal.images.reading import READERS, is_known, one_line, walk_images
from parfocal.screen.keys import KeySet
from parfocal.screen.lists import LIST_SUFFIXES, check_list, read_list
from parfocal.screen.task import ScreenTask, folded_key


def check_inputs(paths: Iterable[str | os.PathLike[str]]) -> None:
    """See that every input is there, before any work is done; no folder is listed for it.

    Raises
    ------
    FileNotFoundError
        Where a path does not exist, or nothing matches a pattern.
    ValueError
        Where a list has no column that names files.
    """
    for given in (os.fspath(path) for path in paths):
        if os.path.exists(given):
            if _is_list(given):
                check_list(Path(given))
        elif not glob.has_magic(given):
            raise FileNotFoundError(f"no such file or folder: {given}")
        elif next(glob.iglob(given, recursive=True), None) is None:
            raise FileNotFoundError(f"nothing matches {given}")


def list_tasks(
    paths: Iterable[str | os.PathLike[str]],
    output: Path,
    own: Iterable[str],
    folded: Optional[KeySet] = None,
    left_out: Callable[[str], None] = lambda path: None,
) -> Iterator[ScreenTask]:
    """List the files of folders, patterns and lists, each once, as they are found; the order is that of the disk.

    Fields of an OME-Zarr plate come one by one. A folder that cannot be listed gives a task with a `problem`.

    Parameters
    ----------
    paths : iterable of path
        Files, folders (searched to the bottom), patterns, and lists (`.csv`, `.parquet`).
    output : Path
        Output folder of the screen.
    own : iterable of str
        Names of folders in it that are passed over.
    folded : KeySet, optional
        Keys of what earlier runs have done, without regard to capitals: other files must not be named like those.
    left_out : callable
        Called with the path of what is left out since another run of Parfocal wrote it.
    """
    seen, folded = KeySet(), folded or KeySet()
    passed_over = tuple(os.path.abspath(output / name) + os.sep for name in own)
    # What a list says of a file counts, also where a folder that has it is named before the list.
    lists_first = sorted((os.fspath(path) for path in paths), key=lambda given: not _is_list(given))
    ours = frozenset(path.rstrip(os.sep) for path in passed_over)

    def of_others(path: str) -> None:
        if path not in ours:
            left_out(path)

    for task in (task for given in lists_first for task in _tasks_of(given, of_others)):
        if not task.path.startswith(passed_over) and seen.add(task.key):
            yield task if folded.add(folded_key(task.shown)) else replace(task, alike=True)


def _tasks_of(given: str, left_out: Callable[[str], None]) -> Iterator[ScreenTask]:
    if _is_list(given) and os.path.isfile(given):
        yield from read_list(Path(given))
    elif os.path.exists(given):
        yield from _found(Path(os.path.abspath(given)), left_out)
    else:
        for match in map(os.path.abspath, glob.iglob(given, recursive=True)):
            # A pattern for what lies at any depth matches folders too, and then what lies in them.
            if is_known(match) or (os.path.isdir(match) and "**" not in given and not zarr_root(Path(match))):
                yield from _found(Path(match), left_out)


def _found(path: Path, left_out: Callable[[str], None]) -> Iterator[ScreenTask]:
    if zarr_root(path):
        yield from _of_zarr(path)
    elif not path.is_dir():
        yield ScreenTask(str(path))
    else:
        problems: list[ScreenTask] = []

        def unreadable(folder: Path, error: OSError) -> None:
            problem = f"the folder cannot be listed: {error.strerror or error}"
            problems.append(ScreenTask(str(folder), problem=problem))

        for file in walk_images(path, unreadable, left_out):
            yield from _of_zarr(file) if file.suffix.lower() == SUFFIX else (ScreenTask(str(file)),)
            yield from _taken(problems)
        yield from _taken(problems)


def _taken(problems: list[ScreenTask]) -> Iterator[ScreenTask]:
    while problems:
        yield problems.pop()


def _of_zarr(path: Path) -> Iterator[ScreenTask]:
    try:
        for field in zarr_fields(path):
            yield ScreenTask(str(field))
    except (UnreadableImage, OSError, KeyError, TypeError) as error:
        yield ScreenTask(str(path), problem=one_line(error))


def _is_list(given: str) -> bool:
    return os.path.splitext(given)[1].lower() in LIST_SUFFIXES


def no_image(paths: Iterable[str | os.PathLike[str]]) -> FileNotFoundError:
    """Error for inputs in which there was no image."""
    named = ", ".join(os.fspath(path) for path in paths)
    return FileNotFoundError(f"no image in {named} (looked for {', '.join(READERS)})")
