"""What ImageJ holds after a command: tables and overlays; runs in the process of ImageJ."""

from __future__ import annotations

from jpype import JClass


def table_rows():
    """Rows of the Results table as text by column, and an empty table after it."""
    table = JClass("ij.measure.ResultsTable").getResultsTable()
    names = [str(name) for name in str(table.getColumnHeadings()).split("\t")]
    named = [name for name in names if name.strip() and name != "Label"]
    rows = [
        {"Label": str(table.getLabel(row)), **{name: str(table.getStringValue(name, row)) for name in named}}
        for row in range(table.size())
    ]
    table.reset()
    return rows


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
