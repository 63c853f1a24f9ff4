"""Picture of a history: how the reference focal plane of an instrument moves over dates."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

import numpy as np

from parfocal.beads.batch.history import HistoryEntry
from parfocal.beads.batch.verdict import FAIL
from parfocal.report.beads_profile import CURVE_COLOR, REFP_COLOR


def draw_history(
    entries: Sequence[HistoryEntry],
    current: Sequence[HistoryEntry],
    path: str | Path,
    last_refp_um: Optional[float] = None,
    limit_um: Optional[float] = None,
) -> Path:
    """Draw reference focal planes with their intervals over dates; those of this run are red, failed ones hollow.

    Parameters
    ----------
    entries, current : sequence of HistoryEntry
        Comparable ones of before, and those of this run.
    path : path
        PNG file to write.
    last_refp_um, limit_um : float, optional
        Plane of the last entry before, and the largest shift allowed from it, um: drawn as a band.

    Returns
    -------
    Path
        The file written.
    """
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
    from matplotlib.figure import Figure

    figure = Figure((9.0, 2.1), dpi=150, layout="constrained")
    axes = figure.add_subplot()
    if last_refp_um is not None and limit_um is not None:
        band = (last_refp_um - limit_um, last_refp_um + limit_um)
        axes.axhspan(*band, color="0.88", linewidth=0, zorder=0, label="allowed from the last entry")
    _draw(axes, entries, CURVE_COLOR, "earlier")
    _draw(axes, current, REFP_COLOR, "this run")
    locator = AutoDateLocator(maxticks=9)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.margins(x=0.05, y=0.15)
    days = [date2num(entry.date) for entry in (*entries, *current)]
    if max(days) - min(days) < 1:
        axes.set_xlim(min(days) - 1, max(days) + 1)
    axes.set_ylabel("REFP, um", fontsize=8)
    axes.tick_params(labelsize=8)
    axes.set_title("history of the reference focal plane, with its interval; hollow: failed", fontsize=9, loc="left")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=7, frameon=False)
    path = Path(path)
    figure.savefig(path)
    return path


def _draw(axes: Any, entries: Sequence[HistoryEntry], color: str, label: str) -> None:
    known = [entry for entry in entries if np.isfinite(entry.reference_focal_plane_um)]
    if not known:
        return
    dates = [entry.date for entry in known]
    z = np.array([entry.reference_focal_plane_um for entry in known])
    ends = np.array([(entry.interval_low_um, entry.interval_high_um) for entry in known]).T
    errors = np.nan_to_num(np.abs(ends - z))
    axes.errorbar(dates, z, errors, fmt="none", ecolor=color, elinewidth=0.9, capsize=2, zorder=2)
    if len(known) > 1:
        axes.plot(dates, z, color=color, linewidth=0.7, alpha=0.5, zorder=1)
    faces = ["white" if entry.verdict == FAIL else color for entry in known]
    axes.scatter(dates, z, c=faces, edgecolors=color, s=22, linewidths=1.1, zorder=3, label=label)
