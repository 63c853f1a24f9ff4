"""The paper's study of the number of stacks that are trained on (Wei and Roberts 2018, 2.4)."""

from __future__ import annotations

from parfocal.focal_position.evaluation.plan import Found, Plan
from parfocal.focal_position.evaluation.small_networks import budget, settings_of, study_stacks, test_count, trained
from parfocal.report.sections import Section

SHARES = (0.125, 0.25, 0.5, 1.0)


def sections(plan: Plan) -> Found:
    """A row for each number of stacks, from an eighth of them to all, at the same number of steps."""
    import pandas as pd

    train, test = study_stacks(plan.stacks, plan.seed + 1), study_stacks(test_count(plan), plan.seed + 2)
    rows = []
    for share in SHARES:
        count = max(1, round(share * len(train)))
        rows.append({"stacks": count, **trained(settings_of(plan), train[:count], test).row()})
    table = pd.DataFrame(rows)
    return Found((Section("Number of stacks", budget(plan, plan.stacks), (table,)),), table)
