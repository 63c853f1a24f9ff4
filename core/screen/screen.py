"""`screen_files`: every image of a screen measured, flagged and, on request, restored."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Optional

from parfocal.batch.files import worker_count
from parfocal.images.left_by_runs import LeftOut
from parfocal.screen.begin import OWN, check_output, clear, clear_begun, inputs_of, record_of
from parfocal.screen.listing import check_inputs, list_tasks, no_image
from parfocal.screen.lock import only_run
from parfocal.screen.place import Place
from parfocal.screen.progress import ScreenProgress
from parfocal.screen.record import read_record, write_record
from parfocal.screen.results import ResultsLost
from parfocal.screen.run import ScreenResult, run
from parfocal.screen.sessions import STOPPED, ended, known_sessions
from parfocal.screen.settings import RECORD, RESULTS
from parfocal.screen.spread import WorkersLost


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
        LoadData takes them, or with a column `file`). With `resume` none, or the same as before.
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
        raise ValueError("--retry-failed goes with --resume: it does files of a run again")
    if resume and overwrite:
        raise ValueError("resume goes on with the run that overwrite would replace: leave --resume or --overwrite out")
    before = _before(output) if resume else None
    record = record_of(before, [os.fspath(path) for path in paths], dict(given or {}), overlays, previews)
    check_inputs(inputs_of(record))
    if (output / RECORD).exists() and not (overwrite or resume):
        with only_run(output):  # one that is at work is told first
            check_output(output, resume, overwrite)
    left_out = LeftOut()
    if not resume and next(list_tasks(inputs_of(record), output, OWN, left_out=left_out), None) is None:
        left_out.tell()
        raise no_image(record["inputs"])
    place.reach()
    made = not output.exists()
    check_output(output, resume, overwrite)
    try:
        with only_run(output):
            if resume:
                clear_begun(output)
            elif overwrite:
                clear(output)
            write_record(output, record)
            return _run(output, record, place, retry_failed, progress)
    finally:
        # What nothing was begun in is empty then.
        with suppress(OSError):
            if made:
                output.rmdir()


def _run(
    output: Path,
    record: dict[str, Any],
    place: Place,
    retry_failed: bool,
    progress: Callable[[ScreenProgress], None],
) -> ScreenResult:
    try:
        return run(output, record, place, retry_failed, progress)
    except BaseException as error:
        # Errors of these kinds say how to go on.
        begun = isinstance(error, (WorkersLost, ResultsLost)) or len(record["sessions"]) > 1
        with suppress(OSError):
            if begun or any((output / RESULTS).glob("part-*")):
                write_record(output, ended(record, STOPPED))
            else:
                clear(output)
        raise


def _before(output: Path) -> dict[str, Any]:
    record = read_record(output)
    return {**record, "sessions": known_sessions(record, output)}
