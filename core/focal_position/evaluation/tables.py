"""Tables of errors that several parts of the evaluation share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from parfocal.focal_position.errors import PositionErrors
from parfocal.focal_position.stacks import LabelledStack
from parfocal.focus_control.metrics import focus_score

if TYPE_CHECKING:
    import pandas as pd

BASELINES = ("Brenner", "MarrHildreth", "IQA")
# Edges of certainty between which errors are compared.
_CERTAINTIES = (0.0, 0.8, 0.9, 0.95, 0.99, 1.0 + 1e-9)


def summary_row(name: str, errors: PositionErrors) -> dict[str, Any]:
    """One row of a table of methods: errors of single planes."""
    told = errors.summary()
    return {
        "what": name,
        "planes": told["planes"],
        "answered": told["answered"],
        "median um": told["median_um"],
        "95 % um": told["p95_um"],
        "median DOF": told["median_dof"],
        "95 % DOF": told["p95_dof"],
        "within 1 um": told["within_1um"],
        "sign errors": told["sign_errors"],
        "median um but for the sign": told["unsigned_median_um"],
    }


def status_row(name: str, errors: PositionErrors) -> dict[str, Any]:
    """How often each status was given, as a sentence."""
    counts = sorted(errors.statuses().items(), key=lambda pair: -pair[1])
    return {"what": name, "statuses": ", ".join(f"{status} {count}" for status, count in counts)}


def certainty_table(errors: PositionErrors) -> pd.DataFrame:
    """Errors of answered planes by the certainty that was told, and whether the deviations hold."""
    import pandas as pd

    rows = [row for row in errors.rows if math.isfinite(row["told_um"])]
    made = []
    for low, high in zip(_CERTAINTIES, _CERTAINTIES[1:]):
        own = [row for row in rows if low <= row["certainty"] < high]
        error = np.array([abs(row["told_um"] - row["true_um"]) for row in own])
        told = np.array([row["deviation_um"] for row in own])
        made.append(
            {
                "certainty": f"{low:.2f} to {min(high, 1.0):.2f}",
                "planes": float(len(own)),
                "median um": float(np.median(error)) if len(own) else math.nan,
                "95 % um": float(np.percentile(error, 95)) if len(own) else math.nan,
                "within 2 deviations": float(np.mean(error <= 2 * told)) if len(own) else math.nan,
            }
        )
    return pd.DataFrame(made)


def sweep_rows(stacks: Sequence[LabelledStack]) -> list[dict[str, Any]]:
    """Distance of the sharpest plane of each stack from focus by the metrics, and the images that takes."""
    rows = []
    for metric in BASELINES:
        for stack in stacks:
            scores = [focus_score(plane, metric) for plane in stack.stack_zyx]
            best = int(np.nanargmax(scores)) if np.isfinite(scores).any() else 0
            error = abs(float(stack.defocus_um[best]))
            nearest = float(np.abs(stack.defocus_um).min())
            rows.append(
                {
                    "method": metric,
                    "stack": stack.name,
                    "images": float(len(scores)),
                    "error um": error,
                    "nearest plane um": nearest,
                }
            )
    return rows


def sweep_table(stacks: Sequence[LabelledStack]) -> pd.DataFrame:
    """Sum `sweep_rows` up by metric."""
    import pandas as pd

    rows = pd.DataFrame(sweep_rows(stacks))
    grouped = rows.groupby("method", sort=False)
    return pd.DataFrame(
        {
            "images of a sweep": grouped["images"].mean(),
            "median um": grouped["error um"].median(),
            "95 % um": grouped["error um"].quantile(0.95),
            "within 1 um": grouped["error um"].agg(lambda errors: float(np.mean(errors <= 1.0))),
        }
    ).reset_index()
