"""What a command gives, as users of ImageJ expect it: rows of the Results table, images in windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Optional

from jpype import JClass

from .imagej1 import is_headless
from .places import Place


@dataclass(frozen=True)
class Row:
    """Row of the Results table: label, outputs, and the plane or object where it is one of several."""

    label: str
    outputs: dict[str, Any]
    place: Optional[Place] = None
    object_label: Optional[int] = None


def show_results(category: str, outputs: dict[str, Any]) -> None:
    """Add rows to the Results table, their columns named as in CellProfiler."""
    table = JClass("ij.measure.ResultsTable").getResultsTable()
    # What a row does not have would else be 0.
    table.setNaNEmptyCells(True)
    add_rows(table, category, outputs["rows"])
    if not is_headless():
        table.show("Results")


def show_images(images: Sequence[Any]) -> None:
    """Show images; without a window a macro has them among its open ones."""
    if not is_headless() or JClass("ij.IJ").isMacro():
        for image in images:
            image.show()


def add_rows(table: Any, category: str, rows: Sequence[Row]) -> None:
    """Add rows to a table of ImageJ."""
    for row in rows:
        table.incrementCounter()
        table.addLabel(row.label)
        if row.place is not None:
            table.addValue("Slice", float(row.place.slice))
            table.addValue("Frame", float(row.place.frame))
        if row.object_label is not None:
            table.addValue("Object", float(row.object_label))
        for name, value in row.outputs["features"].items():
            table.addValue(f"{category}_{name}", float(value))
        for name in ("status", "reason", "warnings"):
            table.addValue(f"{category}_{name.capitalize()}", str(row.outputs[name]))
