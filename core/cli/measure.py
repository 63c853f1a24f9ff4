"""`parfocal measure`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Callable

from parfocal.cli.options import add_command_options, given_arguments
from parfocal.commands import command_spec
from parfocal.focus_quality.measure import measure_image_focus
from parfocal.focus_quality.result import OUT_OF_FOCUS_LEVEL

if TYPE_CHECKING:
    from parfocal.batch import BatchResult


# Exit status where not one file could be read, so that a script notices.
NOTHING_READ = 1


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options: files and output here, the measurement's own from its definition."""
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="files, folders (searched to the bottom) or patterns in quotes: TIFF, OME-TIFF, ImageJ, PNG, JPEG, BMP; "
        "CZI, ND2 and LIF with pip install 'parfocal[formats]'. Optics come from the files where they state them; "
        "what is given here counts more.",
    )
    parser.add_argument("-o", "--output", required=True, metavar="FOLDER", help="folder for tables and pictures")
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace the tables of an earlier run, patches.csv too; "
        "of its pictures only those of the same images are replaced",
    )
    parser.add_argument("--workers", type=int, metavar="NUMBER", help="processes (default: one a core)")
    parser.add_argument(
        "--overlays",
        action=argparse.BooleanOptionalAction,
        default=argparse.SUPPRESS,
        help="draw the patches onto each image, of a stack onto its sharpest plane (default yes)",
    )
    parser.add_argument("--write-sharpest", action="store_true", help="write the sharpest plane of each stack")
    parser.add_argument("--patches", action="store_true", help="list every patch in patches.csv")
    spec = command_spec(measure_image_focus)
    add_command_options(parser.add_argument_group("measurement", spec.summary), spec)


def run(options: argparse.Namespace) -> int:
    """Measure, and say where things lie and what came out."""
    from parfocal.batch import measure_files

    with _progress() as progress:
        result = measure_files(
            options.paths,
            options.output,
            given_arguments(options, command_spec(measure_image_focus)),
            workers=options.workers,
            overlays=getattr(options, "overlays", True),
            write_sharpest=options.write_sharpest,
            patches=options.patches,
            overwrite=options.overwrite,
            progress=progress,
        )
    print(_summary(result, options.output))
    return NOTHING_READ if (result.table["status"] == "unreadable").all() else 0


def _summary(result: BatchResult, output: str) -> str:
    table = result.table
    answered = table[table["answered"]]
    blurred = int((answered["defocus_level"] > OUT_OF_FOCUS_LEVEL).sum())
    unreadable = table[table["status"] == "unreadable"]
    lines = [
        f"{len(table)} images: {len(answered)} answered, {blurred} of them above level {OUT_OF_FOCUS_LEVEL:g}; "
        f"{len(unreadable)} unreadable, {len(table) - len(answered) - len(unreadable)} without an answer for "
        "other reasons"
    ]
    lines += [f"  {row.file}: {row.reason}" for row in unreadable.head(5).itertuples()]
    if len(unreadable) > 5:
        lines.append(f"  ... and {len(unreadable) - 5} more: see the column reason")
    lines.append(f"written to {output}: {', '.join(path.name for path in result.files)}")
    folders = {"overlay": "overlays", "sharpest_plane_file": "sharpest"}
    keys = {"overlay": ", their colours are explained in summary.png"}
    for column, name in folders.items():
        if (table[column] != "").any():
            lines.append(f"pictures in {output}/{name}{keys.get(column, '')}")
    return "\n".join(lines)


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """Give a function that shows how many files are done, as a bar on a terminal and not at all elsewhere."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress

    columns = (*Progress.get_default_columns(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("measuring", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
