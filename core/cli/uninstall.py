"""`parfocal uninstall`: fiji."""

from __future__ import annotations

import argparse


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the programs that Parfocal's commands can be taken out of."""
    programs = parser.add_subparsers(metavar="PROGRAM", required=True)
    summary = "take away what parfocal install has written into a Fiji"
    fiji = programs.add_parser("fiji", help=summary, description=summary[0].upper() + summary[1:] + ".")
    fiji.add_argument("path", metavar="PATH", help="folder of the Fiji")


def run(options: argparse.Namespace) -> int:
    """Remove the scripts, and name those that stay."""
    from parfocal.fiji_bridge.scripts import uninstall

    removed, kept = uninstall(options.path)
    print(f"removed: {len(removed)} files")
    for path in kept:
        print(f"left, since it was changed: {path} (it does nothing without the others: delete it, or keep it)")
    return 0
