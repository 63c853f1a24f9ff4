"""Rows of a screen in one form, whatever of their columns a table has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from parfocal import status
from parfocal.batch.arguments import FROM_FILE
from parfocal.report.screen.warned import of_all_steps
from parfocal.report.table import focus_table

if TYPE_CHECKING:
    import pandas as pd

NUMBERS = ("probability", "threshold", "change", "intensity_ratio", "time", "series")
TEXTS = (
    "file",
    "reason",
    "warnings",
    "sorting_status",
    "sorting_reason",
    "sorting_warnings",
    "restoration_status",
    "restoration_reason",
    "restoration_warnings",
    "restored_file",
    "preview",
    "overlay",
    "acquired",
)
# Settings of the measurement that each row states for itself.
SETTINGS = FROM_FILE
# All columns of a screen that are made use of.
COLUMNS = {
    *("defocus_level", "certainty", "mean_certainty", "answered", "status", "flagged", "restored"),
    *("channel", "channel_name", "plate", "well", "site", *NUMBERS, *TEXTS, *SETTINGS),
}
FOCUS, SORTING, CELLPROFILER = "focus", "sorting", "cellprofiler"
_CELLPROFILER = re.compile(r"ImageFocus_Score_(.+)")
_NUMBERS_OF_CELLPROFILER = {"probability": "FlagDefocused_Probability", "threshold": "FlagDefocused_Threshold"}
_TEXTS_OF_CELLPROFILER = {
    "flagged": "FlagDefocused_Defocused",
    "sorting_status": "FlagDefocused_Status",
    "sorting_reason": "FlagDefocused_Reason",
    "sorting_warnings": "FlagDefocused_Warnings",
    "reason": "ImageFocus_Reason",
    "warnings": "ImageFocus_Warnings",
}


def kind_of(table: pd.DataFrame) -> str:
    """Say who made a table: `focus` (measure, screen), `sorting` (sort) or `cellprofiler`."""
    if "defocus_level" not in table:
        return CELLPROFILER
    return FOCUS if "certainty" in table else SORTING


def screen_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Bring a table of a screen, of `parfocal measure` or `sort`, or of CellProfiler to one form.

    Returns
    -------
    pandas.DataFrame
        The columns of `parfocal.report.table.focus_table`, with `channel` for its `image`, and beside them `NUMBERS`
        and `channel_number` (NaN where unknown), `TEXTS` (empty where unknown; `warnings` are those of all steps),
        `SETTINGS`, `flagged` (nullable) and `restored`.

    Raises
    ------
    ValueError
        Where the table holds neither focus nor sorting.
    """
    kind = kind_of(table)
    if kind == CELLPROFILER:
        table = _of_cellprofiler(table)
    elif kind == SORTING:
        if "probability" not in table:
            raise ValueError("the table has defocus_level, it needs certainty (measure) or probability (sort) as well")
        table = table.assign(certainty=float("nan"))
    table = table.reset_index(drop=True)
    rows = focus_table(table).rename(columns={"image": "channel"})
    for name in NUMBERS:
        rows[name] = _numbers(table, name)
    rows["channel_number"] = _numbers(table, "channel")
    for name in TEXTS:
        rows[name] = _texts(table, name)
    for name in SETTINGS:
        rows[name] = table.get(name, None)
    rows["warnings"] = of_all_steps(*(rows[f"{step}warnings"] for step in ("", "sorting_", "restoration_")))
    rows["flagged"] = _switches(table, "flagged")
    rows["restored"] = _switches(table, "restored").fillna(False).astype(bool)
    # Where the status is missing (CellProfiler of another version), no answer still has to show as such.
    rows.loc[(rows["status"] == "") & rows["answered"], "status"] = status.OK
    return _withdrawn(rows)


def _withdrawn(rows: pd.DataFrame) -> pd.DataFrame:
    """A level that the sorter contradicts is no answer, as in a table of `parfocal sort`: it would be mapped as one."""
    contradicted = rows["answered"] & (rows["sorting_status"] == status.DISAGREEMENT)
    rows.loc[contradicted, ["defocus_level", "certainty", "mean_certainty"]] = float("nan")
    rows.loc[contradicted, "reason"] = rows.loc[contradicted, "sorting_reason"]
    rows.loc[contradicted, "status"] = status.DISAGREEMENT
    rows["answered"] &= ~contradicted
    return rows


def _of_cellprofiler(table: pd.DataFrame) -> pd.DataFrame:
    """Bring CellProfiler's Image.csv to the columns of a screen: one row for each measured image of an image set."""
    import pandas as pd

    images = [found[1] for found in map(_CELLPROFILER.fullmatch, map(str, table.columns)) if found]
    focus = focus_table(table)  # raises where there are none
    parts = [_of_image(table, image) for image in images]
    return pd.concat([focus.rename(columns={"image": "channel_name"}), pd.concat(parts, ignore_index=True)], axis=1)


def _of_image(table: pd.DataFrame, image: str) -> pd.DataFrame:
    import pandas as pd

    names, folders = _texts(table, f"FileName_{image}"), _texts(table, f"PathName_{image}")
    columns = {name: _numbers(table, f"{long}_{image}") for name, long in _NUMBERS_OF_CELLPROFILER.items()}
    columns["file"] = folders.where(folders == "", folders.str.rstrip("/\\") + "/") + names
    for name, long in _TEXTS_OF_CELLPROFILER.items():
        columns[name] = _texts(table, f"{long}_{image}")
    return pd.DataFrame(columns)


def _numbers(table: pd.DataFrame, name: str) -> pd.Series:
    import pandas as pd

    if name not in table:
        return pd.Series(float("nan"), index=table.index)
    return pd.to_numeric(table[name], errors="coerce").astype(float)


def _texts(table: pd.DataFrame, name: str) -> pd.Series:
    import pandas as pd

    if name not in table:
        return pd.Series("", index=table.index, dtype=object)
    column = table[name].astype(object)
    return column.where(column.notna(), "").astype(str).astype(object)


def _switches(table: pd.DataFrame, name: str) -> pd.Series:
    """Yes, no, or empty; CSV and CellProfiler write them as texts and numbers."""
    known = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}
    return _texts(table, name).str.lower().map(known).astype("boolean")
