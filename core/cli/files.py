"""What subcommands that go over many files share: options, a bar of progress, what could not be read."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from parfocal.report.screen.headlines import several
from parfocal.status import UNREADABLE

if TYPE_CHECKING:
    import pandas as pd

# Exit status where not one file could be read, so that a script notices.
NOTHING_READ = 1


def add_file_options(parser: argparse.ArgumentParser, written: str, overwritten: str) -> None:
    """Add files, output folder, `--overwrite` and `--workers`."""
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="files, folders (searched to the bottom) or patterns in quotes: TIFF, OME-TIFF, ImageJ, PNG, JPEG, BMP; "
        "CZI, ND2 and LIF with the extra `formats`. Optics come from the files where they state them; "
        "what is given here counts more.",
    )
    parser.add_argument("-o", "--output", required=True, metavar="FOLDER", help=f"folder for {written}")
    parser.add_argument("--overwrite", action="store_true", help=overwritten)
    parser.add_argument("--workers", type=int, metavar="NUMBER", help="processes (default: one a core)")


def detail_lines(table: pd.DataFrame) -> list[str]:
    """Lines that name the first files of a table that could not be read, and its warnings with what they mean."""
    from parfocal.report.screen.warned import warned

    unreadable = table[table["status"] == UNREADABLE]
    lines = [f"  {row.file}: {row.reason}" for row in unreadable.head(5).itertuples()]
    if len(unreadable) > 5:
        lines.append(f"  ... and {len(unreadable) - 5} more: see the column reason")
    found = warned(table)
    return lines + [f"  warning, {several(w.count, 'image')}: {w.name}. {w.meaning}".rstrip() for w in found]


@contextmanager
def shown_progress(doing: str) -> Iterator[Callable[[int, int], None]]:
    """Give a function that shows how many files are done, as a bar on a terminal and not at all elsewhere."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress

    columns = (*Progress.get_default_columns(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(doing, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
