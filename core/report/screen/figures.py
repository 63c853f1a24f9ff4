"""How the charts of the report look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

# Okabe and Ito's colours for the colour-blind, without the yellow that is too light on white.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
PATTERNS = ("", "/", ".", "x")
DASHES = ("solid", "dash", "dot", "dashdot")
# More channels than this are drawn as one: nobody tells more colours apart.
MOST_CHANNELS = len(COLORS)
INK, GRID = "#222222", "#dddddd"
# Light is good, dark is to be looked at, in every map; the lightness alone tells the order.
LEVEL_SCALE = ((0, "#ffe8c4"), (0.3, "#fdbb6c"), (0.6, "#d7642c"), (1, "#4a1203"))
CERTAINTY_SCALE = ((0, "#08264f"), (0.4, "#2f76b5"), (0.7, "#8fc0e0"), (1, "#d5eaf7"))
COUNT_SCALE = ((0, "#e4eef7"), (0.5, "#5d9bcb"), (1, "#08264f"))


def figure(traces: Sequence[dict[str, Any]], x_title: str, y_title: str, **layout: Any) -> str:
    """Make a chart, as JSON for Plotly's JavaScript.

    Parameters
    ----------
    traces : sequence of dict
        Traces as Plotly names them; a wrong property raises ValueError.
    x_title, y_title : str
    **layout
        Further properties of the layout; `xaxis` and `yaxis` are added to those of all charts.
    """
    import plotly.graph_objects as go

    axis = {"gridcolor": GRID, "linecolor": INK, "zeroline": False, "ticks": "outside", "automargin": True}
    common = {
        "template": "none",
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": INK},
        "margin": {"l": 56, "r": 16, "t": 16, "b": 48},
        "height": 340,
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "hoverlabel": {"bgcolor": "white", "font": {"color": INK}},
        # A finger that moves over a chart scrolls the page.
        "dragmode": False,
    }
    axes = {
        "xaxis": {**axis, "title": {"text": x_title}, **layout.pop("xaxis", {})},
        "yaxis": {**axis, "title": {"text": y_title}, **layout.pop("yaxis", {})},
    }
    return str(go.Figure(list(traces), {**common, **axes, **layout}).to_json())


def in_words(text: str) -> str:
    """A text that Plotly shows as it is: it takes `<b>` and the like in names for its own."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def rounded(values: Any, digits: int = 3) -> list[Any]:
    """Numbers for JSON: rounded, None where there is none."""
    return [None if not np.isfinite(value) else round(float(value), digits) for value in values]
