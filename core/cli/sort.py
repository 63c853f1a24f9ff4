"""`parfocal sort`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from parfocal.cli.files import NOTHING_READ, add_file_options, detail_lines, shown_progress
from parfocal.cli.options import add_command_options, given_arguments
from parfocal.commands import command_spec
from parfocal.report.screen.headlines import several
from parfocal.sorting.flag import flag_defocused

if TYPE_CHECKING:
    from parfocal.sorting.batch import SortedBatch


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options: files, output and sharp examples here, the sorting's own from its definition."""
    add_file_options(parser, "tables and a picture", overwritten="replace the files of an earlier run")
    parser.add_argument(
        "--sharp-examples",
        metavar="FOLDER",
        help="images that are known to be sharp, taken as those that are sorted: the threshold is chosen from them",
    )
    parser.add_argument(
        "--false-alarm-rate",
        type=float,
        metavar="NUMBER",
        help="share of sharp images that may be flagged, with --sharp-examples (default 0.01); a rate of 1/N takes "
        "N - 1 sharp images",
    )
    spec = command_spec(flag_defocused)
    add_command_options(parser.add_argument_group("sorting", spec.summary), spec)


def run(options: argparse.Namespace) -> int:
    """Sort, and say where things lie and what came out."""
    from parfocal.sorting.batch import sort_files

    with shown_progress("sorting") as progress:
        result = sort_files(
            options.paths,
            options.output,
            given_arguments(options, command_spec(flag_defocused)),
            workers=options.workers,
            sharp_examples=options.sharp_examples,
            false_alarm_rate=options.false_alarm_rate,
            overwrite=options.overwrite,
            progress=progress,
        )
    print(_summary(result, options.output))
    return NOTHING_READ if (result.table["status"] == "unreadable").all() else 0


def _summary(result: SortedBatch, output: str) -> str:
    from parfocal.sorting.batch.rows import count_by_outcome

    table = result.table
    counts = ", ".join(f"{count} {outcome}" for outcome, count in count_by_outcome(table).items())
    lines = [f"{several(len(table), 'image')}: {counts}"]
    if result.sharp is not None:
        sharp = result.sharp
        lines.append(
            f"threshold {sharp.threshold:.4g} from {several(sharp.n_images, 'sharp image')}: a new sharp image is "
            f"flagged with a probability of {sharp.promised_rate:.3g} at most"
        )
        lines += [f"  warning: {sharp.warning}"] if sharp.warning else []
        lines += [f"  warning: {sharp.doubt}"] if sharp.doubt else []
        lines += [f"  {len(sharp.left_out)} took no part, such as {sharp.left_out[0]}"] if sharp.left_out else []
    lines += detail_lines(table)
    lines.append(f"written to {output}: {', '.join(path.name for path in result.files)}")
    return "\n".join(lines)
