"""Commands over the files of a folder: the batches of core, their table in a window of ImageJ."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from jpype import JClass

from parfocal.progress import tell
from parfocal.report.screen.headlines import several

from .imagej1 import is_headless, log
from .options import FOLDER, ONLY_FLAGGED, OUTPUT


def measure_folder(command: Callable[..., Any], arguments: dict[str, Any]) -> None:
    """Measure the focus of every image in a folder; exceptions as those of `measure_files`."""
    from parfocal.batch import measure_files

    _run(measure_files, arguments)


def sort_folder(command: Callable[..., Any], arguments: dict[str, Any]) -> None:
    """Sort every image in a folder; exceptions as those of `sort_files`."""
    from parfocal.sorting.batch import sort_files

    _run(sort_files, arguments)


def restore_folder(command: Callable[..., Any], arguments: dict[str, Any]) -> None:
    """Restore every defocused image in a folder; exceptions as those of `restore_files`."""
    from parfocal.restoration.batch import restore_files

    given = dict(arguments)
    _run(restore_files, given, only_flagged=given.pop(ONLY_FLAGGED.name, None))


def _run(files: Callable[..., Any], arguments: dict[str, Any], **more: Any) -> None:
    given = dict(arguments)
    folder, output = given.pop(FOLDER.name), given.pop(OUTPUT.name)
    if not Path(folder).is_dir():
        raise FileNotFoundError(f"{FOLDER.param.label} must be a folder, got {folder!r}")
    result = files([folder], output, given, progress=tell, **more)
    counts = ", ".join(f"{count} {status}" for status, count in result.table["status"].value_counts().items())
    images = several(len(result.table), "image")
    log([f"{images}: {counts}", f"written to {output}: {', '.join(p.name for p in result.files)}"])
    if not is_headless():
        show_table(result.table, f"{result.files[0].name} of {Path(folder).name}")


def show_table(frame: Any, title: str) -> None:
    """Show a table of pandas in a window of ImageJ."""
    from pandas.api.types import is_numeric_dtype

    table = JClass("ij.measure.ResultsTable")()
    table.setNaNEmptyCells(True)
    for row in frame.itertuples(index=False):
        table.incrementCounter()
        for name, value in zip(frame.columns, row):
            numeric = is_numeric_dtype(frame[name])
            table.addValue(name, _number(value) if numeric else "" if value is None else str(value))
    table.show(title)


def _number(value: Any) -> float:
    try:
        return float(value)
    except TypeError:  # pandas' own mark of what is missing
        return float("nan")
