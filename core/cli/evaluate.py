"""`parfocal evaluate focus-quality`."""

from __future__ import annotations

import argparse

from parfocal.cli.options import add_command_options, given_arguments
from parfocal.commands import command_spec


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the models that can be evaluated, each with the options of its evaluation function."""
    from parfocal.focus_quality.evaluation import evaluate_focus_quality

    spec = command_spec(evaluate_focus_quality)
    tasks = parser.add_subparsers(metavar="MODEL", required=True)
    task = tasks.add_parser("focus-quality", help=spec.summary, description=spec.summary)
    add_command_options(task, spec, positional=("images",))
    task.set_defaults(evaluate=evaluate_focus_quality)


def run(options: argparse.Namespace) -> int:
    """Evaluate a model; its function prints the tables."""
    options.evaluate(**given_arguments(options, command_spec(options.evaluate)))
    print(f"written to {options.output}")
    return 0
