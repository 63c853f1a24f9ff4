"""What ImageJ holds after a command: tables and overlays; runs in the process of ImageJ."""

from __future__ import annotations

from imagej_window import wait_for
from jpype import JClass


def table_rows():
    """Rows of the Results table as text by column, and an empty table after it."""
    table = JClass("ij.measure.ResultsTable").getResultsTable()
    rows = _rows(table)
    table.reset()
    return rows


def _rows(table):
    names = [str(name) for name in str(table.getColumnHeadings()).split("\t")]
    named = [name for name in names if name.strip() and name != "Label"]
    return [
        {"Label": str(table.getLabel(row)), **{name: str(table.getStringValue(name, row)) for name in named}}
        for row in range(table.size())
    ]


def overlay():
    """Elements of the overlay of the image in front: name, colour, rectangle, channel, slice and frame."""
    image = JClass("ij.WindowManager").getCurrentImage()
    return [_element(image, roi) for roi in image.getOverlay().toArray()] if image.getOverlay() else []


def _element(image, roi):
    color = roi.getFillColor() or roi.getStrokeColor()
    bounds = roi.getFloatBounds()
    stack_place = list(image.convertIndexToPosition(roi.getPosition())) if roi.getPosition() else None
    return {
        "name": str(roi.getName()),
        "rgb": None if color is None else [color.getRed(), color.getGreen(), color.getBlue()],
        "width": float(roi.getStrokeWidth()),
        "xywh": [bounds.x, bounds.y, bounds.width, bounds.height],
        "place": stack_place or [roi.getCPosition(), roi.getZPosition(), roi.getTPosition()],
    }


def table_window(title):
    """Rows of the table in a window of this title, once it is there; the window is closed."""
    window = wait_for(lambda: JClass("ij.WindowManager").getFrame(title), f"table {title}")
    wait_for(lambda: window.getTextPanel().getResultsTable(), "its rows")
    rows = _rows(window.getTextPanel().getResultsTable())
    window.close(False)
    return rows
