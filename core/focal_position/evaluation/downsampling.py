"""The paper's study of down-sampling and batch size against time and error (Wei and Roberts 2018, 2.2)."""

from __future__ import annotations

from parfocal.focal_position.evaluation.plan import Found, Plan
from parfocal.focal_position.evaluation.small_networks import budget, settings_of, study_stacks, test_count, trained
from parfocal.report.sections import Section

DOWNSAMPLINGS, BATCH_SIZES = (2, 4, 10), (5, 10, 20)


def sections(plan: Plan) -> Found:
    """A row for each down-sampling and batch size."""
    import pandas as pd

    train, test = study_stacks(plan.stacks, plan.seed + 1), study_stacks(test_count(plan), plan.seed + 2)
    rows = []
    for downsampling in DOWNSAMPLINGS:
        for batch_size in BATCH_SIZES:
            settings = settings_of(plan, downsampling=downsampling, batch_size=batch_size)
            found = trained(settings, train, test)
            rows.append({"down-sampling": downsampling, "batch size": batch_size, **found.row()})
    table = pd.DataFrame(rows)
    return Found((Section("Down-sampling and batch size", budget(plan, plan.stacks), (table,)),), table)
