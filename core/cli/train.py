"""`parfocal train`: focus-quality, bead-distance, focal-position, restorer, sorter."""

from __future__ import annotations

import argparse

from parfocal.cli.options import add_command_options, given_arguments
from parfocal.commands import command_spec
from parfocal.training.run_folder import refused_line


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the models that can be trained, each with the options of its training function."""
    from parfocal.beads.distance.training import train_bead_distance
    from parfocal.focal_position.training import train_focal_position
    from parfocal.focus_quality.training import train_focus_quality
    from parfocal.restoration.training import train_restorer
    from parfocal.sorting.training import train_sorter

    tasks = parser.add_subparsers(metavar="MODEL", required=True)
    for name, train in (
        ("focus-quality", train_focus_quality),
        ("bead-distance", train_bead_distance),
        ("focal-position", train_focal_position),
        ("restorer", train_restorer),
        ("sorter", train_sorter),
    ):
        spec = command_spec(train)
        task = tasks.add_parser(name, help=spec.summary, description=spec.summary)
        add_command_options(task, spec, positional=("images", "stacks"))
        task.set_defaults(train=train)


def run(options: argparse.Namespace) -> int:
    """Train a model, and say where it and its card lie."""
    folder = options.train(**given_arguments(options, command_spec(options.train)))
    refused = refused_line(folder)
    if refused:
        print(refused)
    print(f"written: {folder} (what it was trained on, its validation and its limits: {folder / 'card.md'})")
    return 0
