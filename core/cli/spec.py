"""`parfocal spec`."""

from __future__ import annotations

import argparse
import json
from typing import Any


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add nothing: all commands are printed."""


def run(options: argparse.Namespace) -> int:
    """Print the specification of every command, for programs that show its settings without parfocal."""
    print(json.dumps(command_specs(), indent=2))
    return 0


def command_specs() -> list[dict[str, Any]]:
    """Specifications of all commands as plain dictionaries."""
    from parfocal.beads.calibrate import calibrate_beads
    from parfocal.beads.evaluation import evaluate_bead_focal_plane
    from parfocal.beads.measure import measure_bead_focal_plane
    from parfocal.commands import command_spec
    from parfocal.focal_position.calibrate import calibrate_focal_position
    from parfocal.focal_position.estimate import estimate_focal_position
    from parfocal.focal_position.evaluation import evaluate_focal_position
    from parfocal.focal_position.training import train_focal_position
    from parfocal.focus_control.autofocus import autofocus
    from parfocal.focus_control.evaluation import evaluate_hold_focus
    from parfocal.focus_quality.evaluation import evaluate_focus_quality
    from parfocal.focus_quality.measure import measure_image_focus
    from parfocal.focus_quality.training import train_focus_quality
    from parfocal.restoration.evaluation import evaluate_restoration
    from parfocal.restoration.restore import restore_defocus
    from parfocal.restoration.training import train_restorer
    from parfocal.screen.image import screen_image
    from parfocal.sorting.evaluation import evaluate_sorting
    from parfocal.sorting.flag import flag_defocused
    from parfocal.sorting.training import train_sorter

    commands = (
        measure_image_focus,
        train_focus_quality,
        evaluate_focus_quality,
        measure_bead_focal_plane,
        calibrate_beads,
        evaluate_bead_focal_plane,
        estimate_focal_position,
        train_focal_position,
        calibrate_focal_position,
        evaluate_focal_position,
        autofocus,
        evaluate_hold_focus,
        restore_defocus,
        train_restorer,
        evaluate_restoration,
        screen_image,
        flag_defocused,
        train_sorter,
        evaluate_sorting,
    )
    return [command_spec(command).as_dict() for command in commands]
