"""`parfocal fiji`."""

from __future__ import annotations

import argparse

from parfocal.cli.signals import ended_as_by_ctrl_c


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add which ImageJ is started."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--fiji", metavar="PATH", help="folder of a Fiji or ImageJ2")
    which.add_argument(
        "--endpoint",
        metavar="COORDINATES",
        help="Maven coordinates joined by +, such as sc.fiji:fiji:2.16.0 (default: the latest Fiji)",
    )


def run(options: argparse.Namespace) -> int:
    """Start ImageJ with the commands in place, and wait until it is quit."""
    from parfocal.fiji_bridge.start import show_imagej

    print("starting ImageJ: the commands lie under Plugins > Parfocal; quit it, or press Ctrl-C, to end", flush=True)
    with ended_as_by_ctrl_c():
        show_imagej(options.fiji, options.endpoint)
    return 0
