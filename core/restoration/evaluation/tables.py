"""Tables that several parts of the evaluation share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def by_level(scores: pd.DataFrame, value: str, heading: str, columns: Sequence[str] = ("method",)) -> pd.DataFrame:
    """Means by level, a column for each method, and over all levels."""
    table = scores.pivot_table(index="level", columns=list(columns), values=value, sort=False).sort_index()
    table.columns = [name if isinstance(name, str) else ", ".join(map(str, name)) for name in table.columns]
    table.loc["mean"] = table.mean()
    table.insert(0, heading, [label if isinstance(label, str) else f"{label:g}" for label in table.index])
    return table.reset_index(drop=True)


def levels_text(levels: Sequence[str]) -> str:
    """Name levels in a sentence."""
    return ("level " if len(levels) == 1 else "levels ") + ", ".join(levels)


def overall(scores: pd.DataFrame, *keys: str) -> pd.DataFrame:
    """Mean SSIM, PSNR and mean absolute error over all images and levels, a row for each value of the keys."""
    named = {"ssim": "SSIM", "psnr": "PSNR", "mae": "MAE"}
    return scores.groupby(list(keys), sort=False)[list(named)].mean().rename(columns=named).reset_index()
