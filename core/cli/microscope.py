"""Options of the subcommands that drive a microscope, and the microscope and the estimator that they describe."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from parfocal.cli.options import add_command_options, given_arguments
from parfocal.commands import command_spec
from parfocal.focus_control.settings import HoldFocus


def add_microscope_options(parser: argparse.ArgumentParser) -> None:
    """Add what says which microscope, and how it looks at the sample."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--config", metavar="FILE", help="configuration file of Micro-Manager")
    which.add_argument("--demo", action="store_true", help="no hardware: a simulated sample that drifts 60 um an hour")
    group = parser.add_argument_group("how the sample is looked at")
    for flag, text in (
        ("--focus-device", "device to move (default: the focus device of the configuration)"),
        ("--focus-group", "configuration group of the focusing channel, such as Channel"),
        ("--focus-preset", "preset of that group, switched to for each look and back"),
        ("--focus-shutter", "shutter to open for a look"),
    ):
        group.add_argument(flag, default="", metavar="NAME", help=text)
    group.add_argument("--focus-exposure-ms", type=float, metavar="NUMBER", help="exposure of a look (ms)")
    group.add_argument("--reversed-z", action="store_true", help="larger positions of the device lie farther down")
    group.add_argument(
        "--um-per-offset-unit",
        type=float,
        default=1.0,
        metavar="NUMBER",
        help="um by which a unit of the offset of a hardware autofocus moves the focal plane (default 1)",
    )


@contextmanager
def opened(options: argparse.Namespace) -> Iterator[Any]:
    """Open the microscope of the options; its devices are unloaded at the end."""
    from parfocal.fiji_bridge.micromanager.channel import FocusChannel
    from parfocal.fiji_bridge.micromanager.microscope import MMCoreMicroscope
    from parfocal.fiji_bridge.micromanager.start import close_core, configured_core, demo_core

    through_optics = getattr(options, "estimator", "model") == "model"
    core = demo_core(through_optics=through_optics) if options.demo else configured_core(options.config)
    try:
        asked = (options.focus_group, options.focus_preset, options.focus_exposure_ms, options.focus_shutter)
        channel = FocusChannel(*asked) if any(asked) else None
        unit_um = options.um_per_offset_unit
        yield MMCoreMicroscope(core, channel, options.focus_device, options.reversed_z, unit_um)
    finally:
        close_core(core)


def add_settings_options(parser: argparse.ArgumentParser) -> None:
    """Add the settings of holding focus, from their definition."""
    group = parser.add_argument_group("how focus is held")
    add_command_options(group, command_spec(HoldFocus))


def given_settings(options: argparse.Namespace) -> HoldFocus:
    """Settings that were given; with known optics the distances that were not fit the depth of field."""
    from parfocal.focal_position.estimate import estimate_focal_position
    from parfocal.focus_control.estimators import fitting_settings

    told = given_arguments(options, command_spec(estimate_focal_position))
    return fitting_settings(given_arguments(options, command_spec(HoldFocus)), told)


def fill_in_demo(options: argparse.Namespace) -> None:
    """Give the optics of the demonstration, and looks every second, where they are not given."""
    from parfocal.fiji_bridge.micromanager.start import DEMO_OPTICS

    known = {**DEMO_OPTICS, "spherical_aberration": "positive", "interval_s": 1.0}
    for name, value in known.items() if options.demo else ():
        if not hasattr(options, name):
            setattr(options, name, value)
