"""`parfocal doctor`."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what is looked at beyond this Python, and the form of the answer."""
    parser.add_argument("--fiji", metavar="PATH", help="look at the scripts that were installed into this Fiji, too")
    parser.add_argument(
        "--cellprofiler-plugins",
        metavar="DIR",
        help="look at the modules that were installed into this plugins folder of a CellProfiler, too",
    )
    parser.add_argument(
        "--thorough", action="store_true", help="import TensorFlow and start a JVM, too (takes half a minute)"
    )
    parser.add_argument("--json", action="store_true", help="print a list of what, state, text and remedy as JSON")


def run(options: argparse.Namespace) -> int:
    """Print what was found; the status is 1 where something that is installed is broken."""
    from parfocal.doctor import BROKEN, examine

    found = examine(options.fiji, options.cellprofiler_plugins, options.thorough)
    if options.json:
        print(json.dumps([asdict(finding) for finding in found], indent=2))
    else:
        for finding in found:
            print(f"{finding.state:8} {finding.what}: {finding.text}")
            if finding.remedy:
                print(f"         -> {finding.remedy}")
    return int(any(finding.state == BROKEN for finding in found))
