"""`parfocal measure`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from parfocal.cli.files import NOTHING_READ, add_file_options, detail_lines, shown_progress
from parfocal.cli.options import add_command_options, given_arguments
from parfocal.commands import command_spec
from parfocal.focus_quality.measure import measure_image_focus
from parfocal.focus_quality.result import OUT_OF_FOCUS_LEVEL
from parfocal.report.screen.headlines import several

if TYPE_CHECKING:
    from parfocal.batch import BatchResult


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options: files and output here, the measurement's own from its definition."""
    add_file_options(
        parser,
        "tables and pictures",
        overwritten="replace the tables of an earlier run, patches.csv too; "
        "of its pictures only those of the same images are replaced",
    )
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

    with shown_progress("measuring") as progress:
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
    others = len(table) - len(answered) - len(unreadable)
    lines = [
        f"{several(len(table), 'image')}: {len(answered)} answered, {blurred} of them above level "
        f"{OUT_OF_FOCUS_LEVEL:g}; {len(unreadable)} unreadable, {others} without an answer for other reasons"
    ]
    lines += detail_lines(table)
    lines.append(f"written to {output}: {', '.join(path.name for path in result.files)}")
    folders = {"overlay": "overlays", "sharpest_plane_file": "sharpest"}
    keys = {"overlay": ", their colours are explained in summary.png"}
    for column, name in folders.items():
        if (table[column] != "").any():
            lines.append(f"pictures in {output}/{name}{keys.get(column, '')}")
    return "\n".join(lines)
