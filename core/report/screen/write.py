"""`write_screen_report`: the report of a screen, or of a table, as one file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Optional

from parfocal.report.screen.page import render
from parfocal.report.screen.rows import COLUMNS, SETTINGS, kind_of, screen_rows
from parfocal.report.screen.run import Run, read_run, row_settings
from parfocal.report.screen.target import check_target, write_page
from parfocal.report.table import read_table
from parfocal.screen.settings import REPORT, RESULTS

if TYPE_CHECKING:
    import pandas as pd


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
    parfocal.report.screen.target.ReportNotWritten
        Where it cannot be written; the message says why, and what to do.
    """
    output = Path(output)
    path = output / REPORT if path is None else Path(path)
    check_target(path, overwrite)
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
    parfocal.report.screen.target.ReportNotWritten
        Where it cannot be written; the message says why, and what to do.
    """
    table, path = Path(table), Path(path)
    check_target(path, overwrite)
    return _write(path, read_table(table), Run(table.name), table.parent)


def _read_results(output: Path) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from parfocal.screen.columns import columns_of, schema_of
    from parfocal.screen.results import parts_in, unfinished_rows

    # A run that is at work may make a part of its journal meanwhile: read in this order, no row is missed.
    unfinished, parts = unfinished_rows(output / RESULTS), parts_in(output / RESULTS)
    try:
        tables = [pq.read_table(part, columns=_used(pq.read_schema(part).names)) for part in parts]
    except (OSError, ValueError) as error:  # pyarrow's own errors are ValueErrors
        raise ValueError(f"the results in {output / RESULTS} cannot be read: {error}") from error
    finished = {part.stem for part in parts}
    rows = [row for name, found in unfinished.items() if name not in finished for row in found]
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
    write_page(path, text)
    return path
