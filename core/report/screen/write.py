"""`write_screen_report`: the report of a screen, or of a table, as one file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Optional

from parfocal.batch.files import OutputExists
from parfocal.report.screen.page import GENERATOR, render
from parfocal.report.screen.rows import COLUMNS, SETTINGS, kind_of, screen_rows
from parfocal.report.screen.run import Run, read_run, row_settings
from parfocal.report.table import read_table
from parfocal.screen.settings import REPORT, RESULTS

if TYPE_CHECKING:
    import pandas as pd

# Where in a file the mark of our reports stands.
_HEAD_BYTES = 2000


def write_screen_report(output: Path, path: Optional[Path] = None, overwrite: bool = False) -> Path:
    """Write the report of a screen: one HTML file that needs nothing beside it.

    Parameters
    ----------
    output : Path
        Folder of `parfocal screen`, with `run.json`, `results/` and pictures.
    path : Path, optional
        File to write; `report.html` in the folder by default.
    overwrite : bool
        Replace a file that is no report of a screen; such a report is replaced without being asked.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    FileNotFoundError
        Where the folder holds no rows of a screen.
    parfocal.batch.files.OutputExists
        Where another file has the name of the report, and `overwrite` is not set.
    """
    output = Path(output)
    path = check_report_path(output / REPORT if path is None else Path(path), overwrite)
    table = _read_results(output)
    return _write(path, table, Run(output.resolve().name, read_run(output)), output)


def write_table_report(table: Path, path: Path, overwrite: bool = False) -> Path:
    """Write the report of a table of `parfocal measure` or `sort`, or of CellProfiler's Image.csv.

    Parameters
    ----------
    table : Path
        CSV or Parquet; pictures that it names are looked for from its folder.
    path : Path
        File to write.
    overwrite : bool
        Replace a file that is no report of a screen.

    Raises
    ------
    FileNotFoundError
        Where there is no such table.
    ValueError
        Where it holds neither focus nor sorting.
    parfocal.batch.files.OutputExists
        Where another file has the name, and `overwrite` is not set.
    """
    path = check_report_path(Path(path), overwrite)
    return _write(path, read_table(table), Run(Path(table).name), Path(table).parent)


def check_report_path(path: Path, overwrite: bool) -> Path:
    """Give back the path where a report may be written to it."""
    if path.is_dir():
        raise IsADirectoryError(f"the report is a file, {path} is a folder: give the name of an HTML file")
    if path.exists() and not overwrite and not _is_ours(path):
        raise OutputExists(f"{path} exists and is no report of a screen: choose another name")
    return path


def _is_ours(path: Path) -> bool:
    with path.open("rb") as stream:
        return f'<meta name="generator" content="{GENERATOR}"'.encode() in stream.read(_HEAD_BYTES)


def _read_results(output: Path) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from parfocal.screen.columns import columns_of, schema_of
    from parfocal.screen.results import unfinished_rows

    tables = []
    for part in sorted((output / RESULTS).glob("part-*.parquet")):
        tables.append(pq.read_table(part, columns=_used(pq.read_schema(part).names)))
    rows = unfinished_rows(output / RESULTS)
    if rows:
        columns = {name: kind for name, kind in columns_of(False).items() if name in COLUMNS}
        tables.append(pa.Table.from_pylist(rows, schema_of(columns)))
    if not tables:
        raise FileNotFoundError(_nothing_in(output))
    return pa.concat_tables(tables, promote_options="permissive").to_pandas()


def _nothing_in(output: Path) -> str:
    """What to say of a folder without rows of a screen."""
    tables = [name for name in ("measurements.csv", "sorting.csv", "Image.csv") if (output / name).is_file()]
    if tables:
        return f"{output} holds no screen, but a table: give {output / tables[0]} with -o FILE"
    return f"{output} holds no rows of a screen, as parfocal screen writes them into {RESULTS}"


def _used(names: list[str]) -> list[str]:
    """Columns that the report shows: a table of a million rows needs no more memory than these."""
    return [name for name in names if name in COLUMNS]


def _write(path: Path, table: pd.DataFrame, run: Run, home: Path) -> Path:
    rows = screen_rows(table)
    about = Run(run.name, run.about, row_settings(rows, SETTINGS))
    text = render(rows, about, home, kind_of(table))
    path.parent.mkdir(parents=True, exist_ok=True)
    begun = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        # Names of files may hold what UTF-8 does not.
        with begun.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as stream:
            stream.write(text)
        os.replace(begun, path)
    finally:
        begun.unlink(missing_ok=True)
    return path
