"""Strip charts of holding focus, drawn by ImageJ."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from jpype import JArray, JClass, JDouble

from parfocal.focus_control.seen import SeenFocus, Strip, strip

_DEVICE, _WANTED, _AWAY, _LIMIT = "#303030", "#3b6fb6", "#d9822b", "#b2182b"
# What the colours mean, to be shown beside the charts, which would be covered by it.
LEGEND = {
    "focal plane and setpoint": _WANTED,
    "focus device": _DEVICE,
    "\u25cb not locked": _AWAY,
    "limits": _LIMIT,
}
# Of the frames, in pixels, and room around the curves as a share of their range.
_WIDTH, _HEIGHT, _LOW_HEIGHT, _ROOM = 760, 150, 50, 0.08
_LEAST_RANGE_UM, _LEAST_MINUTES = 2.0, 0.1
# Longest span in minutes that is shown in a unit, and how many of it make a minute.
_UNITS = ((3.0, "seconds", 60.0), (180.0, "minutes", 1.0), (math.inf, "hours", 1 / 60.0))


def draw_charts(seen: SeenFocus) -> list[Any]:
    """Pictures of position and of certainty over time, the upper one first."""
    columns = strip(seen.looks)
    first = min([-_LEAST_MINUTES, *columns.minutes.tolist()])
    unit, scale = next((name, scale) for longest, name, scale in _UNITS if -first <= longest)
    time = columns.minutes * scale
    upper = _plot("", "z (um)", _HEIGHT, (first * scale, 0.0, *_range(columns)))
    upper.setFormatFlags(_flags(upper))
    wanted, known = np.isfinite(columns.wanted_um), np.isfinite(columns.z_um)
    _add(upper, "line", _WANTED, time[wanted], columns.wanted_um[wanted])
    _add(upper, "line", _DEVICE, time[known], columns.z_um[known])
    away = known & ~columns.locked
    _add(upper, "circle", _AWAY, time[away], columns.z_um[away])
    for limit in filter(math.isfinite, seen.limits_um):
        _add(upper, "line", _LIMIT, [first * scale, 0.0], [limit, limit])
    lower = _plot(unit, "certainty", _LOW_HEIGHT, (first * scale, 0.0, 0.0, 1.05))
    sure = np.isfinite(columns.certainty)
    _add(lower, "line", _DEVICE, time[sure], columns.certainty[sure])
    return [plot.getProcessor().getBufferedImage() for plot in (upper, lower)]


def _plot(x_label: str, y_label: str, height: int, limits: tuple[float, ...]) -> Any:
    plot = JClass("ij.gui.Plot")(y_label, x_label, y_label)
    plot.setFrameSize(_WIDTH, height)
    plot.setLimits(*map(float, limits))
    return plot


def _flags(plot: Any) -> int:
    """No numbers along x: those of the lower chart serve both."""
    return int(plot.getFlags()) & ~int(JClass("ij.gui.Plot").X_NUMBERS)


def _add(plot: Any, shape: str, color: str, x: Any, y: Any) -> None:
    if len(x):
        plot.setColor(color)
        plot.add(shape, _doubles(x), _doubles(y))


def _range(columns: Strip) -> tuple[float, float]:
    values = np.concatenate([columns.z_um, columns.wanted_um])
    values = values[np.isfinite(values)]
    low, high = (values.min(), values.max()) if values.size else (0.0, 0.0)
    short = max(0.0, _LEAST_RANGE_UM - (high - low)) / 2
    room = _ROOM * max(high - low, _LEAST_RANGE_UM)
    return float(low - short - room), float(high + short + room)


def _doubles(values: Any) -> Any:
    return JArray(JDouble)(np.asarray(values, float).tolist())
