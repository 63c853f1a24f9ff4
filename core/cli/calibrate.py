"""`parfocal calibrate`."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from parfocal.cli.microscope import add_microscope_options, add_settings_options, given_settings, opened
from parfocal.cli.options import add_command_options, given_arguments
from parfocal.cli.signals import ended_as_by_ctrl_c
from parfocal.commands import command_spec
from parfocal.focal_position.calibrate import SHIPPED, calibrate_focal_position, check_can_begin


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options: those of the calibration and of the settings from their definitions."""
    add_microscope_options(parser)
    add_command_options(parser, command_spec(calibrate_focal_position))
    stacks = parser.add_argument_group("stacks that are taken")
    stacks.add_argument("--range-um", type=float, default=20.0, metavar="NUMBER", help="to either side (default 20)")
    stacks.add_argument("--step-um", type=float, default=1.0, metavar="NUMBER", help="between planes (default 1)")
    fields = stacks.add_mutually_exclusive_group()
    fields.add_argument(
        "--field-offset-um",
        type=float,
        nargs=2,
        action="append",
        default=[],
        metavar=("X", "Y"),
        help="a further field to which the XY stage goes, from where it is; to be repeated. The last field is not"
        " trained on but judges the result. The stage goes back at the end",
    )
    fields.add_argument(
        "--fields",
        type=int,
        default=2,
        metavar="NUMBER",
        help="fields to take without an offset: you are asked to move the sample in between (default 2; 1 without a"
        " terminal to ask at)",
    )
    add_settings_options(parser)


def run(options: argparse.Namespace) -> int:
    """Take the stacks, calibrate, and say how good it is on another field."""
    for name in ("range_um", "step_um"):
        if not getattr(options, name) > 0:
            raise ValueError(f"{name} must be above 0 um, got {getattr(options, name):g}")
    if options.fields < 1:
        raise ValueError(f"fields must be 1 or more, got {options.fields}")
    given = given_arguments(options, command_spec(calibrate_focal_position))
    check_can_begin(given["output"], given.get("start_from", SHIPPED))
    with ended_as_by_ctrl_c(), opened(options) as microscope:
        stacks = _stacks(options, microscope)
    if len(stacks) < 2:
        _tell("no second field: the errors are those on the field that is adapted to")
    second = {"second_field": stacks[-1]} if len(stacks) > 1 else {}
    made = calibrate_focal_position(stacks[: len(stacks) - len(second)], **given, **second)
    print(f"{made.text}\nwritten: {made.output}")
    return 0


def _stacks(options: argparse.Namespace, microscope: Any) -> list[Any]:
    """Stacks of the fields that the XY stage is sent to, or the user; without either of the present one."""
    from parfocal.fiji_bridge.micromanager.xy_stage import MMCoreXYStage
    from parfocal.focus_control.fields import take_fields
    from parfocal.focus_control.microscope import StageError

    if not options.field_offset_um:
        return _asked_for(options, microscope, options.fields)
    offsets_um = [(x_um, y_um) for x_um, y_um in options.field_offset_um]
    try:
        stage = MMCoreXYStage(microscope.core)
    except StageError as error:
        _tell(f"{error}: only the present field is taken")
        return _asked_for(options, microscope, 1)
    settings = given_settings(options)
    return take_fields(microscope, stage, settings, options.range_um, options.step_um, offsets_um, _tell)


def _asked_for(options: argparse.Namespace, microscope: Any, fields: int) -> list[Any]:
    """Take a stack of each field; without a terminal nobody can be asked to move the sample, and there is one."""
    from parfocal.focus_control.fields import stack_line
    from parfocal.focus_control.planes import take_stack

    settings, stacks = given_settings(options), []
    for number in range(1, fields + 1):
        if number > 1 and not _is_moved(number, fields):
            break
        stacks.append(take_stack(microscope, settings, options.range_um, options.step_um, f"field {number}"))
        _tell(stack_line(stacks[-1]))
    return stacks


def _tell(line: str) -> None:
    print(line, flush=True)


def _is_moved(number: int, fields: int) -> bool:
    if not sys.stdin.isatty():
        return False
    return input(f"Move to field {number} of {fields}, near focus, and press Enter (s to stop here): ").strip() != "s"
