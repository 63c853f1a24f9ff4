"""`parfocal uninstall`: fiji, cellprofiler."""

from __future__ import annotations

import argparse
from importlib import import_module

# Program: where its `uninstall` is, the name of its folder, and what the folder is.
_PROGRAMS = {
    "fiji": ("parfocal.fiji_bridge.scripts", "PATH", "folder of the Fiji"),
    "cellprofiler": ("parfocal.install.cellprofiler", "PLUGINS_DIR", "the plugins folder"),
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the programs that Parfocal's commands can be taken out of."""
    programs = parser.add_subparsers(metavar="PROGRAM", required=True)
    for name, (home, metavar, what) in _PROGRAMS.items():
        into = "a Fiji" if name == "fiji" else "a plugins folder of CellProfiler"
        summary = f"take away what parfocal install has written into {into}"
        program = programs.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
        program.add_argument("path", metavar=metavar, help=what)
        program.set_defaults(home=home)


def run(options: argparse.Namespace) -> int:
    """Remove the files, and name those that stay."""
    removed, kept = import_module(options.home).uninstall(options.path)
    print(f"removed: {len(removed)} files")
    for path in kept:
        print(f"left, since it was changed: {path} (it does nothing without the others: delete it, or keep it)")
    return 0
