"""Figure of the real z-stacks: what each scorer says over the planes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from parfocal.focus_quality.evaluation.figures import new_figure
from parfocal.focus_quality.evaluation.stacks import DOMAINS, RealStack
from parfocal.focus_quality.network import N_LEVELS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_COLUMNS = 4
# Beside the levels, the metric of the paper's comparison and a gradient metric.
_SHOWN_METRICS = ("PowerLogLogSlope", "Brenner")


def stacks_figure(stacks: Sequence[RealStack], planes: pd.DataFrame, models: Sequence[str]) -> Figure:
    """Draw level against distance in um for each stack, the known focus shaded, two metrics scaled to the same height.

    Where the distance is not known, planes stand for it.
    """
    rows = -(-len(stacks) // _COLUMNS)
    figure = new_figure(4 * _COLUMNS, 2.7 * rows + 0.4)
    grid = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
    for axes, stack in zip(grid, stacks):
        own = planes[planes["stack"] == stack.name]
        _draw_stack(axes, stack, {str(scorer): table for scorer, table in own.groupby("scorer")}, models)
    for axes in grid[len(stacks) :]:
        axes.set_axis_off()
    named = {label: handle for axes in grid for handle, label in zip(*axes.get_legend_handles_labels())}
    figure.legend(named.values(), named.keys(), loc="outside lower center", ncols=len(named), fontsize=9)
    return figure


def _draw_stack(axes: Any, stack: RealStack, tables: dict[str, pd.DataFrame], models: Sequence[str]) -> None:
    in_um = bool(np.isfinite(stack.offset_um()).all())
    places = stack.offset_um() if in_um else np.arange(len(stack.z_um))
    for model in models:
        axes.plot(places, tables[model]["score"], ".-", label=model)
    for name in _SHOWN_METRICS:
        score = tables[name]["score"].to_numpy(float)
        known = score[np.isfinite(score)]
        if len(known) and np.ptp(known) > 0:
            scaled = (N_LEVELS - 1) * (score - known.min()) / np.ptp(known)
            axes.plot(places, scaled, "--", lw=1, label=f"{name} (turned over, scaled)")
    expected = tables[models[0]]["expected_level"]
    if expected.notna().any():
        axes.plot(places, expected, "k:", label="level by geometry")
    if stack.focal_range is not None:
        first, last = np.interp(stack.focal_range, np.arange(len(places)), places)
        margin = 0.2 * abs(float(np.median(np.diff(places))))
        axes.axvspan(min(first, last) - margin, max(first, last) + margin, color="tab:green", alpha=0.25)
    axes.set(ylim=(-0.3, N_LEVELS - 0.7), xlabel="um from focus" if in_um else "plane", ylabel="level")
    if not in_um:
        axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_title(f"{stack.name}\n{DOMAINS[stack.domain].split(':')[0]}", fontsize=9)
