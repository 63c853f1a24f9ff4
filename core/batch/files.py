"""Work on many files, whatever it is: which files, where its results may lie, and rows also of files that fail."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional, TypeVar

from parfocal.batch.pool import run_in_processes
from parfocal.batch.rows import refused_row
from parfocal.images.metadata import ImageItem, UnreadableImage
from parfocal.images.reading import find_images, read_images

Report = TypeVar("Report")


class OutputExists(FileExistsError):
    """What would be written is there already; a front that can allow it to be overwritten says how."""


@dataclass(frozen=True)
class FileTask:
    """One file to work on.

    Attributes
    ----------
    index : int
        Place in the table.
    path : Path
    name : str
        Path below the folder that all files share, with `/`: what is written of the file gets this name.
    """

    index: int
    path: Path
    name: str


@dataclass
class FileReport:
    """Rows of one file for the tables of images, planes and patches, as far as its work has them."""

    images: list[dict[str, Any]] = field(default_factory=list)
    planes: list[dict[str, Any]] = field(default_factory=list)
    patches: list[dict[str, Any]] = field(default_factory=list)


def find_tasks(paths: Iterable[str | os.PathLike[str]], output: Path, own: Sequence[str]) -> list[FileTask]:
    """List the images of files, folders and patterns, but for those that an earlier run left in the output folder.

    Parameters
    ----------
    paths : iterable of path
    output : path
    own : sequence of str
        Names of the files and folders with pictures that runs write into the output folder.

    Raises
    ------
    FileNotFoundError
        Where there is no image.
    """
    ours = [(output / name).resolve() for name in own]
    files = [path for path in find_images(paths) if not {path.resolve(), *path.resolve().parents}.intersection(ours)]
    if not files:
        raise FileNotFoundError(f"there is no image but the pictures of an earlier run in {output}")
    return [FileTask(index, path, name) for index, (path, name) in enumerate(zip(files, common_names(files)))]


def common_names(paths: list[Path]) -> Iterator[str]:
    """Names of the files below the folder that they share, with `/`."""
    parents = [os.path.abspath(path.parent) for path in paths]
    base = os.path.commonpath(parents)
    for path, parent in zip(paths, parents):
        yield Path(os.path.relpath(os.path.join(parent, path.name), base)).as_posix()


def claim_output(output: Path, overwrite: bool, names: Iterable[str]) -> None:
    """Make the output folder and see that it can be written, before any work is done.

    Raises
    ------
    OutputExists
        Where a file or folder of one of these names is there and `overwrite` is not set.
    OSError
        Where the folder cannot be made or written; the message names it.
    """
    for path in (output / name for name in names):
        if path.exists() and not overwrite:
            raise OutputExists(f"{path} exists: choose another output folder")
    if output.exists() and not output.is_dir():
        raise FileExistsError(f"the output {output} is a file: name a folder")
    probe = output / ".parfocal-can-write"
    try:
        output.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise OSError(f"the output folder {output} cannot be written: {error.strerror or error}") from error


def worker_count(workers: Optional[int]) -> int:
    """Number of processes: as given, or one a core."""
    if workers is None:
        return os.cpu_count() or 1
    if workers < 1:
        raise ValueError(f"workers must be 1 or more, got {workers}")
    return workers


def run_tasks(
    work: Callable[[FileTask], Report],
    tasks: list[FileTask],
    workers: int,
    start: tuple[Callable[..., None], tuple[Any, ...]],
    lost: Callable[[dict[str, Any]], Report],
    progress: Callable[[int, int], None],
) -> list[Report]:
    """Do the work of all files in processes.

    Parameters
    ----------
    work : callable
        Defined at module level; gives what is reported of a file.
    tasks : list of FileTask
    workers : int
        Number of processes; not more than there are files are started.
    start : callable, arguments
        Called once in each process.
    lost : callable
        Makes a report of the row of a file whose process died.
    progress : callable
        Called with the number of files done and the number of files.

    Returns
    -------
    list
        Reports in the order of the tasks.
    """
    reports: dict[int, Report] = {}
    progress(0, len(tasks))
    for task, result in run_in_processes(work, tasks, min(workers, len(tasks)), *start):
        if isinstance(result, Exception):
            result = lost(refused_row(task.path, f"{result}: too large for the memory, or it breaks a reader"))
        reports[task.index] = result
        progress(len(reports), len(tasks))
    return [reports[task.index] for task in tasks]


def each_image(path: Path, work: Callable[[ImageItem], dict[str, Any]]) -> list[dict[str, Any]]:
    """Work on every image of a file: the rows that come out.

    A file or image that cannot be read, or that the work refuses by a TypeError or ValueError, gives a row with the
    status `unreadable` and the reason.
    """
    rows: list[dict[str, Any]] = []
    try:
        for item in read_images(path):
            rows.append(_row_of(item, work))
    except (UnreadableImage, OSError, MemoryError) as error:
        rows.append(refused_row(path, str(error) or type(error).__name__))
    else:
        if not rows:
            reason = "the file holds no image of its own: it is part of a set whose images begin in other files"
            rows.append(refused_row(path, reason))
    return rows


def _row_of(item: ImageItem, work: Callable[[ImageItem], dict[str, Any]]) -> dict[str, Any]:
    try:
        return work(item)
    except (TypeError, ValueError) as error:
        return refused_row(item.path, str(error), item)


def suffix_of(item: ImageItem) -> str:
    """Tell images of one file apart in names, where there may be several."""
    about = item.metadata
    numbers = (("s", about.series), ("t", about.time), ("c", about.channel))
    return "".join(f"_{letter}{number}" for letter, number in numbers if number)
