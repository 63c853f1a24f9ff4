"""`measure_files`: the focus of every image in many files, as tables and pictures."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

from parfocal.batch.arguments import check_given
from parfocal.batch.pool import run_in_processes
from parfocal.batch.rows import refused_row
from parfocal.batch.tables import SUMMARY, write_tables
from parfocal.batch.worker import (
    OVERLAYS,
    SHARPEST,
    FileReport,
    FileTask,
    WorkSettings,
    common_names,
    measure_file,
    start_worker,
)
from parfocal.images.reading import find_images
from parfocal.registry import load_model

if TYPE_CHECKING:
    import pandas as pd

TASK = "focus_quality"
TABLE = "measurements.csv"


@dataclass(frozen=True)
class BatchResult:
    """What `measure_files` leaves.

    Attributes
    ----------
    table : pandas.DataFrame
        One row for each image, in the order of the files; also in `measurements.csv` and `measurements.parquet`.
    files : tuple of Path
        Tables and the summary picture that were written.
    """

    table: pd.DataFrame
    files: tuple[Path, ...]


def measure_files(
    paths: Iterable[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    given: Optional[dict[str, Any]] = None,
    workers: Optional[int] = None,
    overlays: bool = True,
    write_sharpest: bool = False,
    patches: bool = False,
    overwrite: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> BatchResult:
    """Measure the focus of every image in files and folders, on several cores.

    A file that cannot be read, or whose process dies, becomes a row with the status `unreadable` and the reason.

    Parameters
    ----------
    paths : iterable of path
        Files, folders (searched to the bottom) and patterns such as `plate/*_w1.tif`.
    output : path
        Folder to write to; made where it does not exist.
    given : dict, optional
        Arguments of `measure_image_focus`, such as `pixel_size_um`; they count more than what the files say.
    workers : int, optional
        Number of processes; without it, one a core.
    overlays : bool
        Draw the patches onto each image (of a stack, onto its sharpest plane) into `overlays/`.
    write_sharpest : bool
        Write the sharpest plane of each stack as OME-TIFF into `sharpest/`.
    patches : bool
        List all patches in `patches.csv`.
    overwrite : bool
        Replace the tables of an earlier run.
    progress : callable
        Called with the number of files done and the number of files.

    Returns
    -------
    BatchResult

    Raises
    ------
    FileNotFoundError
        Where there is no image.
    FileExistsError
        Where the tables of an earlier run are there and `overwrite` is not set.
    OSError
        Where the output folder cannot be written.
    ValueError
        Where an argument is wrong.
    parfocal.registry.ModelError
        Where the model cannot be loaded.
    """
    given, output = dict(given or {}), Path(output)
    check_given(given)
    load_model(given.get("model", "default"), TASK)
    workers = _workers(workers)
    files = [path for path in find_images(paths) if not _is_own(path, output)]
    if not files:
        raise FileNotFoundError(f"there is no image but the pictures of an earlier run in {output}")
    claim_output(output, overwrite)
    tasks = [FileTask(index, path, name) for index, (path, name) in enumerate(zip(files, common_names(files)))]
    settings = WorkSettings(output, given, overlays, write_sharpest, patches)
    reports = _measure_all(tasks, settings, min(workers, len(tasks)), progress)
    table, written = write_tables(output, reports)
    return BatchResult(table, tuple(written))


def claim_output(output: Path, overwrite: bool, names: Iterable[str] = (TABLE,)) -> None:
    """Make the output folder and see that it can be written, before any work is done.

    Raises
    ------
    FileExistsError
        Where a file or folder of one of these names is there and `overwrite` is not set.
    OSError
        Where the folder cannot be made or written; the message names it.
    """
    for path in (output / name for name in names):
        if path.exists() and not overwrite:
            raise FileExistsError(f"{path} exists: choose another output folder, or allow it to be overwritten")
    probe = output / ".parfocal-can-write"
    try:
        output.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise OSError(f"the output folder {output} cannot be written: {error.strerror or error}") from error


def _measure_all(
    tasks: list[FileTask], settings: WorkSettings, workers: int, progress: Callable[[int, int], None]
) -> list[FileReport]:
    reports: dict[int, FileReport] = {}
    progress(0, len(tasks))
    for task, result in run_in_processes(measure_file, tasks, workers, start_worker, (settings,)):
        if isinstance(result, Exception):
            result = FileReport([refused_row(task.path, f"{result}: too large for the memory, or it breaks a reader")])
        reports[task.index] = result
        progress(len(reports), len(tasks))
    return [reports[task.index] for task in tasks]


def _workers(workers: Optional[int]) -> int:
    if workers is None:
        return os.cpu_count() or 1
    if workers < 1:
        raise ValueError(f"workers must be 1 or more, got {workers}")
    return workers


def _is_own(path: Path, output: Path) -> bool:
    """Whether a file is a picture that an earlier run left in the output folder."""
    path, output = path.resolve(), output.resolve()
    return path == output / SUMMARY or any(output / folder in path.parents for folder in (OVERLAYS, SHARPEST))
