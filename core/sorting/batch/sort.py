"""`sort_files`: every image in many files sorted, as tables and a picture to check it by."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from parfocal.batch.arguments import check_given
from parfocal.batch.files import FileReport, claim_output, find_tasks, run_tasks, worker_count
from parfocal.batch.tables import SUMMARY, write_table
from parfocal.sorting.batch.rows import plane_table, sorting_table
from parfocal.sorting.batch.worker import SortSettings, sort_file, start_worker
from parfocal.sorting.flag import flag_defocused
from parfocal.sorting.thresholds import SharpThreshold, sharp_threshold

if TYPE_CHECKING:
    import pandas as pd

TABLE, PLANES = "sorting.csv", "planes.csv"
DEFAULT_FALSE_ALARM_RATE = 0.01
# Warning in the table where the sharp images are too few for the wanted rate of false alarms.
TOO_FEW_SHARP = "too_few_sharp_examples"


@dataclass(frozen=True)
class SortedBatch:
    """What `sort_files` leaves.

    Attributes
    ----------
    table : pandas.DataFrame
        One row for each image, in the order of the files; also in `sorting.csv` and `sorting.parquet`.
    files : tuple of Path
        Tables and the summary picture that were written.
    sharp : SharpThreshold or None
        How the threshold was chosen from sharp images.
    """

    table: pd.DataFrame
    files: tuple[Path, ...]
    sharp: Optional[SharpThreshold] = None


def sort_files(
    paths: Iterable[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    given: Optional[dict[str, Any]] = None,
    workers: Optional[int] = None,
    sharp_examples: Optional[str | os.PathLike[str]] = None,
    false_alarm_rate: Optional[float] = None,
    overwrite: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> SortedBatch:
    """Sort sharp from defocused images in files and folders, on several cores; the files are only read.

    Images that are marked as restored are not sorted. A file that cannot be read, or whose process dies, becomes a row
    with the status `unreadable` and the reason.

    Parameters
    ----------
    paths : iterable of path
        Files, folders (searched to the bottom) and patterns such as `plate/*_w1.tif`.
    output : path
        Folder to write to; made where it does not exist. It may be the folder of the images.
    given : dict, optional
        Arguments of `flag_defocused`, such as `threshold`; they count more than what the files say.
    workers : int, optional
        Number of processes; without it, one a core.
    sharp_examples : path, optional
        Folder of images that are known to be sharp: the threshold is chosen from them.
    false_alarm_rate : float, optional
        Share of sharp images that may be flagged, with `sharp_examples`; 0.01 without it.
    overwrite : bool
        Replace the files of an earlier run.
    progress : callable
        Called with the number of files done and the number of files.

    Returns
    -------
    SortedBatch

    Raises
    ------
    FileNotFoundError
        Where there is no image.
    FileExistsError
        Where the files of an earlier run are there and `overwrite` is not set.
    OSError
        Where the output folder cannot be written.
    ValueError
        Where an argument is wrong, or no sharp example could be sorted.
    parfocal.registry.ModelError
        Where a model cannot be loaded.
    """
    given, output = dict(given or {}), Path(output)
    check_given(given, flag_defocused)
    # Arguments that do not go together and models that cannot be loaded are told before any file is opened.
    flag_defocused(np.zeros((1, 1), np.uint8), **given)
    workers = worker_count(workers)
    tasks = find_tasks(paths, output, (SUMMARY,))
    claim_output(output, overwrite, (TABLE, PLANES, SUMMARY))
    sharp = _threshold(given, sharp_examples, false_alarm_rate)
    if sharp is not None:
        given["threshold"] = sharp.threshold
    settings = SortSettings(given, (TOO_FEW_SHARP,) if sharp and sharp.warning else ())
    start = (start_worker, (settings,))
    reports = run_tasks(sort_file, tasks, workers, start, lambda row: FileReport([row]), progress)
    table, written = _write(output, reports)
    return SortedBatch(table, tuple(written), sharp)


def _threshold(
    given: dict[str, Any], sharp_examples: Optional[str | os.PathLike[str]], false_alarm_rate: Optional[float]
) -> Optional[SharpThreshold]:
    if sharp_examples is None:
        if false_alarm_rate is not None:
            raise ValueError(
                f"false_alarm_rate needs sharp_examples to choose a threshold from, got {false_alarm_rate}"
            )
        return None
    if "threshold" in given:
        raise ValueError(f"threshold is chosen from sharp_examples, got {given['threshold']} as well: leave one out")
    rate = DEFAULT_FALSE_ALARM_RATE if false_alarm_rate is None else false_alarm_rate
    return sharp_threshold(sharp_examples, rate, **given)


def _write(output: Path, reports: list[FileReport]) -> tuple[pd.DataFrame, list[Path]]:
    """Write `sorting.csv` and `.parquet`, `planes.csv` where there are stacks, and `summary.png`."""
    from parfocal.report.sorting import draw_sorting

    rows = [row for report in reports for row in report.images]
    views = {place: row.pop("view") for place, row in enumerate(rows) if "view" in row}
    table, planes = sorting_table(rows), [row for report in reports for row in report.planes]
    written = write_table(output / TABLE, table)
    if planes:
        plane_table(planes).to_csv(output / PLANES, index=False)
        written.append(output / PLANES)
    else:
        (output / PLANES).unlink(missing_ok=True)  # of an earlier run that may be overwritten
    written.append(draw_sorting(table, views, output / SUMMARY))
    return table, written
