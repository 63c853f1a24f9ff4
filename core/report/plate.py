"""The summary picture: a map of each plate, and how certain the levels are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from parfocal.batch.places import row_index, row_letters
from parfocal.focus_quality.network import N_LEVELS
from parfocal.focus_quality.result import OUT_OF_FOCUS_LEVEL
from parfocal.report.overlay import level_colors
from parfocal.report.table import focus_table

if TYPE_CHECKING:
    import pandas as pd

# More maps than this make the picture unreadable; the table has them all.
MOST_MAPS = 12
# Field of an image that cannot be answered.
_NO_ANSWER = "0.85"
# A colour is never darker than this share, so that the level can be told at any certainty.
_DARKEST = 0.5
_WELL_INCHES, _SCATTER_INCHES = 0.52, 3.6
# Weights of red, green and blue in how bright a colour looks (ITU-R BT.709).
_LUMINANCE = (0.2126, 0.7152, 0.0722)
# Wells of more images than this are too finely divided to hold the level as a number.
_MOST_NUMBERS = 4


def draw_plate(table: pd.DataFrame, path: str | Path, title: str = "Image focus") -> Path:
    """Draw a map of each plate and channel, and mean certainty against certainty of all images.

    In a map each well is divided among its images; colour is the defocus level as in the overlays (red is sharp), dark
    is uncertain, a black frame marks an image out of focus (above level 3), a grey field with a cross one without an
    answer. The scatter plot is figure 2c of Yang et al. 2018 (doi:10.1186/s12859-018-2087-4): near the diagonal the
    patches of an image agree, above it they do not, below it many show nothing. Beside it the images are counted by
    level. Without wells only the other two are drawn.

    Parameters
    ----------
    table : pandas.DataFrame
        Of `parfocal measure` or CellProfiler, see `parfocal.report.table.focus_table`.
    path : path
        PNG file to write.
    title : str

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    ValueError
        Where the table holds no focus.
    """
    from matplotlib.figure import Figure

    focus = focus_table(table)
    maps = list(focus[focus["well"] != ""].groupby(["plate", "image"], sort=True))
    shown = maps[:MOST_MAPS]
    heights = [_WELL_INCHES * len(_rows(rows)) + 0.75 for _, rows in shown]
    width = max([9.0] + [_WELL_INCHES * len(_columns(rows)) + 1.2 for _, rows in shown])
    figure = Figure((width, sum(heights) + _SCATTER_INCHES + 0.7), dpi=150, layout="constrained")
    figure.suptitle(_title(title, focus, len(maps)), fontsize=11)
    grid = figure.add_gridspec(len(shown) + 1, 3, height_ratios=[*heights, _SCATTER_INCHES], width_ratios=(3, 3, 1.2))
    for place, (names, rows) in enumerate(shown):
        _draw_map(figure.add_subplot(grid[place, :]), rows, " ".join(filter(None, map(str, names))))
    _draw_scatter(figure.add_subplot(grid[len(shown), 0]), focus)
    _draw_histogram(figure.add_subplot(grid[len(shown), 1]), focus)
    _draw_key(figure.add_subplot(grid[len(shown), 2]))
    path = Path(path)
    figure.savefig(path)
    return path


def _rows(rows: pd.DataFrame) -> range:
    found = [_row_and_column(well)[0] for well in rows["well"]]
    return range(min(found), max(found) + 1)


def _columns(rows: pd.DataFrame) -> range:
    found = [_row_and_column(well)[1] for well in rows["well"]]
    return range(min(found), max(found) + 1)


def _row_and_column(well: str) -> tuple[int, int]:
    letters = well.rstrip("0123456789")
    return row_index(letters), int(well[len(letters) :])


def _title(title: str, focus: pd.DataFrame, n_maps: int) -> str:
    levels = focus.loc[focus["answered"], "defocus_level"]
    blurred, without = int((levels > OUT_OF_FOCUS_LEVEL).sum()), len(focus) - len(levels)
    text = f"{title}: {len(focus)} images, {blurred} above level {OUT_OF_FOCUS_LEVEL:g}, {without} without answer"
    return text if n_maps <= MOST_MAPS else f"{text}\n(the first {MOST_MAPS} of {n_maps} maps)"


def _draw_map(axes: Any, rows: pd.DataFrame, name: str) -> None:
    lines, columns = _rows(rows), _columns(rows)
    for well, images in rows.groupby("well"):
        y, x = _row_and_column(str(well))
        _draw_well(axes, images.sort_values("site", key=_in_order), x - 0.46, y - 0.46, 0.92)
    outlines = [(x - 0.46, y - 0.46, 0.92, 0.92) for y in lines for x in columns]
    _add_rectangles(axes, outlines, facecolor="none", edgecolor="0.7", linewidth=0.5)
    axes.set(xlim=(columns[0] - 0.6, columns[-1] + 0.6), ylim=(lines[-1] + 0.6, lines[0] - 0.6), aspect="equal")
    axes.set_xticks(list(columns), [str(column) for column in columns], fontsize=8)
    axes.set_yticks(list(lines), [row_letters(line) for line in lines], fontsize=8)
    axes.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False)
    axes.set_frame_on(False)
    axes.set_title(name, fontsize=9, loc="left")


def _in_order(sites: pd.Series) -> pd.Series:
    """Sites by number, 2 before 10."""
    return sites.map(lambda site: (int(re.sub(r"\D", "", site) or 0), site))


def _draw_well(axes: Any, images: pd.DataFrame, left: float, top: float, size: float) -> None:
    """Divide the square of a well among its images, row by row in the order of sites."""
    across = int(np.ceil(np.sqrt(len(images))))
    width, height = size / across, size / int(np.ceil(len(images) / across))
    numbers = range(len(images))
    fields = [(left + (n % across) * width, top + (n // across) * height, width, height) for n in numbers]
    colors = _colors(images)
    _add_rectangles(axes, fields, facecolor=colors, edgecolor="white", linewidth=0.4)
    flagged = images["answered"] & (images["defocus_level"] > OUT_OF_FOCUS_LEVEL)
    framed = [(x + 0.02, y + 0.02, w - 0.04, h - 0.04) for (x, y, w, h), flag in zip(fields, flagged) if flag]
    _add_rectangles(axes, framed, facecolor="none", edgecolor="black", linewidth=1.4)
    for field, answered, level, color in zip(fields, images["answered"], images["defocus_level"], colors):
        if not answered:
            _draw_cross(axes, *field)
        elif len(images) <= _MOST_NUMBERS:
            ink = "white" if np.dot(color, _LUMINANCE) < 0.5 else "black"
            middle, size_pt = (field[0] + width / 2, field[1] + height / 2), 9 if len(images) == 1 else 6
            text = axes.text(*middle, f"{level:.1f}", ha="center", va="center", color=ink, fontsize=size_pt)
            text.set_in_layout(False)  # else the layout measures every number, which takes seconds


def _draw_cross(axes: Any, x: float, y: float, width: float, height: float) -> None:
    for ends in ((y, y + height), (y + height, y)):
        axes.plot((x, x + width), ends, color="0.35", linewidth=0.8, solid_capstyle="butt")


def _add_rectangles(axes: Any, rectangles: list[tuple[float, float, float, float]], **style: Any) -> None:
    """Add rectangles (x, y, width, height) as one artist, which draws much faster than one each."""
    from matplotlib.collections import PolyCollection

    corners = [[(x, y), (x + w, y), (x + w, y + h), (x, y + h)] for x, y, w, h in rectangles]
    axes.add_collection(PolyCollection(corners, **style), autolim=False)


def _colors(images: pd.DataFrame) -> list[Any]:
    levels = images["defocus_level"].fillna(0).to_numpy(float)
    shades = _shade(images["certainty"].fillna(0).to_numpy(float))
    answered = zip(images["answered"], level_colors(levels, shades))
    return [tuple(color) if answer else _NO_ANSWER for answer, color in answered]


def _shade(certainty: Any) -> Any:
    return _DARKEST + (1 - _DARKEST) * np.clip(certainty, 0, 1)


def _draw_scatter(axes: Any, focus: pd.DataFrame) -> None:
    told = focus[focus["answered"]]
    colors = level_colors(told["defocus_level"].to_numpy(float))
    axes.plot((0, 1), (0, 1), color="0.8", linewidth=0.8, zorder=0)
    axes.scatter(told["certainty"], told["mean_certainty"], c=colors, s=22, edgecolors="0.25", linewidths=0.3)
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axes.set_xlabel("certainty of the image (aggregate)", fontsize=8)
    axes.set_ylabel("mean certainty of its patches", fontsize=8)
    axes.tick_params(labelsize=8)
    axes.set_title("each point an image, colour its level", fontsize=9, loc="left")
    if told.empty:
        axes.text(0.5, 0.5, "no image could be answered", ha="center", fontsize=9)


def _draw_histogram(axes: Any, focus: pd.DataFrame) -> None:
    levels = focus.loc[focus["answered"], "defocus_level"].to_numpy(float)
    edges = np.linspace(0, N_LEVELS - 1, 2 * N_LEVELS - 1)
    # Turned round, a value on an edge counts below it: no bar lies across the limit.
    counts = np.histogram(-levels, -edges[::-1])[0][::-1]
    middles = (edges[1:] + edges[:-1]) / 2
    axes.bar(middles, counts, width=0.46, color=level_colors(middles), edgecolor="0.25", linewidth=0.3)
    axes.axvline(OUT_OF_FOCUS_LEVEL, color="0.35", linewidth=0.8, linestyle="--")
    axes.set(xlim=(-0.5, N_LEVELS - 0.5), xticks=range(0, N_LEVELS, 2), box_aspect=1)
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel("defocus level", fontsize=8)
    axes.tick_params(labelsize=8)
    axes.set_title("number of images", fontsize=9, loc="left")


def _draw_key(axes: Any) -> None:
    """Draw what the colours mean: level down, certainty across."""
    from matplotlib.patches import Patch

    levels, certainties = np.linspace(0, N_LEVELS - 1, 101), np.linspace(0, 1, 51)
    grid = level_colors(levels[:, None], _shade(certainties)[None, :])
    axes.imshow(grid, extent=(0, 1, N_LEVELS - 1, 0), aspect=0.32)
    axes.set_xticks([0, 1], ["0", "1"], fontsize=8)
    axes.set_yticks([0, 2, 4, 6, 8, 10], ["0 sharp", "2", "4", "6", "8", "10"], fontsize=8)
    axes.set_xlabel("certainty", fontsize=8)
    axes.set_title("defocus level", fontsize=9, loc="left")
    no_answer = Patch(facecolor=_NO_ANSWER, edgecolor="0.35", hatch="xx", label="no answer")
    flagged = Patch(facecolor="none", edgecolor="black", linewidth=1.4, label=f"above level {OUT_OF_FOCUS_LEVEL:g}")
    handles = [flagged, no_answer]
    axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.3, -0.18), fontsize=8, frameon=False)
