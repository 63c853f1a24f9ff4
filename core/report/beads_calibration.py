"""Pictures of a calibration: read against true distance, and the error against the number of beads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

from parfocal.report.beads_profile import CURVE_COLOR, REFP_COLOR
from parfocal.report.beads_style import legend_below

if TYPE_CHECKING:
    import pandas as pd

_ALL = 0


def draw_read_distances(readings: pd.DataFrame, range_um: tuple[float, float], path: str | Path) -> Path:
    """Draw what was read against the true distance, all beads of an image together; hollow what was refused.

    Parameters
    ----------
    readings : DataFrame
        As `read_sweeps` gives them, with a column `model`; a panel for each model, and one of the last one's errors.
    range_um : tuple of float
        What the last model answers for, um.
    path : path
        PNG file to write.
    """
    from matplotlib.figure import Figure

    whole = readings[readings["group"] == _ALL]
    models = list(dict.fromkeys(whole["model"]))
    figure = Figure((3.4 * (len(models) + 1), 3.6), dpi=130, layout="constrained")
    axes = figure.subplots(1, len(models) + 1, squeeze=False)[0]
    for plot, model in zip(axes, models):
        mine = whole[whole["model"] == model]
        plot.plot(range_um, range_um, color="0.6", linewidth=0.8)
        _points(plot, mine, mine["unjudged_um"])
        plot.set(title=model, xlabel="true distance, um", ylabel="distance read, um")
    last = whole[whole["model"] == models[-1]]
    axes[-1].axhline(0, color="0.6", linewidth=0.8)
    _errors(axes[-1], last[last["answered"]])
    axes[-1].set(title=f"{models[-1]}: error, 95 % interval", xlabel="true distance, um", ylabel="read less true, um")
    for plot in axes:
        plot.title.set_size(9)
        plot.tick_params(labelsize=8)
    legend_below(figure, *axes)
    figure.savefig(path)
    return Path(path)


def draw_bead_counts(by_beads: pd.DataFrame, enough: Optional[int], path: str | Path) -> Path:
    """Draw the median and the 95 percent error against the number of beads.

    Parameters
    ----------
    by_beads : DataFrame
        As `by_beads` gives it: `beads` is a number, in the last row after `all`.
    enough : int, optional
        Number of beads to mark.
    path : path
        PNG file to write.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import NullFormatter, ScalarFormatter

    counts = [float(name.split()[-1]) for name in by_beads["beads"]]
    figure = Figure((4.6, 3.4), dpi=130, layout="constrained")
    plot = figure.add_subplot()
    for column, color, label in (
        ("error_95_um", REFP_COLOR, "95 % of the images"),
        ("median_error_um", CURVE_COLOR, "median"),
    ):
        plot.plot(counts, by_beads[column], "o-", color=color, markersize=4, label=label)
    if enough is not None:
        plot.axvline(enough, color="0.6", linewidth=0.9, linestyle=":", label="enough")
    plot.set(xscale="log", xlabel="beads of an image", ylabel="error, um")
    plot.set_ylim(bottom=0)
    plot.set_xticks(counts)
    plot.xaxis.set_major_formatter(ScalarFormatter())
    plot.xaxis.set_minor_formatter(NullFormatter())
    plot.tick_params(labelsize=8)
    plot.legend(fontsize=8, frameon=False)
    figure.savefig(path)
    return Path(path)


def _points(plot: Any, readings: pd.DataFrame, told_um: pd.Series) -> None:
    answered = readings["answered"].astype(bool)
    for chosen, face, label in ((answered, CURVE_COLOR, "answered"), (~answered, "none", "refused")):
        plot.scatter(
            readings["distance_um"][chosen],
            told_um[chosen],
            s=12,
            facecolors=face,
            edgecolors=CURVE_COLOR if label == "answered" else REFP_COLOR,
            linewidths=0.8,
            label=label,
        )


def _errors(plot: Any, readings: pd.DataFrame) -> None:
    half = (readings["high_um"] - readings["low_um"]) / 2
    error = readings["error_um"]
    plot.errorbar(
        readings["distance_um"], error, half, fmt="o", color=CURVE_COLOR, markersize=3, elinewidth=0.7, capsize=0
    )
