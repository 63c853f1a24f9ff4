"""The rows of the table, and other data for scripts, packed into the page."""

from __future__ import annotations

import base64
import gzip
import json
from typing import TYPE_CHECKING, Any

from parfocal.report.screen.figures import rounded
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
_WORDS = ("outcome", "plate", "well", "site", "channel")
# Codes are shown in words, and saved as they are.
_CODES = ("status", "warnings")
# Columns that are shown also where all images have the same.
_ALWAYS = ("file", "outcome", "defocus_level")


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
        `n` rows, `columns`: for each `name`, `title`, whether it is `same` for all images and therefore not shown, and
        either `numbers` (None where there is none) with the `digits` to show, or `words`, what they are `shown` as, and
        `codes`; the first of them `file` with `names` and the codes of their folders.
    """
    rows = _most_telling(rows)
    rows = rows.assign(outcome=_outcomes(rows, out_of_focus_level))
    told = [name for name in _WORDS if (rows[name] != "").any()]
    numbers = [name for name in _NUMBERS if (rows[name].nunique() > 1 if name == "time" else rows[name].notna().any())]
    codes = [name for name in _CODES if (rows[name] != "").any() or name == "status"]
    settings = [name for name in SETTINGS if rows[name].astype(str).nunique() > 1]
    columns = [_file_column(rows)]
    columns += [_word_column(rows, name) for name in told]
    columns += [_number_column(rows, name) for name in numbers]
    columns += [_word_column(rows, name) for name in (*codes, *settings)]
    return {"n": len(rows), "columns": columns}


def same_for_all(table: dict[str, Any]) -> list[tuple[str, str]]:
    """Titles and values of the columns that are not shown, of the data of `row_data`."""
    return [(each["title"], _first(each)) for each in table["columns"] if each["same"] and _first(each)]


def _first(column: dict[str, Any]) -> str:
    if "numbers" not in column:
        return str(column["shown"][0])
    number = column["numbers"][0]
    return "" if number is None else f"{number:.{column['digits']}f}"


def _most_telling(rows: pd.DataFrame) -> pd.DataFrame:
    """All rows, or where they are too many those without an answer and of the highest levels."""
    if len(rows) <= MOST_ROWS:
        return rows
    first = rows["defocus_level"].fillna(float("inf")).sort_values(ascending=False, kind="stable").index[:MOST_ROWS]
    return rows.loc[first.sort_values()]


def _file_column(rows: pd.DataFrame) -> dict[str, Any]:
    parts = rows["file"].map(lambda file: file.replace("\\", "/").rpartition("/"))
    folders, names = parts.map(lambda part: part[0]), parts.map(lambda part: part[2])
    return {**_about(rows, "file"), "names": names.tolist(), **_coded(folders)}


def _number_column(rows: pd.DataFrame, name: str) -> dict[str, Any]:
    digits, shown = _NUMBERS[name]
    values = rounded(rows[name], digits)
    values = [None if value is None else int(value) for value in values] if digits == 0 else values
    return {**_about(rows, name), "digits": shown, "numbers": values}


def _word_column(rows: pd.DataFrame, name: str) -> dict[str, Any]:
    coded = _coded(rows[name].map(_text))
    in_words = name in _CODES or name == "modality"
    return {
        **_about(rows, name),
        **coded,
        "shown": [words(word) for word in coded["words"]] if in_words else coded["words"],
    }


def _about(rows: pd.DataFrame, name: str) -> dict[str, Any]:
    same = name not in _ALWAYS and len(rows) > 1 and rows[name].nunique(dropna=False) == 1
    return {"name": name, "title": heading(name), "same": same}


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
