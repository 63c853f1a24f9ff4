"""What a command gives, as users of ImageJ expect it: rows of the Results table, images in windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Optional

from jpype import JClass

from .imagej1 import is_headless
from .places import Place

IMAGES = ("image", "uncertainty")


@dataclass(frozen=True)
class Row:
    """Row of the Results table: label, outputs, and the plane where it is one of several."""

    label: str
    outputs: dict[str, Any]
    place: Optional[Place] = None


def show_results(category: str, outputs: dict[str, Any]) -> None:
    """Add rows to the Results table, their columns named as in CellProfiler, and show the images."""
    table = JClass("ij.measure.ResultsTable").getResultsTable()
    # What a row does not have would else be 0.
    table.setNaNEmptyCells(True)
    add_rows(table, category, outputs["rows"])
    if is_headless():
        return
    table.show("Results")
    for name in IMAGES:
        if name in outputs:
            outputs[name].show()


def add_rows(table: Any, category: str, rows: Sequence[Row]) -> None:
    """Add rows to a table of ImageJ."""
    for row in rows:
        table.incrementCounter()
        table.addLabel(row.label)
        if row.place is not None:
            table.addValue("Slice", float(row.place.slice))
            table.addValue("Frame", float(row.place.frame))
        for name, value in row.outputs["features"].items():
            table.addValue(f"{category}_{name}", float(value))
        for name in ("status", "reason", "warnings"):
            table.addValue(f"{category}_{name.capitalize()}", str(row.outputs[name]))
