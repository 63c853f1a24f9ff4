"""A log taken through the decisions again, and drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional, Union

from parfocal.focus_control.decide import decide
from parfocal.focus_control.log import LOOK, FocusLog, Row
from parfocal.focus_control.memory import Memory
from parfocal.focus_control.rows import look_of, outcome_of
from parfocal.focus_control.settings import HoldFocus
from parfocal.focus_control.states import TRIM, Decision

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LONGEST_IN_MINUTES_S = 3 * 3600.0


@dataclass(frozen=True)
class Replayed:
    """A row of a log and what is decided there when it is replayed.

    Attributes
    ----------
    row : dict
    decision : Decision
    same : bool
        Whether action and target are those of the log.
    """

    row: Row
    decision: Decision
    same: bool


def replay(log: FocusLog, settings: Optional[HoldFocus] = None) -> list[Replayed]:
    """Decide again on the logged looks.

    Each look is the logged one, and so is what became of the moves: with the log's own settings all decisions are the
    same. With others it shows where they first differ; from there on the looks are not those that would have come.

    Parameters
    ----------
    log : FocusLog
        As `read_log` gives it.
    settings : HoldFocus, optional
        Those of the log by default.
    """
    used = settings or log.settings
    memory, done = Memory.begin(log.start_s, log.start_z_um), []
    for row in log.rows:
        if row["kind"] != LOOK:
            continue
        decision, memory = decide(look_of(row), memory, used, log.limits_um)
        memory = memory.after(decision, outcome_of(row), row["done_s"], used)
        same = decision.action == row["decision"] and _equal(decision.target_um, row["target_um"])
        done.append(Replayed(row, decision, same))
    return done


def draw_log(log: FocusLog) -> Figure:
    """Draw a log: focus device and focal plane, error, states over time."""
    from matplotlib.figure import Figure

    looks = [row for row in log.rows if row["kind"] == LOOK]
    # Images that a trim takes beside the focal plane, on purpose, are not where the device is held.
    aside = [False, *(row["decision"] == TRIM for row in looks)]
    rows, asides = ([row for row, away in zip(looks, aside) if away is which] for which in (False, True))
    span_s = rows[-1]["time_s"] - log.start_s if rows else 0.0
    unit, second = ("hours", 1 / 3600.0) if span_s >= _LONGEST_IN_MINUTES_S else ("minutes", 1 / 60.0)
    times, times_aside = ([(row["time_s"] - log.start_s) * second for row in part] for part in (rows, asides))
    figure = Figure(figsize=(9, 5.5), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": (2, 1)})
    held = [row["z_before_um"] if row["decision"] == TRIM else row["z_after_um"] for row in rows]
    upper.plot(times, held, color="black", linewidth=1, label="focus device")
    if asides:
        upper.plot(times_aside, _column(asides, "z_before_um"), "x", color="grey", markersize=3, label="trims")
    upper.plot(times, _column(rows, "focal_plane_z_um"), color="#3b6fb6", linewidth=1, label="focal plane, filtered")
    seen = [row["z_before_um"] - row["defocus_um"] for row in rows]
    upper.plot(times, seen, ".", color="#3b6fb6", markersize=2, alpha=0.4, label="focal plane, by each estimate")
    upper.set_ylabel("um")
    upper.legend(fontsize=8)
    lower.plot(times, _column(rows, "error_um"), color="#3b6fb6", linewidth=0.8)
    for limit in (-log.settings.tolerance_um, log.settings.tolerance_um):
        lower.axhline(limit, color="grey", linestyle="--", linewidth=0.8)
    away = [(time, 0.0) for time, row in zip(times, rows) if row["state"] != "locked"]
    lower.set(xlabel=unit, ylabel="error, um")
    if away:
        lower.plot(*zip(*away), "|", color="#d9822b", markersize=12, label="not locked")
        lower.legend(fontsize=8)
    return figure


def save_plot(log: FocusLog, path: Union[str, Path]) -> None:
    """Draw a log into a file (FileExistsError where there is such a file)."""
    path = Path(path)
    if path.exists():
        raise FileExistsError(f"{path} exists: choose another file for the plot")
    path.parent.mkdir(parents=True, exist_ok=True)
    draw_log(log).savefig(path, dpi=120)


def _column(rows: list[Row], name: str) -> list[Any]:
    return [row[name] for row in rows]


def _equal(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))
