"""`parfocal install`: fiji."""

from __future__ import annotations

import argparse


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the programs that Parfocal's commands can be installed into."""
    programs = parser.add_subparsers(metavar="PROGRAM", required=True)
    summary = "write scripts into a Fiji, so that it has the commands also when it is started from its icon"
    fiji = programs.add_parser("fiji", help=summary, description=summary[0].upper() + summary[1:] + ".")
    fiji.add_argument("path", metavar="PATH", help="folder of the Fiji")
    fiji.add_argument(
        "--patience-s",
        type=float,
        default=argparse.SUPPRESS,
        metavar="NUMBER",
        help="seconds without a sign of life after which a command is given up (default 300)",
    )


def run(options: argparse.Namespace) -> int:
    """Write the scripts, and say where they are in Fiji."""
    from parfocal.fiji_bridge.scripts import install

    given = {"patience_s": options.patience_s} if hasattr(options, "patience_s") else {}
    folder, names = install(options.path, **given)
    print(f"written: {folder}\nPlugins > Parfocal has {', '.join(names)} once Fiji is started again")
    return 0
