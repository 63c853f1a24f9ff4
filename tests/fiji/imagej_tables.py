"""What ImageJ holds after a command: tables and overlays; runs in the process of ImageJ."""

from __future__ import annotations

from imagej_window import press_key, wait_for
from jpype import JClass


def table_rows():
    """Rows of the Results table as text by column, and an empty table after it."""
    table = JClass("ij.measure.ResultsTable").getResultsTable()
    rows = _rows(table)
    table.reset()
    return rows


def rows_when_there():
    """The same once there are any, and nothing is added any more."""
    wait_for(lambda: JClass("ij.measure.ResultsTable").getResultsTable().size(), "a row of results")
    JClass("java.lang.Thread").sleep(500)
    return table_rows()


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


def managed_rois():
    """ROIs of the ROI Manager once a row tells that the command is done: name, rectangle and slice; it is closed."""
    managers = JClass("ij.plugin.frame.RoiManager")
    wait_for(lambda: JClass("ij.measure.ResultsTable").getResultsTable().size(), "a row of results")
    found = []
    for roi in managers.getRawInstance().getRoisAsArray():
        bounds = roi.getFloatBounds()
        xywh = [bounds.x, bounds.y, bounds.width, bounds.height]
        found.append({"name": str(roi.getName()), "xywh": xywh, "slice": roi.getPosition()})
    managers.getRawInstance().reset()
    managers.getRawInstance().close()
    return found


def plot(title):
    """Points of the first curve of a plot, and the legend's lines."""
    window = wait_for(lambda: JClass("ij.WindowManager").getWindow(title), f"plot {title}")
    shown = window.getPlot()
    x, y = list(shown.getDataObjectArrays(0))[:2]
    labels = [shown.getPlotObjectLabel(i) for i in range(len(shown.getPlotObjectDesignations()))]
    return {"x": list(map(float, x)), "y": list(map(float, y)), "labels": [str(label) for label in labels if label]}


def status_with(start, end):
    """Text of ImageJ's line of status, once it begins and ends so."""
    text = JClass("ij.ImageJ").getStatusBarText
    return str(wait_for(lambda: str(text()).startswith(start) and str(text()).endswith(end) and text(), start))


def move_and_escape(n_planes):
    """Go to slice 3 while planes are measured, then press Escape; what came of both."""
    image, imagej = JClass("ij.WindowManager").getCurrentImage(), JClass("ij.ImageJ")
    measuring = f" of {n_planes}, Escape cancels"
    status_with("Measure Image Focus: ", measuring)
    JClass("java.awt.EventQueue").invokeAndWait(lambda: image.setSlice(3))
    found = {"slice": image.getCurrentSlice(), "measuring then": str(imagej.getStatusBarText()).endswith(measuring)}
    image.getWindow().getCanvas().requestFocus()
    press_key("Escape")
    found["status"] = status_with("Measure Image Focus: ", "cancelled")
    return {**found, "rows": JClass("ij.measure.ResultsTable").getResultsTable().size()}
