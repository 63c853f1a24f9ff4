"""The work of a screen, from the first file without rows to the table of all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from parfocal import status
from parfocal.images.left_by_runs import LeftOut
from parfocal.screen.begin import OWN, inputs_of
from parfocal.screen.cluster import connected
from parfocal.screen.columns import columns_of
from parfocal.screen.counts import Counts
from parfocal.screen.listing import list_tasks, no_image
from parfocal.screen.order import RowOrder
from parfocal.screen.place import Place
from parfocal.screen.progress import ScreenProgress, Teller, Total
from parfocal.screen.record import write_record
from parfocal.screen.results import Results
from parfocal.screen.rows import NOT_WRITTEN, finished_row, unreadable_row
from parfocal.screen.sessions import FINISHED, ended
from parfocal.screen.settings import RESULTS, TABLE, ScreenSettings
from parfocal.screen.spread import Spread
from parfocal.screen.table import write_csv
from parfocal.screen.task import ScreenTask
from parfocal.screen.worker import installed_version, screen_file


@dataclass(frozen=True)
class ScreenResult:
    """What `screen_files` leaves.

    Attributes
    ----------
    output : Path
        Holds `run.json`, `results/`, `screen.csv` and the pictures.
    counts : dict
        Number of images by what came out.
    restore : bool
        Whether restoring was asked for.
    """

    output: Path
    counts: dict[str, int] = field(default_factory=dict)
    restore: bool = False


def run(
    output: Path,
    record: dict[str, Any],
    place: Place,
    retry_failed: bool,
    progress: Callable[[ScreenProgress], None],
) -> ScreenResult:
    """Work on all files that have no rows, and write the table and how the run ended.

    Parameters
    ----------
    output : Path
        Held for this process, with the record in it.
    record : dict
    place : Place
    retry_failed : bool
        Do files again that could not be read, or whose pictures could not be written.
    progress : callable
        Called with a `ScreenProgress` after every file, and now and then.
    """
    results = Results(output / RESULTS, columns_of(record["arguments"].get("classical_metrics", False)))
    try:
        if retry_failed:
            results.drop(_has_failed)
        order = _work_through(output, record, results, place, progress)
        results.finish_part()
    finally:
        results.close()
    counts = Counts()
    write_csv(results, order.places(results), output / TABLE, counts)
    record = ended(record, FINISHED)
    write_record(output, {**record, "ended": record["sessions"][-1]["ended"], "counts": counts.told()})
    return ScreenResult(output, counts.told(), bool(record["arguments"].get("restore")))


def _work_through(
    output: Path,
    record: dict[str, Any],
    results: Results,
    place: Place,
    progress: Callable[[ScreenProgress], None],
) -> RowOrder:
    """Work on the files without rows; gives the order of all."""
    inputs, order, left_out = inputs_of(record), RowOrder(), LeftOut()
    listed = order.noted(list_tasks(inputs, output, OWN, results.folded(), left_out))
    waiting = (task for task in listed if task.key not in results.done)
    first = next(waiting, None)
    if first is not None:
        teller = Teller(results.done, Total(list_tasks(inputs, output, OWN)), place.awaited, progress)
        _work(_chained(first, waiting), output, record, results, place, teller)
    elif not len(results.done):
        raise no_image(record["inputs"])
    left_out.tell()
    return order


def _chained(first: ScreenTask, others: Iterator[ScreenTask]) -> Iterator[ScreenTask]:
    yield first
    yield from others


def _work(
    tasks: Iterator[ScreenTask],
    output: Path,
    record: dict[str, Any],
    results: Results,
    place: Place,
    teller: Teller,
) -> None:
    settings = ScreenSettings(str(output), record["arguments"], **record["options"], version=installed_version())
    teller.tell()
    with connected(place) as client:
        for task, rows, reason in Spread(client, screen_file, (settings,), place, teller.workers).each(tasks):
            results.add(rows or [finished_row(unreadable_row(task, reason), task, 0.0)])
            teller.tell()


def _has_failed(row: dict[str, Any]) -> bool:
    return row["status"] == status.UNREADABLE or NOT_WRITTEN in row["warnings"].split(";")
