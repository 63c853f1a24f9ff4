"""`parfocal screen`."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from parfocal.cli.files import NOTHING_READ
from parfocal.cli.options import add_command_options, given_arguments
from parfocal.cli.screen_progress import shown_progress
from parfocal.cli.signals import ended_as_by_ctrl_c
from parfocal.commands import command_spec
from parfocal.report.screen.headlines import several
from parfocal.screen.image import screen_image
from parfocal.screen.settings import OVERLAY_CHOICES, RECORD, RESULTS, TABLE

if TYPE_CHECKING:
    from parfocal.screen.run import ScreenResult

INTERRUPTED = 130


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options: input, output and workers here, the screen's own from its definition."""
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="files, folders (searched to the bottom), patterns in quotes, OME-Zarr, and lists: CSV or Parquet as "
        "LoadData takes them, or with a column file. With --resume none, or the same as before.",
    )
    parser.add_argument("-o", "--output", required=True, metavar="FOLDER", help="folder for results and pictures")
    parser.add_argument("--resume", action="store_true", help="go on with the run in the output folder")
    parser.add_argument(
        "--retry-failed",
        action="store_true",
        help="with --resume: do files again that could not be read, or whose pictures could not be written",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the run in the output folder")
    parser.add_argument(
        "--overlays", choices=OVERLAY_CHOICES, help="of which images overlays are drawn (default flagged)"
    )
    parser.add_argument(
        "--previews",
        action=argparse.BooleanOptionalAction,
        help="draw each restored image before, after, and the difference",
    )
    parser.add_argument("--no-report", action="store_true", help="write no report.html at the end")
    _add_places(parser.add_argument_group("workers", "where the work is done; by default by processes of this machine"))
    spec = command_spec(screen_image)
    add_command_options(parser.add_argument_group("screen", spec.summary), spec)


def _add_places(group: Any) -> None:
    group.add_argument("--workers", type=int, metavar="NUMBER", help="processes of this machine (default: one a core)")
    group.add_argument(
        "--memory-limit",
        default="auto",
        metavar="SIZE",
        help="memory at which a process of this machine is ended, such as 2GB (default: what there is, shared out)",
    )
    group.add_argument("--scheduler", metavar="ADDRESS", help="scheduler of dask.distributed, such as tcp://node1:8786")
    group.add_argument(
        "--jobqueue",
        metavar="NAME",
        help="start workers as jobs of a cluster (slurm, pbs, sge, lsf, ...), by dask-jobqueue's configuration",
    )
    group.add_argument("--jobs", type=int, default=1, metavar="NUMBER", help="number of jobs, with --jobqueue")


def run(options: argparse.Namespace) -> int:
    """Screen, and say where things lie and what came out."""
    from parfocal.screen.screen import screen_files

    if not options.paths and not (options.resume or options.retry_failed):
        raise ValueError("name files, folders or lists to screen, or go on with a run by --resume")
    try:
        with ended_as_by_ctrl_c(), shown_progress() as progress:
            result = screen_files(
                options.paths,
                options.output,
                given_arguments(options, command_spec(screen_image)),
                workers=options.workers,
                scheduler=options.scheduler,
                jobqueue=options.jobqueue,
                jobs=options.jobs,
                memory_limit=options.memory_limit,
                overlays=options.overlays,
                previews=options.previews,
                resume=options.resume,
                retry_failed=options.retry_failed,
                overwrite=options.overwrite,
                progress=progress,
            )
    except KeyboardInterrupt:
        print(f"parfocal: stopped; {_how_to_go_on(options.output)}", file=sys.stderr)
        return INTERRUPTED
    print(summary(result))
    if not options.no_report:
        _write_report(result.output)
    return NOTHING_READ if result.counts["unreadable"] == result.counts["images"] else 0


def _how_to_go_on(output: str) -> str:
    if not (Path(output) / RECORD).exists():
        return "no screen was begun"
    return f"what is done is kept, go on with: parfocal screen -o {shlex.quote(output)} --resume"


def _write_report(output: Path) -> None:
    """Write the report, or say how to write it later: the screen is done whatever becomes of it."""
    from parfocal.report.screen import write_screen_report

    try:
        print(f"report: {write_screen_report(output)}")
    except (Exception, KeyboardInterrupt) as error:
        stopped = isinstance(error, KeyboardInterrupt)
        reason = "stopped" if stopped else " ".join(str(error).split()) or type(error).__name__
        later = f"parfocal report {shlex.quote(str(output))}"
        told = f"the screen is done, its rows are safe in {TABLE}, but there is no report of it: {reason}"
        print(f"parfocal: {told}\nWrite it later: {later}", file=sys.stderr)


def summary(result: ScreenResult) -> str:
    """Say what came out, where it lies, and what to do about the rest."""
    counts = result.counts
    lines = [_outcome(counts), f"written to {result.output}: {TABLE}, {RESULTS}"]
    if counts["pictures_not_written"]:
        told_of = f"of {counts['pictures_not_written']} images pictures could not be written (see the column reason)"
        lines.append(f"{told_of}: mend that, then --resume --retry-failed")
    if counts["undecided"] or counts["unreadable"]:
        lines.append(f"Why images are undecided or unreadable is in {TABLE}, column reason or sorting_reason.")
    if counts["restored"]:
        lines.append("Restored images are marked as such; they are not for quantification of intensity or texture.")
    elif result.restore and counts["flagged"]:
        lines.append(f"Nothing was restored: why is in {TABLE}, column restoration_reason.")
    elif result.restore:
        lines.append("Nothing to restore: no image is flagged as defocused.")
    return "\n".join(lines)


def _outcome(counts: dict[str, int]) -> str:
    """Images by what came out; what could not be read may be a folder, or a file that is no image."""
    told = {
        "sharp": counts["not_flagged"],
        "defocused": counts["flagged"],
        "undecided": counts["undecided"],
        "restored": counts["restored"],
    }
    unreadable, found = counts["unreadable"], ", ".join(f"{count} {name}" for name, count in told.items() if count)
    count = counts["images"] - unreadable
    images = f"{several(count, 'image')}{': ' if found else ''}{found}"
    files = f"{several(unreadable, 'file')} unreadable"
    return f"{images}; {files}" if unreadable else images
