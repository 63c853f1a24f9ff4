"""What the network gains over the Richardson-Lucy baselines and over further networks, level by level."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from parfocal.restoration.comparison import RICHARDSON_LUCY
from parfocal.restoration.evaluation.tables import levels_text

if TYPE_CHECKING:
    import pandas as pd

# The two baselines, and the first of them stopped where it suits the truth best.
BASELINES = ("richardson_lucy", "richardson_lucy_gaussian")
_NAMES = {
    "richardson_lucy": "Richardson-Lucy with the true PSF",
    "richardson_lucy_gaussian": "Richardson-Lucy with the searched Gaussian",
    "richardson_lucy_best": "Richardson-Lucy with the true PSF and the searched number of iterations",
}
UNITS = {"ssim": "SSIM", "psnr": "PSNR (dB)"}


def margin_table(part: pd.DataFrame, networks: Sequence[str], value: str) -> pd.DataFrame:
    """Mean score of the first network less that of each rival, by level and over all.

    Compared are exposures that the network restored; `of` counts those that it was given. A rival that left out some
    is compared on the rest.

    Parameters
    ----------
    part : DataFrame
        Scores by image, level and method.
    networks : sequence of str
        The network and the further ones.
    value : str
        `ssim` or `psnr`.
    """
    import pandas as pd

    keys = ["held_out", "source", "stain", "image", "level"]
    wide = part.pivot_table(index=keys, columns="method", values=value).reset_index()
    if networks[0] not in wide:
        wide[networks[0]] = np.nan
    rows = [_row(own, f"{level:g}", networks) for level, own in wide.groupby("level")]
    # Over all levels the better baseline is that of each level.
    better = float(np.nanmean([row["over the better"] for row in rows]))
    above = "yes" if all(row["above both"] == "yes" for row in rows) else "no"
    last = {**_row(wide, "all", networks), "over the better": better, "above both": above}
    return pd.DataFrame([*rows, last]).rename(columns={"level": f"{UNITS[value]} at level"})


def _row(own: pd.DataFrame, level: str, networks: Sequence[str]) -> dict[str, Any]:
    first = networks[0]
    answered = own[own[first].notna()]
    row: dict[str, Any] = {"level": level, "restored": len(answered), "of": len(own), first: answered[first].mean()}
    for rival in ("blurred", *RICHARDSON_LUCY, *networks[1:]):
        if rival in answered:
            row[f"over {rival}"] = (answered[first] - answered[rival]).mean()
    over = [row[f"over {name}"] for name in BASELINES]
    row["over the better"] = float(min(over))
    row["above both"] = "yes" if row["over the better"] > 0 else "no"
    return row


def margin_text(table: pd.DataFrame, networks: Sequence[str], value: str) -> str:
    """Say in words where the network lies above its rivals, and by how much on average."""
    heading = table.columns[0]
    levels = table[table[heading] != "all"]
    better = table["over the better"].iloc[-1]
    told = [f"{UNITS[value]} of `{networks[0]}`: mean margin over the better of the two baselines {better:+.3f}."]
    named = {**_NAMES, **{name: f"`{name}`" for name in networks[1:]}}
    for rival, name in named.items():
        column = f"over {rival}"
        if column in table:
            below = list(levels.loc[~(levels[column] > 0), heading])
            where = f"not at {levels_text(below)}" if below else "at every level"
            told.append(f"Above {name}: {where}, mean margin {levels[column].mean():+.3f}.")
    return " ".join(told)
