"""Tables that the evaluation shows beside those of its scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def headline_scores(scores: pd.DataFrame) -> pd.DataFrame:
    """Scores over all images, best balanced F-score first."""
    own = scores[scores["part"] == "all"].drop(columns="part")
    return own.sort_values("f_score_balanced", ascending=False)


def stack_kinds(stacks: Sequence[Any]) -> pd.DataFrame:
    """List what each stack is, and who knows its focal plane."""
    import pandas as pd

    rows = [{"stack": s.name, "domain": s.domain, "kind": s.kind, "focus known from": s.truth} for s in stacks]
    return pd.DataFrame(rows)


def stack_means(summaries: pd.DataFrame) -> pd.DataFrame:
    """Average over the stacks of a domain that have one focal plane: a row for each domain and scorer."""
    import pandas as pd

    named = summaries.loc[summaries["error_planes"].notna(), "stack"]
    known = summaries[summaries["stack"].isin(named)]
    rows = []
    for (domain, scorer), own in known.groupby(["domain", "scorer"], sort=False):
        error = own["error_planes"].to_numpy(float)
        row = {"domain": domain, "scorer": scorer, "stacks": len(own)}
        row["rank_correlation"] = _mean(own["rank_correlation"].to_numpy(float))
        row["error_planes"] = _mean(error)
        rows.append({**row, "sharpest_within_one_plane": float(np.mean(error <= 1))})
    return pd.DataFrame(rows)


def _mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")
