"""`parfocal install`: fiji, cellprofiler."""

from __future__ import annotations

import argparse
from typing import Any

_CELLPROFILER = """Put the four modules (MeasureImageFocus, FlagDefocused, RestoreDefocus, MeasureBeadFocalPlane) into a
plugins folder of CellProfiler 4.2, also of one that was downloaded as a program. CellProfiler itself needs nothing
more: the modules have their work done by the Python named here, on the same computer, and give the same numbers. Select
the folder in CellProfiler under File > Preferences > Plugins directory, and start CellProfiler again. Where
CellProfiler's own Python has Parfocal, that one is used."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the programs that Parfocal's commands can be installed into."""
    programs = parser.add_subparsers(metavar="PROGRAM", required=True)
    summary = "write scripts into a Fiji, so that it has the commands also when it is started from its icon"
    fiji = programs.add_parser("fiji", help=summary, description=summary[0].upper() + summary[1:] + ".")
    fiji.add_argument("path", metavar="PATH", help="folder of the Fiji")
    fiji.set_defaults(install=_install_fiji)
    summary = "put the modules into a plugins folder of a CellProfiler that has no Parfocal"
    cellprofiler = programs.add_parser("cellprofiler", help=summary, description=" ".join(_CELLPROFILER.split()))
    cellprofiler.add_argument(
        "path", metavar="PLUGINS_DIR", help="the plugins folder; it is made where the folder around it is there"
    )
    cellprofiler.add_argument(
        "--python",
        default=argparse.SUPPRESS,
        metavar="PATH",
        help="Python that does the work, such as ENVIRONMENT/bin/python; it must have Parfocal of the same version, "
        "with the extra worker (default: the one that runs this command)",
    )
    cellprofiler.set_defaults(install=_install_cellprofiler)
    for program in (fiji, cellprofiler):
        program.add_argument(
            "--patience-s",
            type=float,
            default=argparse.SUPPRESS,
            metavar="NUMBER",
            help="seconds without a sign of life after which a command is given up (default 300)",
        )


def run(options: argparse.Namespace) -> int:
    """Write the files, and say where they are in the program."""
    given = {name: value for name, value in vars(options).items() if name in ("python", "patience_s")}
    print(options.install(options.path, given))
    return 0


def _install_fiji(path: str, given: dict[str, Any]) -> str:
    from parfocal.fiji_bridge.scripts import install

    folder, names = install(path, **given)
    return f"written: {folder}\nPlugins > Parfocal has {', '.join(names)} once Fiji is started again"


def _install_cellprofiler(path: str, given: dict[str, Any]) -> str:
    from parfocal.install.cellprofiler import install

    folder, python, names = install(path, **given)
    return (
        f"written: {folder} ({', '.join(names)})\nthe work is done by {python}\nSelect the folder in CellProfiler "
        "(File > Preferences > Plugins directory) and start CellProfiler again"
    )
