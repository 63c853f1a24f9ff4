"""`parfocal calibrate`."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from parfocal.cli.microscope import add_microscope_options, add_settings_options, given_settings, opened
from parfocal.cli.options import add_command_options, given_arguments
from parfocal.cli.signals import ended_as_by_ctrl_c
from parfocal.commands import command_spec
from parfocal.focal_position.calibrate import calibrate_focal_position


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options: those of the calibration and of the settings from their definitions."""
    add_microscope_options(parser)
    add_command_options(parser, command_spec(calibrate_focal_position))
    stacks = parser.add_argument_group("stacks that are taken")
    stacks.add_argument("--range-um", type=float, default=20.0, metavar="NUMBER", help="to either side (default 20)")
    stacks.add_argument("--step-um", type=float, default=1.0, metavar="NUMBER", help="between planes (default 1)")
    stacks.add_argument(
        "--fields",
        type=int,
        default=2,
        metavar="NUMBER",
        help="fields to take; you are asked to move the sample in between, and the last one is not trained on but"
        " judges the result (default 2; 1 without a terminal to ask at)",
    )
    add_settings_options(parser)


def run(options: argparse.Namespace) -> int:
    """Take the stacks, calibrate, and say how good it is on another field."""
    for name in ("range_um", "step_um"):
        if not getattr(options, name) > 0:
            raise ValueError(f"{name} must be above 0 um, got {getattr(options, name):g}")
    if options.fields < 1:
        raise ValueError(f"fields must be 1 or more, got {options.fields}")
    with ended_as_by_ctrl_c(), opened(options) as microscope:
        stacks = _take(options, microscope)
    given = given_arguments(options, command_spec(calibrate_focal_position))
    second = {"second_field": stacks[-1]} if len(stacks) > 1 else {}
    made = calibrate_focal_position(stacks[: len(stacks) - len(second)], **given, **second)
    print(f"{made.text}\nwritten: {made.output}")
    return 0


def _take(options: argparse.Namespace, microscope: Any) -> list[Any]:
    """Take a stack of each field; without a terminal the sample cannot be moved, and there is one."""
    from parfocal.focus_control.planes import take_stack

    settings, stacks = given_settings(options), []
    for number in range(1, options.fields + 1):
        if number > 1 and not _is_moved(number, options.fields):
            break
        stack = take_stack(microscope, settings, options.range_um, options.step_um, f"field {number}")
        print(f"field {number}: {len(stack.z_um)} planes, focal plane at {stack.focal_z_um:.2f} um", flush=True)
        stacks.append(stack)
    return stacks


def _is_moved(number: int, fields: int) -> bool:
    if not sys.stdin.isatty():
        return False
    return input(f"Move to field {number} of {fields}, near focus, and press Enter (s to stop here): ").strip() != "s"
