"""Start ImageJ from Python, measure and flag the images of a folder by Parfocal's commands, and save a table.

    python examples/fiji/measure_folder.py FOLDER TABLE.csv [--fiji /path/to/Fiji.app]

Without --fiji the latest Fiji is fetched. The images of examples/plate do for a first try.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from parfocal.fiji_bridge import start_imagej

SUFFIXES = (".tif", ".tiff", ".png")


def measured(command: str, image, options: str = "") -> dict[str, str]:
    """Run a command on an image of ImageJ; what it writes into the Results table, by column."""
    from jpype import JClass  # has ImageJ's classes once it is started

    table = JClass("ij.measure.ResultsTable").getResultsTable()
    table.reset()
    table.setPrecision(6)
    JClass("ij.IJ").run(image, command, options)
    return {str(name): str(table.getStringValue(name, 0)) for name in table.getHeadings()}


def main() -> None:
    """Measure a folder."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("table", type=Path)
    parser.add_argument("--fiji", help="folder of a Fiji")
    parser.add_argument("--endpoint", help="Maven coordinates instead, such as sc.fiji:fiji:2.16.0")
    given = parser.parse_args()
    if given.table.exists():
        parser.error(f"{given.table} exists: choose another, or move it away")
    start_imagej(given.fiji, given.endpoint)
    from jpype import JClass

    rows = []
    for path in sorted(p for p in given.folder.iterdir() if p.suffix.lower() in SUFFIXES):
        image = JClass("ij.IJ").openImage(str(path))
        if image is None:
            rows.append({"Label": path.name, "ImageFocus_Status": "unreadable"})
            print(f"{path.name}: could not be opened")
            continue
        focus = measured("Measure Image Focus...", image)
        rows.append({**focus, **measured("Flag Defocused...", image, "threshold=0.5")})
        print(f"{focus['Label']}: level {focus['ImageFocus_Score']}, {focus['ImageFocus_Status']}")
    pd.DataFrame(rows).to_csv(given.table, index=False)


if __name__ == "__main__":
    main()
