"""Calibration on one field of a real sample, judged on a second field that took no part."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from parfocal.focal_position.calibrate import FocalPositionCalibration, calibrate_focal_position
from parfocal.focal_position.errors import PositionErrors
from parfocal.focal_position.evaluation.plan import Found, Plan
from parfocal.focal_position.evaluation.tables import certainty_table, status_row, summary_row, sweep_rows
from parfocal.focal_position.stacks import LabelledStack, read_labelled_stack, read_list
from parfocal.registry import shipped_file
from parfocal.report.sections import Section


def sections(plan: Plan) -> Found:
    """Errors on each second field, and beside them the sharpest planes of a sweep."""
    import pandas as pd

    if plan.images is None:
        raise ValueError("images must name the folder of the real stacks, got None")
    listed = Path(plan.listed) if plan.listed else shipped_file("focal_position_stacks.json")
    summaries, statuses, sweeps, rows = [], [], [], []
    for number, sample in enumerate(read_list(listed)):
        first, second = (_stacks(Path(plan.images), sample[side]) for side in ("first", "second"))
        begun = time.perf_counter()
        made = _calibrated(plan, number, sample, first, second)
        minutes = (time.perf_counter() - begun) / 60
        summaries.append({**summary_row(sample["name"], made.errors), "minutes": minutes})
        statuses.append(status_row(sample["name"], made.errors))
        sweeps += sweep_rows(second)
        rows += [{**row, "sample": sample["name"]} for row in made.errors.rows]
    text = (
        f"Each sample: the model `{plan.model}` is calibrated on the stacks of one field ({plan.steps} steps) and "
        "judged on single planes of another. Depths of field where the objective is known."
    )
    found = (
        Section("Real stacks with a second field", text, (pd.DataFrame(summaries), pd.DataFrame(statuses))),
        Section("Error against certainty", "All samples together.", (certainty_table(PositionErrors(rows)),)),
        Section("Sweeps", "The plane with the best score of each second field.", (pd.DataFrame(sweeps),)),
    )
    return Found(found, pd.DataFrame(rows))


def _stacks(root: Path, listed: list[dict[str, Any]]) -> list[LabelledStack]:
    return [read_labelled_stack(root / about["path"], about) for about in listed]


def _calibrated(
    plan: Plan, number: int, sample: dict[str, Any], first: list[LabelledStack], second: list[LabelledStack]
) -> FocalPositionCalibration:
    return calibrate_focal_position(
        first,
        str(plan.path(f"model{number}")),
        start_from=plan.model,
        second_field=second,
        zoom=sample.get("zoom"),
        steps=plan.steps,
        depth_of_field_um=sample.get("depth_of_field_um"),
        seed=plan.seed + 1,
    )
