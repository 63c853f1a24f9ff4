"""`parfocal calibrate-beads`."""

from __future__ import annotations

import argparse

from parfocal.beads.calibrate import calibrate_beads
from parfocal.cli.options import add_command_options, given_arguments
from parfocal.commands import command_spec


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command; the stacks go by their place."""
    add_command_options(parser, command_spec(calibrate_beads), positional=("stacks",))


def run(options: argparse.Namespace) -> int:
    """Calibrate, and say what came out."""
    from parfocal.beads.calibrate.report import REPORT, summary_lines

    made = calibrate_beads(**given_arguments(options, command_spec(calibrate_beads)))
    print("\n".join(summary_lines(made)))
    print(f"written: {made.output} (report: {made.details / REPORT})")
    return 0
