"""What a command gives, as users of ImageJ expect it: rows of the Results table, images in windows."""

from __future__ import annotations

from typing import Any

from jpype import JClass

from .imagej1 import is_headless

IMAGES = ("image", "uncertainty")


def show_results(category: str, label: str, outputs: dict[str, Any]) -> None:
    """Add a row to the Results table, its columns named as in CellProfiler, and show the images."""
    table = JClass("ij.measure.ResultsTable").getResultsTable()
    table.incrementCounter()
    table.addLabel(label)
    for name, value in outputs["features"].items():
        table.addValue(f"{category}_{name}", float(value))
    for name in ("status", "reason", "warnings"):
        table.addValue(f"{category}_{name.capitalize()}", str(outputs[name]))
    if is_headless():
        return
    table.show("Results")
    for name in IMAGES:
        if name in outputs:
            outputs[name].show()


def label_of(image: Any) -> str:
    """Title of an image, with channel and time point where it has several."""
    places = [("c", image.getNChannels(), image.getC()), ("t", image.getNFrames(), image.getT())]
    return ":".join([str(image.getTitle()), *(f"{name}{at}" for name, count, at in places if count > 1)])
