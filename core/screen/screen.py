"""`screen_files`: every image of a screen measured, flagged and, on request, restored."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

import numpy as np

from parfocal import status
from parfocal.batch.arguments import check_given
from parfocal.batch.files import OutputExists, claim_output, worker_count
from parfocal.commands import command_spec
from parfocal.screen.cluster import Place, connected
from parfocal.screen.columns import columns_of
from parfocal.screen.counts import Counts
from parfocal.screen.image import screen_image
from parfocal.screen.listing import check_inputs, list_tasks, no_image
from parfocal.screen.lock import only_run
from parfocal.screen.pictures import FOLDERS
from parfocal.screen.record import check_same, models_of, new_record, now, read_record, write_record
from parfocal.screen.results import Results
from parfocal.screen.rows import NOT_WRITTEN, finished_row, unreadable_row
from parfocal.screen.settings import OVERLAY_CHOICES, RECORD, REPORT, RESULTS, TABLE, ScreenSettings
from parfocal.screen.spread import Spread
from parfocal.screen.table import write_csv
from parfocal.screen.task import ScreenTask
from parfocal.screen.worker import installed_version, screen_file

_OWN = (RESULTS, *FOLDERS)
# How long a scheduler that is given may have no worker.
_PATIENCE_S = 60.0
Inputs = Sequence[Any]


@dataclass(frozen=True)
class ScreenProgress:
    """How far a screen has come.

    Attributes
    ----------
    done : int
        Files that have rows, those of earlier runs too.
    total : int or None
        Number of files; None while they are still being listed.
    now : int
        Files done since this run began.
    seconds : float
        Since its first file was handed out.
    """

    done: int
    total: Optional[int]
    now: int
    seconds: float


@dataclass(frozen=True)
class ScreenResult:
    """What `screen_files` leaves.

    Attributes
    ----------
    output : Path
        Holds `run.json`, `results/`, `screen.csv` and the pictures.
    counts : dict
        Number of images by what came out, and of files.
    """

    output: Path
    counts: dict[str, int] = field(default_factory=dict)


def screen_files(
    paths: Iterable[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    given: Optional[dict[str, Any]] = None,
    workers: Optional[int] = None,
    scheduler: Optional[str] = None,
    jobqueue: Optional[str] = None,
    jobs: int = 1,
    memory_limit: str = "auto",
    overlays: Optional[str] = None,
    previews: Optional[bool] = None,
    resume: bool = False,
    retry_failed: bool = False,
    overwrite: bool = False,
    progress: Callable[[ScreenProgress], None] = lambda progress: None,
) -> ScreenResult:
    """Screen every image of files, folders and lists, on the cores of this machine or on a cluster.

    Results are on disk as soon as a file is done: a run that is ended at any moment loses no more than the files that
    were being worked on, and can be gone on with. The files themselves are only read. A file that cannot be read, or
    whose process dies, becomes a row with the status `unreadable` and the reason.

    Parameters
    ----------
    paths : iterable of path
        Files, folders (searched to the bottom), patterns, and lists of images (CSV or Parquet as CellProfiler's
        LoadData takes them, or with a column `file`). With `resume` none means those of the run.
    output : path
        Folder to write to; on a cluster all machines must see it under this name.
    given : dict, optional
        Arguments of `screen_image`; they count more than what the files say.
    workers : int, optional
        Number of processes of this machine; without it, one a core.
    scheduler : str, optional
        Address of a scheduler of dask.distributed whose workers do the work.
    jobqueue : str, optional
        Kind of cluster, such as `slurm`, that dask-jobqueue starts `jobs` jobs on, by its own configuration.
    jobs : int
    memory_limit : str
        Memory at which a process of this machine is ended, such as `2GB`.
    overlays : str, optional
        Of which images overlays are drawn: `flagged` (the default; those without an answer too), `all` or `none`.
    previews : bool, optional
        Draw each restored image before, after, and the difference.
    resume : bool
        Go on with the run in the output folder: only files that have no rows are done. What is not given is as it was.
    retry_failed : bool
        With `resume`, do files again that could not be read, or whose pictures could not be written.
    overwrite : bool
        Replace an earlier run.
    progress : callable
        Called with a `ScreenProgress` after every file, and now and then.

    Returns
    -------
    ScreenResult

    Raises
    ------
    FileNotFoundError
        Where there is no image, or with `resume` no run.
    FileExistsError
        Where an earlier run is there, and neither `resume` nor `overwrite` is set.
    OSError
        Where results cannot be written, the workers or the scheduler are lost, or another run writes to the folder.
        What is written already can be gone on with.
    ValueError
        Where an argument is wrong, or with `resume` another than before; the message says which.
    parfocal.registry.ModelError
        Where a model cannot be loaded.
    """
    output = Path(os.path.abspath(output))
    place = Place(worker_count(workers), scheduler, jobqueue, jobs, memory_limit)
    place.check()
    if retry_failed and not resume:
        raise ValueError("retry_failed goes with resume")
    before = read_record(output) if resume else None
    record = _record(before, [os.fspath(path) for path in paths], dict(given or {}), overlays, previews)
    check_inputs(_inputs(record))
    if (output / RECORD).exists() and not (overwrite or resume):
        raise OutputExists(f"{output} holds a screen: go on with it (--resume), choose another output folder")
    claim_output(output, overwrite or resume, (RECORD, RESULTS, TABLE, *FOLDERS))
    with only_run(output):
        if overwrite and not resume:
            _clear(output)
        write_record(output, record)
        results = Results(output / RESULTS, columns_of(record["arguments"].get("classical_metrics", False)))
        try:
            return _run(output, record, results, place, retry_failed, progress)
        finally:
            results.close()


def _record(
    before: Optional[dict[str, Any]],
    inputs: list[str],
    given: dict[str, Any],
    overlays: Optional[str],
    previews: Optional[bool],
) -> dict[str, Any]:
    """Record of this run; of one that goes on, what is not given is as it was."""
    check_given(given, screen_image)
    options = {name: value for name, value in (("overlays", overlays), ("previews", previews)) if value is not None}
    if before is not None:
        given, options = {**before["arguments"], **given}, {**before["options"], **options}
    defaults = {parameter.name: parameter.default for parameter in command_spec(screen_image).parameters}
    given = {name: value for name, value in given.items() if value != defaults.get(name)}
    options = {"overlays": "flagged", "previews": False, **options}
    if options["overlays"] not in OVERLAY_CHOICES:
        raise ValueError(f"overlays must be one of {', '.join(OVERLAY_CHOICES)}, got {options['overlays']!r}")
    # Arguments that do not go together are told before any file is opened.
    screen_image(np.zeros((1, 1), np.uint8), **given)
    after = new_record(given, options, inputs, models_of(given))
    if before is None:
        return after
    check_same(before, after)
    told = {"inputs": before["inputs"], "folder": before["folder"]} if not inputs else {}
    kept = {"begun": before["begun"], "resumed": [*before.get("resumed", []), now()]}
    return {**after, **told, **kept}


def _inputs(record: dict[str, Any]) -> list[str]:
    """Inputs, relative ones from the folder that the run was begun in."""
    return [os.path.join(record["folder"], path) for path in record["inputs"]]


def _clear(output: Path) -> None:
    """Take away what an earlier run has left; what else lies in the folder stays."""
    for name in _OWN:
        shutil.rmtree(output / name, ignore_errors=True)
    for name in (RECORD, TABLE, REPORT):
        (output / name).unlink(missing_ok=True)


def _run(
    output: Path,
    record: dict[str, Any],
    results: Results,
    place: Place,
    retry_failed: bool,
    progress: Callable[[ScreenProgress], None],
) -> ScreenResult:
    if retry_failed:
        results.drop(_has_failed)
    inputs = _inputs(record)
    count = _Count(inputs, output)
    waiting = (task for task in list_tasks(inputs, output, _OWN) if task.key not in results.done)
    first = next(waiting, None)
    if first is not None:
        _work(_chained(first, waiting), output, record, results, place, count, progress)
    elif not len(results.done):
        raise no_image(record["inputs"])
    results.finish_part()
    counts = Counts()
    write_csv(results, output / TABLE, counts)
    write_record(output, {**record, "ended": now(), "counts": counts.told()})
    return ScreenResult(output, counts.told())


def _chained(first: ScreenTask, others: Iterator[ScreenTask]) -> Iterator[ScreenTask]:
    yield first
    yield from others


def _work(
    tasks: Iterator[ScreenTask],
    output: Path,
    record: dict[str, Any],
    results: Results,
    place: Place,
    count: _Count,
    progress: Callable[[ScreenProgress], None],
) -> None:
    settings = ScreenSettings(str(output), record["arguments"], **record["options"], version=installed_version())
    patience_s = None if place.jobqueue else _PATIENCE_S
    with connected(place) as client:
        begun, before = time.monotonic(), len(results.done)

        def tell() -> None:
            done = len(results.done)
            progress(ScreenProgress(done, count.total, done - before, time.monotonic() - begun))

        tell()
        for task, rows, reason in Spread(client, screen_file, (settings,), patience_s).each(tasks):
            results.add(rows or [finished_row(unreadable_row(task, reason), task, 0.0)])
            tell()


def _has_failed(row: dict[str, Any]) -> bool:
    return row["status"] == status.UNREADABLE or NOT_WRITTEN in row["warnings"].split(";")


class _Count:
    """Number of files, counted beside the work: listing them may take long."""

    def __init__(self, inputs: Inputs, output: Path) -> None:
        self.total: Optional[int] = None
        self._inputs, self._output = inputs, output
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        self.total = sum(1 for _ in list_tasks(self._inputs, self._output, _OWN))
