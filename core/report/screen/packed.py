"""The rows of the table, and other data for scripts, packed into the page."""

from __future__ import annotations

import base64
import gzip
import json
from typing import TYPE_CHECKING, Any

from parfocal.report.screen.figures import rounded

if TYPE_CHECKING:
    import pandas as pd

# Beyond this the page gets slow; the rows that need a look are kept, the tables of the run have all.
MOST_ROWS = 200_000
_NUMBERS = {
    "time": ("time", 0),
    "defocus_level": ("level", 2),
    "certainty": ("certainty", 3),
    "mean_certainty": ("mean certainty", 3),
    "probability": ("probability", 3),
}
_WORDS = {"outcome": "outcome", "plate": "plate", "well": "well", "site": "site", "channel": "channel"}


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
        `n` rows, `columns`: for each `name`, `title` and either `numbers` (None where there is none) or `words` and
        `codes`, the first of them `file` with `names` and the codes of their folders.
    """
    rows = _most_telling(rows)
    rows = rows.assign(outcome=_outcomes(rows, out_of_focus_level))
    parts = rows["file"].map(lambda file: file.replace("\\", "/").rpartition("/"))
    folders, names = parts.map(lambda part: part[0]), parts.map(lambda part: part[2])
    columns: list[dict[str, Any]] = [{"name": "file", "title": "file", "names": names.tolist(), **_coded(folders)}]
    columns += [_word_column(rows, name, title) for name, title in _WORDS.items() if (rows[name] != "").any()]
    columns += [
        {"name": name, "title": title, "numbers": _column(rows, name, digits)}
        for name, (title, digits) in _NUMBERS.items()
        if (rows[name].nunique() > 1 if name == "time" else rows[name].notna().any())
    ]
    columns.append(_word_column(rows, "status", "status"))
    columns += [_word_column(rows, "warnings", "warnings")] * bool((rows["warnings"] != "").any())
    return {"n": len(rows), "columns": columns}


def _most_telling(rows: pd.DataFrame) -> pd.DataFrame:
    """All rows, or where they are too many those without an answer and of the highest levels."""
    if len(rows) <= MOST_ROWS:
        return rows
    first = rows["defocus_level"].fillna(float("inf")).sort_values(ascending=False, kind="stable").index[:MOST_ROWS]
    return rows.loc[first.sort_values()]


def _column(rows: pd.DataFrame, name: str, digits: int) -> list[Any]:
    values = rounded(rows[name], digits)
    return [None if value is None else int(value) for value in values] if digits == 0 else values


def _word_column(rows: pd.DataFrame, name: str, title: str) -> dict[str, Any]:
    return {"name": name, "title": title, **_coded(rows[name].astype(str))}


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
