"""What the strip charts of holding focus show, for whoever draws them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from parfocal.focus_control.seen import SeenFocus, Strip, strip

_DEVICE, _WANTED, _TOLERANCE, _AWAY, _LIMIT = "#303030", "#3b6fb6", "#a9c4e8", "#d9822b", "#b2182b"
# What the colours mean, to be shown beside the charts, which would be covered by it.
LEGEND = {
    "focal plane and setpoint": _WANTED,
    "tolerance": _TOLERANCE,
    "focus device": _DEVICE,
    "\u25cb not locked": _AWAY,
    "limits": _LIMIT,
}
# Of the frames, in pixels, and room around the curves as a share of their range.
WIDTH_PX = 760
_HEIGHT_PX, _LOW_HEIGHT_PX, _ROOM = 150, 50, 0.08
_LEAST_RANGE_UM, _LEAST_MINUTES = 2.0, 0.1
# Longest span in minutes that is shown in a unit, and how many of it make a minute.
_UNITS = ((3.0, "seconds", 60.0), (180.0, "minutes", 1.0), (math.inf, "hours", 1 / 60.0))
LINE, CIRCLE = "line", "circle"


@dataclass(frozen=True)
class Curve:
    """Points (n,) that are joined by a `line`, or each a `circle`; colour as in HTML."""

    shape: str
    color: str
    x: np.ndarray
    y: np.ndarray


@dataclass(frozen=True)
class Chart:
    """A frame with curves.

    Attributes
    ----------
    x_label, y_label : str
        Along x there are numbers where there is a label.
    height_px : int
    limits : tuple of float
        Of x and y, (first, last, lowest, highest).
    curves : tuple of Curve
        The first is drawn first.
    """

    x_label: str
    y_label: str
    height_px: int
    limits: tuple[float, float, float, float]
    curves: tuple[Curve, ...]


def charts_of(seen: SeenFocus) -> tuple[Chart, Chart]:
    """Charts of position and of certainty over time, the upper one first."""
    columns = strip(seen.looks)
    first = min([-_LEAST_MINUTES, *columns.minutes.tolist()])
    unit, scale = next((name, scale) for longest, name, scale in _UNITS if -first <= longest)
    time, span = columns.minutes * scale, (first * scale, 0.0)
    upper = Chart("", "z (um)", _HEIGHT_PX, (*span, *_range(seen, columns)), _positions(seen, columns, time, span))
    sure = _curve(LINE, _DEVICE, time, columns.certainty)
    return upper, Chart(unit, "certainty", _LOW_HEIGHT_PX, (*span, 0.0, 1.05), _with_points(sure))


def _positions(seen: SeenFocus, columns: Strip, time: np.ndarray, span: tuple[float, float]) -> tuple[Curve, ...]:
    aside = seen.tolerance_um * np.array([-1.0, 1.0])
    away = np.where(columns.locked, np.nan, columns.z_um)
    limits = [limit for limit in seen.limits_um if math.isfinite(limit)]
    return _with_points(
        *(_curve(LINE, _TOLERANCE, time, columns.wanted_um + distance) for distance in aside),
        _curve(LINE, _WANTED, time, columns.wanted_um),
        _curve(LINE, _DEVICE, time, columns.z_um),
        _curve(CIRCLE, _AWAY, time, away),
        *(_curve(LINE, _LIMIT, np.array(span), np.array([limit, limit])) for limit in limits),
    )


def _curve(shape: str, color: str, x: np.ndarray, y: np.ndarray) -> Curve:
    known = np.isfinite(y)
    return Curve(shape, color, x[known], y[known])


def _with_points(*curves: Curve) -> tuple[Curve, ...]:
    return tuple(curve for curve in curves if len(curve.x))


def _range(seen: SeenFocus, columns: Strip) -> tuple[float, float]:
    wanted, tolerance = columns.wanted_um, seen.tolerance_um
    values = np.concatenate([columns.z_um, wanted, wanted - tolerance, wanted + tolerance])
    values = values[np.isfinite(values)]
    low, high = (values.min(), values.max()) if values.size else (0.0, 0.0)
    short = max(0.0, _LEAST_RANGE_UM - (high - low)) / 2
    room = _ROOM * max(high - low, _LEAST_RANGE_UM)
    return float(low - short - room), float(high + short + room)


def told_charts(seen: SeenFocus) -> list[dict[str, Any]]:
    """The same as it goes over to who draws elsewhere."""
    return [{**vars(chart), "curves": [_told(curve) for curve in chart.curves]} for chart in charts_of(seen)]


def _told(curve: Curve) -> dict[str, Any]:
    # Finer than any screen shows, and much shorter as text.
    return {**vars(curve), "x": np.round(curve.x, 3).tolist(), "y": np.round(curve.y, 3).tolist()}
