"""`parfocal export`."""

from __future__ import annotations

import argparse


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the model, its form, and the file."""
    parser.add_argument(
        "model",
        metavar="MODEL",
        help="a model that ships, such as focus_quality/default (parfocal models), or a folder",
    )
    parser.add_argument(
        "--bioimageio",
        action="store_true",
        help="as a package of the bioimage.io model specification (extra bioimageio), which Parfocal loads too; it is "
        "the only form, and need not be said",
    )
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="the package to write, *.zip")
    parser.add_argument(
        "--test-image",
        metavar="IMAGE",
        help="image of which the test input is made, at the model's pixel size; for beads with one in the middle "
        "(default: a simulated one)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the file where it exists")


def run(options: argparse.Namespace) -> int:
    """Write the package, and say where it is."""
    from parfocal.sharing.export import export_bioimageio

    print(f"written: {export_bioimageio(options.model, options.output, options.test_image, options.overwrite)}")
    return 0
