"""Figures of the evaluation of synthetic defocus: confusion, invariance, F-scores, calibration, levels, gallery."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from parfocal.focus_quality.evaluation.scores import CALIBRATION_BINS, calibration_bins, confusion_matrix
from parfocal.focus_quality.evaluation.synthetic import (
    CERTAINTY_ROWS,
    PATCH_COLUMNS,
    Gallery,
    SyntheticRun,
    conditions,
)
from parfocal.focus_quality.evaluation.tables import FLAG_ALL, calibration_samples
from parfocal.focus_quality.network import N_LEVELS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def new_figure(width: float, height: float) -> Figure:
    """Make an empty figure, size in inches, that is drawn without a window."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def confusion_figure(exposures: pd.DataFrame, rule: str) -> Figure:
    """Draw one confusion matrix for each model, rows are true levels."""
    models = list(dict.fromkeys(exposures["model"]))
    figure = new_figure(4.2 * len(models), 4.3)
    for axes, model in zip(np.atleast_1d(figure.subplots(1, len(models))), models):
        own = exposures[exposures["model"] == model]
        _draw_matrix(axes, own["true_level"].to_numpy(), own[rule].to_numpy(float), numbers=True)
        axes.set(title=model, xlabel="level found", ylabel="true level")
    return figure


def invariance_figure(invariance: pd.DataFrame, rule: str) -> Figure:
    """Draw confusion matrices by model (row) and gain or offset (column), as figure 4 of Yang et al. 2018."""
    models, columns = list(dict.fromkeys(invariance["model"])), list(conditions())
    figure = new_figure(1.65 * len(columns) + 0.6, 1.75 * len(models) + 0.6)
    grid = figure.subplots(len(models), len(columns), sharex=True, sharey=True, squeeze=False)
    for axes_row, model in zip(grid, models):
        for axes, condition in zip(axes_row, columns):
            own = invariance[(invariance["model"] == model) & (invariance["condition"] == condition)]
            _draw_matrix(axes, own["true_level"].to_numpy(), own[rule].to_numpy(float))
            if model == models[0]:
                axes.set_title(condition, fontsize=9)
        axes_row[0].set_ylabel(f"{model}\ntrue level", fontsize=9)
    figure.supxlabel("level found; offsets in counts", fontsize=9)
    return figure


def f_score_figure(scores: pd.DataFrame) -> Figure:
    """Draw F-scores of models and metrics, as counted and with both classes weighted alike."""
    own = scores[scores["part"] == "all"].iloc[::-1]
    figure = new_figure(9, 0.34 * len(own) + 1.2)
    for axes, column in zip(figure.subplots(1, 2, sharey=True), ("f_score", "f_score_balanced")):
        colours = ["0.75" if name == FLAG_ALL else "tab:blue" for name in own["scorer"]]
        axes.barh(own["scorer"], own[column], xerr=own[f"{column}_sd"], color=colours)
        for place, value in enumerate(own[column]):
            axes.text(0.02, place, f"{value:.3f}", va="center", color="white" if value > 0.1 else "black", fontsize=8)
        axes.set(xlim=(0, 1), xlabel="F-score" if column == "f_score" else "F-score, both classes weighted alike")
        axes.grid(axis="x", alpha=0.3)
        axes.set_axisbelow(True)
    return figure


def reliability_figure(run: SyntheticRun) -> Figure:
    """Draw share correct against probability of the predicted level, and shares right against certainty."""
    figure = new_figure(12.5, 4)
    panels = dict(zip(("image", "patch", "certainty"), figure.subplots(1, 3)))
    for model, unit, confidence, correct in calibration_samples(run):
        groups = calibration_bins(confidence, correct)
        panels[unit].plot(groups["confidence"], groups["correct"], "o-", label=model)
    for unit in ("image", "patch"):
        panels[unit].plot([0, 1], [0, 1], ":", color="0.5", label="calibrated")
        panels[unit].set(
            title=f"{unit} level", xlabel="probability of the predicted level", ylabel="share exactly right"
        )
        panels[unit].set(xlim=(0, 1), ylim=(0, 1))
        panels[unit].legend(fontsize=8)
    _draw_certainty(panels["certainty"], next(iter(run.patches.values())), next(iter(run.patches)))
    return figure


def level_figure(by_level: pd.DataFrame, by_source: pd.DataFrame) -> Figure:
    """Draw shares exactly right and within one level, by true level and by source."""
    figure = new_figure(12, 4.2)
    for axes, table, column in zip(figure.subplots(1, 2), (by_level, by_source), ("true_level", "source")):
        own = table[table[column].astype(str) != "all"]
        for model, rows in own.groupby("model", sort=False):
            line = axes.plot(rows[column].astype(str), rows["within_one"], "o-", label=f"{model}: within one level")
            axes.plot(rows[column].astype(str), rows["exact"], "o:", color=line[0].get_color(), label=f"{model}: exact")
        axes.set(ylim=(0, 1.02), xlabel=column.replace("_", " "), ylabel="share of answered images")
        axes.grid(alpha=0.3)
    axes.tick_params(axis="x", rotation=60)
    axes.legend(fontsize=8, loc="lower left")
    return figure


def histogram_figure(as_they_are: pd.DataFrame) -> Figure:
    """Draw how often each level is found in the in-focus images as they are."""
    models = list(dict.fromkeys(as_they_are["model"]))
    figure = new_figure(4.6 * len(models), 3.8)
    sources = sorted(set(as_they_are["source"]))
    colours = _colours("tab20", len(sources))
    for axes, model in zip(np.atleast_1d(figure.subplots(1, len(models), sharey=True)), models):
        own = as_they_are[(as_they_are["model"] == model) & as_they_are["defocus_level"].notna()]
        levels = [own.loc[own["source"] == source, "defocus_level"] for source in sources]
        axes.hist(levels, np.arange(N_LEVELS + 1) - 0.5, stacked=True, label=sources, color=colours)
        missing = int((as_they_are["model"] == model).sum() - len(own))
        axes.set(title=f"{model} ({missing} without answer)", xlabel="expected level", ylabel="images")
        axes.set_xticks(range(N_LEVELS))
    axes.legend(fontsize=7)
    return figure


def gallery_figure(gallery: Gallery) -> Figure:
    """Draw patches by predicted level (columns) and certainty (rows); the number is the level it was blurred to."""
    figure = new_figure(N_LEVELS * 1.0 + 0.8, CERTAINTY_ROWS * 1.0 + 0.7)
    grid = figure.subplots(CERTAINTY_ROWS, N_LEVELS)
    colours = _colours("turbo_r", N_LEVELS)
    for (row, level), axes in np.ndenumerate(grid):
        axes.set(xticks=[], yticks=[])
        fifth = CERTAINTY_ROWS - 1 - row
        cell = gallery.cells.get((level, fifth))
        for spine in axes.spines.values():
            spine.set(color=colours[level], linewidth=2.5, visible=cell is not None)
        if cell is not None:
            low, high = np.percentile(cell.image_yx, [0.5, 99.8])
            axes.imshow(cell.image_yx, cmap="gray", vmin=low, vmax=max(high, low + 1))
            axes.text(0.05, 0.95, str(cell.true_level), color="yellow", va="top", fontsize=8, transform=axes.transAxes)
        if level == 0:
            axes.set_ylabel(f"{fifth / CERTAINTY_ROWS:.1f} to {(fifth + 1) / CERTAINTY_ROWS:.1f}", fontsize=8)
        if row == CERTAINTY_ROWS - 1:
            axes.set_xlabel(str(level))
    figure.supxlabel("predicted level", fontsize=10)
    figure.supylabel("certainty", fontsize=10)
    return figure


def _draw_matrix(axes: Any, true_level: np.ndarray, found: np.ndarray, numbers: bool = False) -> None:
    counts = confusion_matrix(true_level, found)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    axes.set(xticks=range(0, N_LEVELS, 2), yticks=range(0, N_LEVELS, 2))
    for (row, column), count in np.ndenumerate(counts):
        if numbers and count:
            colour = "white" if share[row, column] > 0.5 else "black"
            axes.text(column, row, count, ha="center", va="center", fontsize=7, color=colour)


def _draw_certainty(axes: Any, patches: np.ndarray, model: str) -> None:
    columns = dict(zip(PATCH_COLUMNS, patches.T))
    error = np.abs(columns["predicted_level"] - columns["true_level"])
    middles = (np.arange(CALIBRATION_BINS) + 0.5) / CALIBRATION_BINS
    for limit, name in ((0, "exactly right"), (1, "within one level")):
        axes.plot(middles, calibration_bins(columns["certainty"], error <= limit)["correct"], "o-", label=name)
    share = calibration_bins(columns["certainty"], error <= 0)["n"] / max(len(error), 1)
    axes.bar(middles, share, 0.08, color="0.85", label="share of the patches")
    axes.set(title=f"{model}, patches", xlabel="certainty", ylabel="share", xlim=(0, 1), ylim=(0, 1.02))
    axes.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=3)


def _colours(name: str, count: int) -> list[Any]:
    from matplotlib import colormaps

    return [colormaps[name](i / max(count - 1, 1)) for i in range(count)]
