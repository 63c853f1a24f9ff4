"""The summary picture of sorted images: how probabilities lie about the threshold, and what a person has to look at."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from parfocal import status

if TYPE_CHECKING:
    import pandas as pd

# Most images on the sheet, and how many stand side by side.
MOST_VIEWS, _COLUMNS = 30, 6
_SHARP, _DEFOCUSED, _UNDECIDED = "#3b7dd8", "#d1495b", "0.45"
_VIEW_INCHES, _HISTOGRAM_INCHES = 1.75, 2.4
_LONGEST_NAME = 28


def draw_sorting(table: pd.DataFrame, views: Mapping[int, np.ndarray], path: Path) -> Path:
    """Draw the histogram of probabilities, and a sheet of flagged images and those without an answer.

    Parameters
    ----------
    table : pandas.DataFrame
        Of `parfocal sort`.
    views : mapping
        Parts of images (y, x), uint8, by the place of their row.
    path : Path
        PNG file to write.

    Returns
    -------
    Path
        The file written.
    """
    from matplotlib.figure import Figure

    order = least_sure_first(table, list(views))
    shown = order[:MOST_VIEWS]
    rows = -(-len(shown) // _COLUMNS)
    height = _HISTOGRAM_INCHES + 0.7 + rows * (_VIEW_INCHES + 0.5)
    figure = Figure((_COLUMNS * _VIEW_INCHES + 0.6, height), dpi=130, layout="constrained")
    heights = [_HISTOGRAM_INCHES, *[_VIEW_INCHES + 0.5] * rows]
    grid = figure.add_gridspec(1 + rows, _COLUMNS, height_ratios=heights)
    _draw_histogram(figure.add_subplot(grid[0, :]), table)
    for number, place in enumerate(shown):
        axes = figure.add_subplot(grid[1 + number // _COLUMNS, number % _COLUMNS])
        _draw_view(axes, table.iloc[place], views[place])
    figure.suptitle(_title(table, len(order)), fontsize=10)
    figure.savefig(path)
    return path


def least_sure_first(table: pd.DataFrame, places: list[int]) -> list[int]:
    """Order rows: contradictions of sorter and level, flagged images from the threshold up, other refusals."""

    def key(place: int) -> tuple[int, float]:
        row = table.iloc[place]
        if row["status"] == status.OK:
            return 1, float(row["probability"]) - float(row["threshold"])
        return (0 if row["status"] == status.DISAGREEMENT else 2), 0.0

    return sorted(places, key=key)


def _title(table: pd.DataFrame, count: int) -> str:
    flagged, answered = int(table["flagged"].sum()), int(table["answered"].sum())
    text = f"{len(table)} images: {answered - flagged} sharp, {flagged} defocused, {len(table) - answered} undecided"
    if not count:
        return text
    which = "all" if count <= MOST_VIEWS else f"{MOST_VIEWS} of {count}"
    return (
        f"{text}\nbelow, at full resolution: {which} of the defocused and undecided that can be shown, least sure first"
    )


def _draw_histogram(axes: Any, table: pd.DataFrame) -> None:
    from matplotlib.ticker import LogLocator, NullLocator

    told = table[table["answered"]]
    axes.set(xlim=(0, 1), yticks=[])
    axes.set_xlabel("probability of defocus", fontsize=8)
    axes.tick_params(labelsize=8)
    if told.empty:
        axes.text(0.5, 0.5, "no image could be sorted", ha="center", fontsize=9)
        return
    edges = np.linspace(0, 1, 41)
    chosen = told["flagged"].astype(bool)
    parts = [told.loc[~chosen, "probability"].astype(float), told.loc[chosen, "probability"].astype(float)]
    axes.hist(parts, bins=edges, stacked=True, color=[_SHARP, _DEFOCUSED], label=["sharp", "flagged as defocused"])
    for number, threshold in enumerate(sorted({float(value) for value in told["threshold"]})):
        axes.axvline(threshold, color="black", linestyle="--", linewidth=1, label="" if number else "threshold")
    # A few defocused images beside a plate of sharp ones are to be seen.
    axes.set(yscale="log", ylim=(0.7, max(1.5, *(part.size for part in parts)) * 1.4))
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylabel("images", fontsize=8)
    axes.legend(fontsize=8, loc="upper center")


def _draw_view(axes: Any, row: Any, picture: np.ndarray) -> None:
    axes.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    answered = row["status"] == status.OK
    for spine in axes.spines.values():
        spine.set(color=_DEFOCUSED if answered else _UNDECIDED, linewidth=1.6)
    level = f", level {row['defocus_level']:.1f}" if np.isfinite(row["defocus_level"]) else ""
    told = f"p {row['probability']:.3f}{level}" if answered else f"{row['status']}{level}"
    axes.set_title(f"{_name(row)}\n{told}", fontsize=6.5)


def _name(row: Any) -> str:
    """End of the file's name, with the place of the image in it."""
    numbers = (("s", row["series"]), ("t", row["time"]), ("c", row["channel"]))
    name = Path(row["file"]).name + "".join(f" {letter}{number}" for letter, number in numbers if number)
    # matplotlib reads dollar signs as the ends of a formula.
    return (name if len(name) <= _LONGEST_NAME else f"...{name[-_LONGEST_NAME:]}").replace("$", r"\$")
