"""Strip charts of holding focus, drawn by ImageJ."""

from __future__ import annotations

from typing import Any

from jpype import JArray, JClass, JDouble

from parfocal.focus_control.seen import SeenFocus

from .hold_charts import WIDTH_PX, Chart, charts_of


def draw_charts(seen: SeenFocus) -> list[Any]:
    """Pictures of position and of certainty over time, the upper one first."""
    return [_drawn(chart) for chart in charts_of(seen)]


def _drawn(chart: Chart) -> Any:
    plot = JClass("ij.gui.Plot")(chart.y_label, chart.x_label, chart.y_label)
    plot.setFrameSize(WIDTH_PX, chart.height_px)
    plot.setLimits(*map(float, chart.limits))
    if not chart.x_label:
        plot.setFormatFlags(int(plot.getFlags()) & ~int(JClass("ij.gui.Plot").X_NUMBERS))
    for curve in chart.curves:
        plot.setColor(curve.color)
        plot.add(curve.shape, _doubles(curve.x), _doubles(curve.y))
    return plot.getProcessor().getBufferedImage()


def _doubles(values: Any) -> Any:
    return JArray(JDouble)(values.tolist())
