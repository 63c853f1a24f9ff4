"""`restore_files`: every image in many files restored, and a table of what was done."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from parfocal.batch.arguments import check_given
from parfocal.batch.files import FileReport, claim_output, find_tasks, run_tasks, worker_count
from parfocal.batch.tables import write_table
from parfocal.restoration.batch.flags import read_flags
from parfocal.restoration.batch.names import output_names
from parfocal.restoration.batch.rows import plane_table, restoration_table
from parfocal.restoration.batch.worker import (
    PREVIEWS,
    RESTORED,
    UNCERTAINTY,
    RestoreSettings,
    restore_file,
    start_worker,
)
from parfocal.restoration.restore import restore_defocus

if TYPE_CHECKING:
    import pandas as pd

TABLE, PLANES = "restoration.csv", "restoration_planes.csv"


@dataclass(frozen=True)
class RestoredBatch:
    """What `restore_files` leaves.

    Attributes
    ----------
    table : pandas.DataFrame
        One row for each image, in the order of the files; also in `restoration.csv` and `restoration.parquet`.
    files : tuple of Path
        Tables that were written; the columns `restored_file`, `uncertainty_file` and `preview` name the images.
    """

    table: pd.DataFrame
    files: tuple[Path, ...]


def restore_files(
    paths: Iterable[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    given: Optional[dict[str, Any]] = None,
    workers: Optional[int] = None,
    only_flagged: Optional[str | os.PathLike[str]] = None,
    all_images: bool = False,
    previews: bool = False,
    overwrite: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> RestoredBatch:
    """Restore every defocused image in files and folders, on several cores; the originals stay as they are.

    Restored images lie in `restored/` as OME-TIFF, under the names of the originals and marked in their metadata; of a
    file with several series, times or channels each is a file of its own (`_s1`, `_t1`, `_c1`). Images in focus, and
    those that cannot be restored or were restored before, are left out; the table says why. A file that cannot be read,
    or whose process dies, becomes a row with the status `unreadable` and the reason.

    Parameters
    ----------
    paths : iterable of path
        Files, folders (searched to the bottom) and patterns such as `plate/*_w1.tif`.
    output : path
        Folder to write to; made where it does not exist. It may be the folder of the images.
    given : dict, optional
        Arguments of `restore_defocus`, such as `pixel_size_um`; they count more than what the files say.
    workers : int, optional
        Number of processes; without it, one a core.
    only_flagged : path, optional
        Table with the columns `file` and `flagged`, such as the `sorting.csv` of `parfocal sort`: only flagged images
        are restored.
    all_images : bool
        Write images that were left alone too, unchanged, so that `restored/` stands for the whole folder.
    previews : bool
        Draw each restored image before, after, and the difference, into `previews/`.
    overwrite : bool
        Replace the files of an earlier run.
    progress : callable
        Called with the number of files done and the number of files.

    Returns
    -------
    RestoredBatch

    Raises
    ------
    FileNotFoundError
        Where there is no image, or no such table.
    FileExistsError
        Where the files of an earlier run are there and `overwrite` is not set.
    OSError
        Where the output folder cannot be written.
    ValueError
        Where an argument is wrong, or files are not in the table.
    parfocal.registry.ModelError
        Where a model cannot be loaded.
    """
    given, output = dict(given or {}), Path(output)
    check_given(given, restore_defocus)
    # Arguments that do not go together and models that cannot be loaded are told before any file is opened.
    restore_defocus(np.zeros((1, 1), np.uint8), **given)
    workers = worker_count(workers)
    flags = None if only_flagged is None else read_flags(only_flagged)
    tasks = find_tasks(paths, output, (RESTORED, UNCERTAINTY, PREVIEWS))
    if flags is not None:
        flags.check(task.path for task in tasks)
    claim_output(output, overwrite, (TABLE, PLANES, RESTORED, UNCERTAINTY, PREVIEWS))
    named = [replace(task, name=name) for task, name in zip(tasks, output_names([task.name for task in tasks]))]
    settings = RestoreSettings(output, given, flags, all_images, previews)
    start = (start_worker, (settings,))
    reports = run_tasks(restore_file, named, workers, start, lambda row: FileReport([row]), progress)
    return RestoredBatch(*_write(output, reports))


def _write(output: Path, reports: list[FileReport]) -> tuple[pd.DataFrame, tuple[Path, ...]]:
    """Write `restoration.csv` and `.parquet`, and `restoration_planes.csv` where there are stacks."""
    table = restoration_table([row for report in reports for row in report.images])
    written, planes = write_table(output / TABLE, table), [row for report in reports for row in report.planes]
    if planes:
        plane_table(planes).to_csv(output / PLANES, index=False)
        written.append(output / PLANES)
    else:
        (output / PLANES).unlink(missing_ok=True)  # of an earlier run that may be overwritten
    return table, tuple(written)
