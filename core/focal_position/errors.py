"""Errors of an estimator on stacks whose focal plane is known."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from parfocal.focal_position.result import FocalPosition
from parfocal.focal_position.stacks import LabelledStack

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class PositionErrors:
    """Errors of single planes.

    Attributes
    ----------
    rows : list of dict
        For each plane `stack`, `true_um`, `status`, `told_um` (NaN without an estimate), `nearest_um` (of the
        candidates the nearest to the truth, where the sign is unknown), `deviation_um` and `certainty`.
    depth_of_field_um : float
        NaN where it is not known.
    """

    rows: list[dict[str, Any]] = field(repr=False)
    depth_of_field_um: float = math.nan

    def summary(self) -> dict[str, float]:
        """Count, share answered, median and 95th percentile of the error, share within 1 um, share of wrong signs.

        Errors are those of answered planes; signs those of answered planes more than half a depth of field (1 um where
        that is not known) from focus. `unsigned_median_um` takes in planes whose sign is unknown.
        """
        true, told = self._column("true_um"), self._column("told_um")
        answered = np.isfinite(told)
        error = np.abs(told - true)[answered]
        depth = self.depth_of_field_um
        far = answered & (np.abs(true) > (depth / 2 if math.isfinite(depth) else 1.0))
        unsigned = np.abs(np.abs(self._column("nearest_um")) - np.abs(true))
        return {
            "planes": float(len(true)),
            "answered": float(np.mean(answered)) if len(true) else math.nan,
            "median_um": _percentile(error, 50),
            "p95_um": _percentile(error, 95),
            "median_dof": _percentile(error, 50) / depth,
            "p95_dof": _percentile(error, 95) / depth,
            "within_1um": float(np.mean(error <= 1.0)) if len(error) else math.nan,
            "sign_errors": float(np.mean(np.sign(told[far]) != np.sign(true[far]))) if far.any() else math.nan,
            "unsigned_median_um": _percentile(unsigned[np.isfinite(unsigned)], 50),
        }

    def statuses(self) -> dict[str, int]:
        """How often each status was given."""
        return dict(Counter(row["status"] for row in self.rows))

    def sentence(self) -> str:
        """The summary in words."""
        told = self.summary()
        if not told["answered"] > 0:
            return f"none of {told['planes']:.0f} planes was answered ({self.statuses()})"
        return (
            f"median {told['median_um']:.2f} um, 95th percentile {told['p95_um']:.2f} um, "
            f"{100 * told['within_1um']:.0f} percent within 1 um, "
            f"{100 * told['answered']:.0f} percent of {told['planes']:.0f} planes answered"
        )

    def frame(self) -> pd.DataFrame:
        """Rows as a table."""
        import pandas as pd

        return pd.DataFrame(self.rows)

    def _column(self, name: str) -> np.ndarray:
        return np.array([row[name] for row in self.rows], float)


def position_errors(
    estimate: Callable[[np.ndarray], FocalPosition], stacks: Sequence[LabelledStack], depth_of_field_um: float
) -> PositionErrors:
    """Estimate every plane of some stacks by itself, and hold it against the truth."""
    rows = [
        {"stack": stack.name, "true_um": float(true), **_told(estimate(plane), float(true))}
        for stack in stacks
        for plane, true in zip(stack.stack_zyx, stack.defocus_um)
    ]
    return PositionErrors(rows, depth_of_field_um)


def _told(answer: FocalPosition, true_um: float) -> dict[str, Any]:
    near = [candidate.defocus_um for candidate in answer.candidates]
    known = answer.status in ("ok", "sign_unknown")
    return {
        "status": answer.status,
        "told_um": answer.defocus_um,
        "nearest_um": min(near, key=lambda z: abs(z - true_um)) if near and known else math.nan,
        "deviation_um": answer.deviation_um,
        "certainty": answer.certainty,
    }


def _percentile(values: np.ndarray, percent: float) -> float:
    return float(np.percentile(values, percent)) if len(values) else math.nan
