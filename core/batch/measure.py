"""`measure_files`: the focus of every image in many files, as tables and pictures."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

from parfocal.batch.arguments import check_given
from parfocal.batch.files import FileReport, claim_output, find_tasks, run_tasks, worker_count
from parfocal.batch.tables import SUMMARY, write_tables
from parfocal.batch.worker import OVERLAYS, SHARPEST, WorkSettings, measure_file, start_worker
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
    workers = worker_count(workers)
    tasks = find_tasks(paths, output, (SUMMARY, OVERLAYS, SHARPEST))
    claim_output(output, overwrite, (TABLE,))
    settings = WorkSettings(output, given, overlays, write_sharpest, patches)
    start = (start_worker, (settings,))
    reports = run_tasks(measure_file, tasks, workers, start, lambda row: FileReport([row]), progress)
    table, written = write_tables(output, reports)
    return BatchResult(table, tuple(written))
