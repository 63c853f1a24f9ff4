"""The chart of levels over the order in which images were taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from parfocal.report.screen.figures import COLORS, DASHES, MOST_CHANNELS, figure, in_words, rounded
from parfocal.report.screen.headlines import several

if TYPE_CHECKING:
    import pandas as pd

# Few images are drawn one by one; of more, bins of equal numbers of images with their quantiles.
_MOST_DOTS, _BINS, _FEWEST_IN_BIN = 300, 80, 8
_BAND, _BAND_COLOR = (0.1, 0.9), "rgba(90, 90, 90, 0.18)"


@dataclass(frozen=True)
class Drift:
    """A chart, and by what its images are ordered."""

    chart: str
    order: str


def drift(rows: pd.DataFrame) -> Drift:
    """Draw levels over acquisition: by the time that files state, else by time point and the order of the table."""
    told = rows[rows["defocus_level"].notna()]
    moments = _moments(told)
    known = moments.notna()
    if known.any() and known.mean() >= 0.5:
        left_out = int((~known).sum())
        order = "by the time of acquisition that the files state"
        verb = "is" if left_out == 1 else "are"
        order += f" ({several(left_out, 'image')} without one {verb} left out)" if left_out else ""
        told = told.assign(x=moments.dt.tz_localize(None))[known].sort_values("x", kind="stable")
        return Drift(_chart(told, "time of acquisition (UTC)"), order)
    # The rows of a screen lie in the order in which its images were done.
    told = told.sort_values(["time", "file"], kind="stable").assign(x=np.arange(1, len(told) + 1))
    order = "by time point, then by the name of the file" if told["time"].nunique() > 1 else "by the name of the file"
    return Drift(_chart(told, "image, in this order"), f"{order}, since the files state no time of acquisition")


def _moments(rows: pd.DataFrame) -> pd.Series:
    import pandas as pd

    return pd.to_datetime(rows["acquired"].replace("", None), errors="coerce", utc=True, format="ISO8601")


def _chart(told: pd.DataFrame, x_title: str) -> str:
    few = len(told) <= _MOST_DOTS
    channels = sorted(told["channel"].unique())
    split = 1 < len(channels) <= MOST_CHANNELS
    traces = [] if few else _band(told)
    for number, channel in enumerate(channels if split else [None]):
        images = told[told["channel"] == channel] if split else told
        name = in_words(channel or "no name") if split else "all channels"
        traces.append((_dots if few else _median)(images, name, number))
    return figure(traces, x_title, "defocus level", showlegend=split or not few, yaxis={"rangemode": "tozero"})


def _dots(images: pd.DataFrame, name: str, number: int) -> dict[str, Any]:
    symbols = ("circle", "diamond", "square", "x")
    marker = {"color": COLORS[number], "symbol": symbols[number], "size": 7}
    text = [in_words(str(file).replace("\\", "/").rsplit("/", 1)[-1]) for file in images["file"]]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": _numbers(images["x"]),
        "y": rounded(images["defocus_level"], 2),
        "text": text,
        "name": name,
        "marker": marker,
        "hovertemplate": "%{text}<br>level %{y}<extra>" + name + "</extra>",
    }


def _band(images: pd.DataFrame) -> list[dict[str, Any]]:
    """Band from the 10th to the 90th percentile of all channels."""
    x, low, high = _binned(images, *_BAND)
    edge = {"type": "scatter", "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "x": x}
    band = {"fill": "tonexty", "fillcolor": _BAND_COLOR, "name": "10 to 90 % of all images"}
    return [{**edge, "y": low, "showlegend": False}, {**edge, "y": high, **band}]


def _median(images: pd.DataFrame, name: str, number: int) -> dict[str, Any]:
    x, middle = _binned(images, 0.5)
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": middle,
        "name": f"{name}, median",
        "line": {"color": COLORS[number], "width": 2.5, "dash": DASHES[number]},
        "hovertemplate": "%{x}: median %{y}<extra>" + name + "</extra>",
    }


def _binned(images: pd.DataFrame, *shares: float) -> list[list[Any]]:
    """First position and quantiles of the levels of each of the bins, which hold equally many images."""
    n_bins = max(1, min(_BINS, len(images) // _FEWEST_IN_BIN))
    bins = images.groupby(np.arange(len(images)) * n_bins // len(images))
    return [_numbers(bins["x"].first()), *(rounded(bins["defocus_level"].quantile(share), 2) for share in shares)]


def _numbers(values: pd.Series) -> list[Any]:
    """Positions as they are, moments as ISO texts."""
    if values.dtype.kind == "M":
        return [moment.isoformat(timespec="seconds") for moment in values]
    return [int(value) for value in values]
