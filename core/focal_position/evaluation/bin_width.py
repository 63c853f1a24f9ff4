"""The paper's study of the width of the bins (Wei and Roberts 2018, 2.3), with the matrix of inferred against true."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from parfocal.focal_position.evaluation.plan import Found, Plan
from parfocal.focal_position.evaluation.small_networks import (
    Trained,
    budget,
    settings_of,
    study_stacks,
    test_count,
    trained,
)
from parfocal.focal_position.settings import FocalPositionTraining
from parfocal.report.sections import Section

if TYPE_CHECKING:
    from pathlib import Path

WIDTHS_UM = (1.0, 2.0, 4.0, 5.0)


def sections(plan: Plan) -> Found:
    """A row for each width, and the matrices of the finest and the coarsest."""
    import pandas as pd

    train, test = study_stacks(plan.stacks, plan.seed + 1), study_stacks(test_count(plan), plan.seed + 2)
    rows, figures = [], []
    for width in WIDTHS_UM:
        settings = settings_of(plan, bin_width=width)
        found = trained(settings, train, test)
        rows.append({"bin width um": width, "bins": settings.bins.count, **found.row()})
        if width in (WIDTHS_UM[0], WIDTHS_UM[-1]):
            figures.append(f"inferred_{width:g}um.png")
            draw_matrix(plan.path(figures[-1]), settings, found)
    table = pd.DataFrame(rows)
    section = Section("Width of the bins", budget(plan, plan.stacks), (table,), tuple(figures))
    return Found((section,), table)


def inferred_matrix(settings: FocalPositionTraining, found: Trained) -> np.ndarray:
    """Mean distribution (true bin, inferred bin) over the test planes; rows without a plane are NaN."""
    bins = settings.bins
    true = np.clip(np.rint(found.true_um / bins.width).astype(int) + bins.count // 2, 0, bins.count - 1)
    rows = [found.probability[true == number] for number in range(bins.count)]
    return np.stack([row.mean(axis=0) if len(row) else np.full(bins.count, np.nan) for row in rows])


def draw_matrix(path: Path, settings: FocalPositionTraining, found: Trained) -> None:
    """Draw the matrix of inferred against true positions."""
    from matplotlib.figure import Figure

    end = settings.half_range + settings.bin_width / 2
    figure = Figure(figsize=(4.5, 4), layout="constrained")
    axes = figure.subplots()
    shown = axes.imshow(
        inferred_matrix(settings, found).T, origin="lower", extent=(-end, end, -end, end), vmin=0, cmap="viridis"
    )
    axes.set(xlabel="true, um", ylabel="inferred, um", title=f"bins of {settings.bin_width:g} um")
    figure.colorbar(shown, label="mean probability")
    figure.savefig(path, dpi=110)
