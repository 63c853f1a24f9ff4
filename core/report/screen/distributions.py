"""Charts of how levels, certainties and probabilities are distributed, and of certainty against its mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from parfocal.focus_quality.network import N_LEVELS
from parfocal.focus_quality.result import OUT_OF_FOCUS_LEVEL
from parfocal.report.screen.figures import (
    COLORS,
    COUNT_SCALE,
    INK,
    LEVEL_SCALE,
    MOST_CHANNELS,
    PATTERNS,
    figure,
    in_words,
    rounded,
)
from parfocal.report.screen.headlines import several

if TYPE_CHECKING:
    import pandas as pd

# More images than this are drawn as counts of a grid: dots would hide each other, and slow the page down.
MOST_DOTS = 2000
_GRID_CELLS = 40


def level_chart(rows: pd.DataFrame) -> str:
    """Histogram of defocus levels, with the level from which an image counts as out of focus."""
    edges = np.linspace(0, N_LEVELS - 1, 2 * N_LEVELS - 1)
    return _histogram(rows, "defocus_level", edges, "defocus level (0 sharp, 10 worst)", [OUT_OF_FOCUS_LEVEL])


def certainty_chart(rows: pd.DataFrame) -> str:
    """Histogram of certainties."""
    return _histogram(rows, "certainty", np.linspace(0, 1, 26), "certainty (0 none, 1 full)", [])


def probability_chart(rows: pd.DataFrame) -> str:
    """Histogram of probabilities of defocus of all channels, on a logarithmic scale, with the threshold."""
    thresholds = sorted({round(float(value), 4) for value in rows["threshold"].dropna()})[:3]
    edges = np.linspace(0, 1, 41)
    return _histogram(rows.assign(channel=""), "probability", edges, "probability of defocus", thresholds, True)


def _histogram(
    rows: pd.DataFrame, name: str, edges: np.ndarray, title: str, lines: list[float], logarithmic: bool = False
) -> str:
    middles = rounded((edges[1:] + edges[:-1]) / 2)
    traces = []
    for number, (channel, values) in enumerate(by_channel(rows, name)):
        # A value on an edge belongs below it, as it does to a threshold: turned round, since numpy puts it above.
        counts = np.histogram(-values, -edges[::-1])[0][::-1]
        traces.append(
            {
                "type": "bar",
                "x": middles,
                "y": counts.tolist(),
                "name": in_words(channel),
                "marker": {"color": COLORS[number], "pattern": {"shape": PATTERNS[number], "solidity": 0.35}},
                "hovertext": [f"{a:g} to {b:g}: {several(n, 'image')}" for a, b, n in zip(edges, edges[1:], counts)],
                "hovertemplate": "%{hovertext}<extra>" + in_words(channel) + "</extra>",
            }
        )
    layout: dict[str, Any] = {"barmode": "stack", "bargap": 0.08}
    layout["showlegend"] = len(traces) > 1
    layout["shapes"] = [_threshold(x) for x in lines]
    layout["annotations"] = [_threshold_text(x) for x in lines]
    layout["xaxis"] = {"range": [float(edges[0]), float(edges[-1])]}
    layout["yaxis"] = _counts_axis(int(np.sum([trace["y"] for trace in traces], axis=0).max()), logarithmic)
    return figure(traces, title, "images", **layout)


def _counts_axis(most: int, logarithmic: bool) -> dict[str, Any]:
    """An axis of whole numbers; on a logarithmic one, a single image is to be seen."""
    if logarithmic:
        return {"type": "log", "dtick": 1, "range": [np.log10(0.7), np.log10(max(2, most) * 1.4)]}
    return {"dtick": 1} if most <= 6 else {}


def _threshold(x: float) -> dict[str, Any]:
    line = {"color": INK, "width": 1.5, "dash": "dash"}
    return {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper", "line": line}


def _threshold_text(x: float) -> dict[str, Any]:
    place = {"x": x, "y": 1, "yref": "paper", "xanchor": "right" if x > 0.8 * N_LEVELS else "left", "yanchor": "top"}
    return {**place, "text": f" above {x:g} ", "showarrow": False, "bgcolor": "white"}


def by_channel(rows: pd.DataFrame, name: str) -> list[tuple[str, np.ndarray]]:
    """Values of a column, without NaN, for each channel; as one where there are more than can be told apart."""
    told = rows[rows[name].notna()]
    channels = sorted(told["channel"].unique())
    if not 1 < len(channels) <= MOST_CHANNELS:
        return [("all channels", told[name].to_numpy(float))]
    return [(channel or "no name", told.loc[told["channel"] == channel, name].to_numpy(float)) for channel in channels]


def agreement_chart(rows: pd.DataFrame) -> str:
    """Mean certainty of the patches against the certainty of the image, figure 2c of Yang et al. 2018."""
    told = rows[rows["certainty"].notna() & rows["mean_certainty"].notna()]
    traces = [_dots(told) if len(told) <= MOST_DOTS else _counts(told)]
    diagonal = {"type": "line", "x0": 0, "y0": 0, "x1": 1, "y1": 1, "line": {"color": "#666666", "width": 1}}
    unit = {"range": [-0.02, 1.02]}
    layout = {"xaxis": unit, "yaxis": unit, "shapes": [diagonal], "showlegend": False}
    return figure(traces, "certainty of the image", "mean certainty of its patches", **layout)


def _dots(told: pd.DataFrame) -> dict[str, Any]:
    names = [in_words(str(file).replace("\\", "/").rsplit("/", 1)[-1]) for file in told["file"]]
    marker = {
        "color": rounded(told["defocus_level"], 2),
        "colorscale": LEVEL_SCALE,
        "cmin": 0,
        "cmax": N_LEVELS - 1,
        "size": 8,
        "line": {"color": INK, "width": 0.7},
        "colorbar": {"title": {"text": "level"}, "thickness": 12},
    }
    return {
        "type": "scatter",
        "mode": "markers",
        "x": rounded(told["certainty"]),
        "y": rounded(told["mean_certainty"]),
        "text": names,
        "marker": marker,
        "hovertemplate": "%{text}<br>level %{marker.color}, certainty %{x:.2f}, mean %{y:.2f}<extra></extra>",
    }


def _counts(told: pd.DataFrame) -> dict[str, Any]:
    """Count of images in a grid, coloured by its logarithm."""
    edges = np.linspace(0, 1, _GRID_CELLS + 1)
    counts, _, _ = np.histogram2d(told["mean_certainty"], told["certainty"], (edges, edges))
    middles = rounded((edges[1:] + edges[:-1]) / 2)
    shades = np.where(counts > 0, np.log10(np.maximum(counts, 1)), np.nan)
    most = max(1, int(np.ceil(np.log10(counts.max()))))
    ticks = list(range(most + 1))
    return {
        "type": "heatmap",
        "x": middles,
        "y": middles,
        "z": [rounded(line) for line in shades],
        "customdata": counts.astype(int).tolist(),
        "text": [[several(int(n), "image") for n in line] for line in counts],
        "colorscale": COUNT_SCALE,
        "zmin": 0,
        "zmax": most,
        "hoverongaps": False,
        "colorbar": {
            "title": {"text": "images"},
            "tickvals": ticks,
            "ticktext": [f"{10**tick:,}" for tick in ticks],
            "thickness": 12,
        },
        "hovertemplate": "certainty %{x:.2f}, mean %{y:.2f}: %{text}<extra></extra>",
    }
