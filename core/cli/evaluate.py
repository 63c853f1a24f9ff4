"""`parfocal evaluate`: focus-quality, bead-focal-plane, focal-position, hold-focus, restoration, sorting."""

from __future__ import annotations

import argparse

from parfocal.cli.options import add_command_options, given_arguments
from parfocal.commands import command_spec


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what can be evaluated, each with the options of its evaluation function."""
    from parfocal.beads.evaluation import evaluate_bead_focal_plane
    from parfocal.focal_position.evaluation import evaluate_focal_position
    from parfocal.focus_control.evaluation import evaluate_hold_focus
    from parfocal.focus_quality.evaluation import evaluate_focus_quality
    from parfocal.restoration.evaluation import evaluate_restoration
    from parfocal.sorting.evaluation import evaluate_sorting

    tasks = parser.add_subparsers(metavar="MODEL", required=True)
    for name, evaluate, positional in (
        ("focus-quality", evaluate_focus_quality, ("images",)),
        ("bead-focal-plane", evaluate_bead_focal_plane, ()),
        ("focal-position", evaluate_focal_position, ("images",)),
        ("hold-focus", evaluate_hold_focus, ()),
        ("restoration", evaluate_restoration, ("images",)),
        ("sorting", evaluate_sorting, ("images",)),
    ):
        spec = command_spec(evaluate)
        task = tasks.add_parser(name, help=spec.summary, description=spec.summary)
        add_command_options(task, spec, positional=positional)
        task.set_defaults(evaluate=evaluate)


def run(options: argparse.Namespace) -> int:
    """Evaluate, and say where the report lies."""
    options.evaluate(**given_arguments(options, command_spec(options.evaluate)))
    print(f"written to {options.output}")
    return 0
