"""`parfocal report`."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "source",
        metavar="FOLDER",
        help="folder of parfocal screen; or a table: measurements.csv or .parquet of parfocal measure, sorting.csv or "
        ".parquet of parfocal sort, or the Image.csv that CellProfiler exported",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="HTML file to write (default: report.html in the folder of a screen)"
    )
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace the file also where it is no such report; an earlier report is replaced without it",
    )


def run(options: argparse.Namespace) -> int:
    """Write the report, and say where it is."""
    from parfocal.report.screen import write_screen_report, write_table_report

    source, output = Path(options.source), options.output and Path(options.output)
    if source.is_dir():
        written = write_screen_report(source, output, options.overwrite)
    elif not source.exists():
        raise FileNotFoundError(f"no such folder or table: {source}")
    elif output is None:
        raise ValueError(f"the report of a table needs -o FILE, such as -o {source.with_suffix('.html').name}")
    else:
        written = write_table_report(source, output, options.overwrite)
    print(f"written: {written}")
    return 0
