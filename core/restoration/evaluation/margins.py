"""What the network gains over the Richardson-Lucy baselines and over further networks, level by level."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from parfocal.restoration.comparison import RICHARDSON_LUCY
from parfocal.restoration.evaluation.tables import levels_text

if TYPE_CHECKING:
    import pandas as pd

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
    return pd.DataFrame([*rows, _row(wide, "all", networks)]).rename(columns={"level": f"{UNITS[value]} at level"})


def _row(own: pd.DataFrame, level: str, networks: Sequence[str]) -> dict[str, Any]:
    first = networks[0]
    answered = own[own[first].notna()]
    row: dict[str, Any] = {"level": level, "restored": len(answered), "of": len(own), first: answered[first].mean()}
    for rival in ("blurred", *RICHARDSON_LUCY, *networks[1:]):
        if rival in answered:
            row[f"over {rival}"] = (answered[first] - answered[rival]).mean()
    row["over the better"] = float(min(row[f"over {name}"] for name in RICHARDSON_LUCY))
    row["above both"] = "yes" if row["over the better"] > 0 else "no"
    return row


def margin_text(table: pd.DataFrame, networks: Sequence[str], value: str) -> str:
    """Say in words where the network lies above the baselines, and by how much on average."""
    first, unit = networks[0], UNITS[value]
    heading = table.columns[0]
    levels, last = table[table[heading] != "all"], table.iloc[-1]
    below = list(levels.loc[levels["above both"] == "no", heading])
    where = f"at {levels_text(below)} not above" if below else "above"
    parts = [
        f"{unit}: `{first}` is {where} both Richardson-Lucy baselines"
        f" {'(elsewhere it is)' if below else 'at every level'}; mean margin over the better of them"
        f" {levels['over the better'].mean():+.3f}, over Richardson-Lucy with the true PSF"
        f" {last['over richardson_lucy']:+.3f}, with the searched Gaussian"
        f" {last['over richardson_lucy_gaussian']:+.3f}."
    ]
    parts += [_over_network(levels, last, heading, name) for name in networks[1:] if f"over {name}" in table]
    return " ".join(parts)


def _over_network(levels: pd.DataFrame, last: pd.Series, heading: str, name: str) -> str:
    column = f"over {name}"
    below = list(levels.loc[~(levels[column] > 0), heading])
    where = f"not at {levels_text(below)}" if below else "at every level"
    return f"Above `{name}`: {where}, mean margin {last[column]:+.3f}."
