"""`parfocal summarise`."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "table",
        metavar="TABLE",
        help="measurements.csv or .parquet of parfocal measure, screen.csv of parfocal screen, or the Image.csv that "
        "CellProfiler exported",
    )
    parser.add_argument("-o", "--output", required=True, metavar="PICTURE", help="PNG file to write")
    parser.add_argument("--title", default="Image focus", metavar="TEXT", help="title of the picture")
    parser.add_argument("--overwrite", action="store_true", help="replace the picture where it exists")


def run(options: argparse.Namespace) -> int:
    """Draw the summary picture of a table."""
    from parfocal.report.plate import draw_plate
    from parfocal.report.table import read_table

    output = Path(options.output)
    if output.suffix.lower() != ".png":
        raise ValueError(f"the picture must be a PNG file, got {output}")
    if output.exists() and not options.overwrite:
        raise FileExistsError(f"{output} exists: choose another name, or give --overwrite")
    table = read_table(options.table)
    output.parent.mkdir(parents=True, exist_ok=True)
    print(f"written: {draw_plate(table, output, options.title)}")
    return 0
