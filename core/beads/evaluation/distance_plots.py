"""Pictures of the error of the distance networks against the number of beads and of networks."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from parfocal.beads.evaluation.distance import PLOTS

if TYPE_CHECKING:
    import pandas as pd

_MEDIAN, _UPPER = "median error um", "95 % error um"


def draw_distance(tables: dict[str, pd.DataFrame], folder: Path) -> None:
    """Write the two pictures into a folder, for what `run_distance` gave."""
    beads = tables["distance_beads"]
    beads = beads[beads["beads"] != "guess of 0"]
    networks = tables["distance_networks"]
    lines = {
        "distance_beads": (beads, "beads", [(_MEDIAN, "median", "C0", None), (_UPPER, "95 %", "C1", None)]),
        "distance_networks": (
            networks,
            "networks",
            [
                (column, f"{what}, {n} bead{'s' if n > 1 else ''}", color, n)
                for column, what, color in ((_MEDIAN, "median", "C0"), (_UPPER, "95 %", "C1"))
                for n in networks["beads"].unique()
            ],
        ),
    }
    for name, (table, across, drawn) in lines.items():
        _draw(table, across, drawn, folder / PLOTS[name])


def _draw(table: pd.DataFrame, across: str, drawn: Iterable[tuple[str, str, str, Any]], path: Path) -> None:
    """One panel for each model; lines are (column, label, colour, number of beads or None)."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    models = table["model"].unique()
    figure = Figure((4.2 * len(models), 3.0), dpi=100, layout="constrained")
    for axes, model in zip(figure.subplots(1, len(models), squeeze=False)[0], models):
        own = table[table["model"] == model]
        for column, label, color, n_beads in drawn:
            mine = own if n_beads is None else own[own["beads"] == n_beads]
            style = "o--" if n_beads == 1 else "o-"
            axes.plot(mine[across].astype(int), mine[column], style, color=color, label=label, markersize=4)
        axes.set(xlabel=across, ylabel="error, um", title=model)
        axes.set_ylim(bottom=0)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    figure.savefig(path)
