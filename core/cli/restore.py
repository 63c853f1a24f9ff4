"""`parfocal restore`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from parfocal.cli.files import NOTHING_READ, add_file_options, detail_lines, shown_progress
from parfocal.cli.options import add_command_options, given_arguments
from parfocal.commands import command_spec
from parfocal.report.screen.headlines import several
from parfocal.restoration.restore import restore_defocus

if TYPE_CHECKING:
    from parfocal.restoration.batch import RestoredBatch


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options: files and output here, the restoration's own from its definition."""
    add_file_options(
        parser,
        "table and restored images",
        overwritten="replace the table of an earlier run; of its images only those of the same name are replaced",
    )
    parser.add_argument(
        "--only-flagged",
        metavar="TABLE",
        help="restore only images that this table flags (columns file and flagged, as sorting.csv of parfocal sort); "
        "the table must list every file",
    )
    parser.add_argument(
        "--all-images",
        action="store_true",
        help="write images that are left alone too, unchanged, so that restored/ stands for the whole folder",
    )
    parser.add_argument(
        "--previews", action="store_true", help="draw each restored image before, after, and the difference"
    )
    spec = command_spec(restore_defocus)
    add_command_options(parser.add_argument_group("restoration", spec.summary), spec)


def run(options: argparse.Namespace) -> int:
    """Restore, and say where things lie and what was done."""
    from parfocal.restoration.batch import restore_files

    with shown_progress("restoring") as progress:
        result = restore_files(
            options.paths,
            options.output,
            given_arguments(options, command_spec(restore_defocus)),
            workers=options.workers,
            only_flagged=options.only_flagged,
            all_images=options.all_images,
            previews=options.previews,
            overwrite=options.overwrite,
            progress=progress,
        )
    print(_summary(result, options.output))
    return NOTHING_READ if (result.table["status"] == "unreadable").all() else 0


def _summary(result: RestoredBatch, output: str) -> str:
    from parfocal.restoration.batch.rows import FILE_COLUMNS, count_by_outcome

    table = result.table
    counts = ", ".join(f"{count} {outcome}" for outcome, count in count_by_outcome(table).items())
    lines = [f"{several(len(table), 'image')}: {counts}"]
    lines += detail_lines(table)
    lines.append(f"written to {output}: {', '.join(path.name for path in result.files)}")
    for column in FILE_COLUMNS:
        written = table.loc[table[column] != "", column]
        if len(written):
            lines.append(f"  {several(len(written), 'image')} in {output}/{written.iloc[0].split('/')[0]}")
    if table["restored"].any():
        lines.append("Restored images are marked as such; they are not for quantification of intensity or texture.")
    return "\n".join(lines)
