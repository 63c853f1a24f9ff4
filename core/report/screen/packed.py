"""The rows of the table, and other data for scripts, packed into the page."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from parfocal import status
from parfocal.report.screen.figures import rounded
from parfocal.report.screen.names import names_of
from parfocal.report.screen.rows import SETTINGS
from parfocal.report.screen.words import heading, words

if TYPE_CHECKING:
    import pandas as pd

# Beyond this the page gets slow; the rows that need a look are kept, the tables of the run have all.
MOST_ROWS = 200_000
# Numbers with the places behind the point that are sent, and those that are shown.
_NUMBERS = {
    "time": (0, 0),
    "defocus_level": (2, 1),
    "certainty": (3, 2),
    "mean_certainty": (3, 2),
    "probability": (3, 2),
}
# What came out stands at the left, where it is seen on a narrow screen too.
_FIRST, _PLACE = ("plate", "well", "outcome", "status"), ("site", "channel")
# Codes are shown in words, and saved as they are.
_CODES = ("status", "warnings", "modality")
# Columns that are shown also where all images have the same.
_ALWAYS = ("file", "outcome", "defocus_level")
# Columns in which nothing is an answer too: none of the images that have one stands for the others.
_NOTHING_TELLS = ("status", "warnings", *_NUMBERS)


def pack(data: Any) -> str:
    """JSON, compressed, as text that a page can hold."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


def for_script(text: str) -> str:
    """JSON that may stand within a script element: nothing in it ends the element."""
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def row_data(rows: pd.DataFrame, out_of_focus_level: float) -> dict[str, Any]:
    """Columns of the table; texts that repeat are sent once, with the place of each row in them.

    Returns
    -------
    dict
        `n` rows, `columns`: for each `name`, `title`, whether it is `same` for all images that have a value and
        therefore not shown, the column `under` whose words it stands (empty for a column of its own), and either
        `numbers` (None where there is none) with the `digits` to show, or `words`, what they are `shown` as, and
        `codes`; the first of them `file` with `names`, the codes of their folders, and these `shown` as far as they
        tell files of the same name apart.
    """
    rows = _most_telling(rows)
    rows = rows.assign(outcome=_outcomes(rows, out_of_focus_level), reason=_reasons(rows))
    numbers = [name for name in _NUMBERS if (rows[name].nunique() > 1 if name == "time" else rows[name].notna().any())]
    settings = [name for name in SETTINGS if _stated(rows[name]).nunique() > 1]
    columns = [_file_column(rows), *_word_columns(rows, _FIRST)]
    if (rows["reason"] != "").any():
        columns[-1]["same"] = False
        columns.append({**_word_column(rows, "reason"), "under": "status", "same": False})
    columns += _word_columns(rows, _PLACE)
    columns += [_number_column(rows, name) for name in numbers]
    columns += [*_word_columns(rows, ("warnings",)), *_word_columns(rows, settings)]
    return {"n": len(rows), "columns": columns}


def same_for_all(table: dict[str, Any]) -> list[tuple[str, str]]:
    """Titles and values of the columns that are not shown, of the data of `row_data`."""
    return [(each["title"], _first(each)) for each in table["columns"] if each["same"] and _first(each)]


def _first(column: dict[str, Any]) -> str:
    if "numbers" not in column:
        return str(next(filter(None, column["shown"]), ""))
    number = column["numbers"][0]
    return "" if number is None else f"{number:.{column['digits']}f}"


def _most_telling(rows: pd.DataFrame) -> pd.DataFrame:
    """All rows, or where they are too many those without an answer and of the highest levels."""
    if len(rows) <= MOST_ROWS:
        return rows
    first = rows["defocus_level"].fillna(float("inf")).sort_values(ascending=False, kind="stable").index[:MOST_ROWS]
    return rows.loc[first.sort_values()]


def _file_column(rows: pd.DataFrame) -> dict[str, Any]:
    known = names_of(rows["file"])
    folders = _coded(known.folders)
    shown = [known.ends.get(folder, "") for folder in folders["words"]]
    return {**_about(rows, "file"), "names": known.names.tolist(), **folders, "shown": shown}


def _number_column(rows: pd.DataFrame, name: str) -> dict[str, Any]:
    digits, shown = _NUMBERS[name]
    values = rounded(rows[name], digits)
    values = [None if value is None else int(value) for value in values] if digits == 0 else values
    return {**_about(rows, name), "digits": shown, "numbers": values}


def _word_columns(rows: pd.DataFrame, names: Iterable[str]) -> list[dict[str, Any]]:
    """Columns of texts; those that no image has are left out."""
    return [_word_column(rows, name) for name in names if len(_stated(rows[name]))]


def _stated(column: pd.Series) -> pd.Series:
    """Texts of those that have one."""
    texts = column.map(_text)
    return texts[texts != ""]


def _word_column(rows: pd.DataFrame, name: str) -> dict[str, Any]:
    coded = _coded(rows[name].map(_text))
    shown = [words(word) for word in coded["words"]] if name in _CODES else coded["words"]
    return {**_about(rows, name), **coded, "shown": shown}


def _about(rows: pd.DataFrame, name: str) -> dict[str, Any]:
    told = rows[name] if name in _NOTHING_TELLS else _stated(rows[name])
    same = name not in _ALWAYS and len(rows) > 1 and told.nunique(dropna=False) == 1
    return {"name": name, "title": heading(name), "same": same, "under": ""}


def _text(value: Any) -> str:
    if value is None or value != value:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _coded(texts: pd.Series) -> dict[str, Any]:
    codes, words = texts.factorize(sort=True)
    return {"words": [str(word) for word in words], "codes": codes.tolist()}


def _outcomes(rows: pd.DataFrame, out_of_focus_level: float) -> pd.Series:
    """What came out for each image, in a word or two: the filter of the table goes by it."""
    outcomes = rows["answered"].map({True: "in focus", False: "no answer"}).astype(object)
    outcomes = outcomes.mask(rows["defocus_level"] > out_of_focus_level, "out of focus")
    flagged = rows["flagged"].fillna(False).astype(bool)
    outcomes = outcomes.mask(flagged, outcomes + ", flagged")
    return outcomes.mask(rows["restored"], outcomes + ", restored")


def _reasons(rows: pd.DataFrame) -> pd.Series:
    """Why there is no answer; of images with one, why the sorter or restoring refused them."""
    told = rows["reason"].mask(rows["status"].isin(("", status.OK)), "")
    for step, name in (("sorting", "sorting"), ("restoring", "restoration")):
        refused = (told == "") & rows["answered"].astype(bool) & ~rows[f"{name}_status"].isin(("", status.OK))
        told = told.mask(refused, f"{step}: " + rows[f"{name}_status"].map(words) + ", " + rows[f"{name}_reason"])
    return told
