"""One answer of a person, and which of many answers count."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Optional

# Labels of an image; a stack has a sharp plane instead, and a row that takes an answer back holds the last one.
IMAGE_LABELS = ("sharp", "defocused", "unusable")
PLANE, WITHDRAWN = "plane", "withdrawn"
# Why an image was shown: for the first time, once more unannounced, or because its label looked wrong.
FIRST, REPEAT, SUSPECT = OCCASIONS = ("first", "repeat", "suspect")
# The occasion goes last: of a row that was cut off while it was written, it is not one of the words above.
COLUMNS = ("file", "label", "plane", "channel", "labelled_at", "person", "shown", "occasion")


@dataclass(frozen=True)
class LabelRow:
    """One answer.

    Attributes
    ----------
    file : str
        Relative to the folder of the images, with `/`.
    label : str
        `sharp`, `defocused`, `unusable`, `plane` (of a stack) or `withdrawn` (takes this person's answer back).
    plane : int or None
        Index of the sharp plane of a stack, from 0.
    channel : int
        Channel of the file that was shown, from 0.
    labelled_at : str
        Time, ISO 8601; empty where it is not known.
    person : str
        May be empty.
    shown : int
        How often the image had been shown to this person, from 1.
    occasion : str
        `first`, `repeat` or `suspect`.
    field : str
        Images of one field are never split; empty where the table does not say.
    """

    file: str
    label: str
    plane: Optional[int] = None
    channel: int = 0
    labelled_at: str = ""
    person: str = ""
    shown: int = 1
    occasion: str = FIRST
    field: str = ""


def standing_rows(rows: Iterable[LabelRow]) -> list[LabelRow]:
    """Answers that stand: of one showing the last counts, and none where that takes the answer back."""
    last: dict[tuple[str, str, int], LabelRow] = {}
    for row in rows:
        showing = (row.file, row.person, row.shown)
        last.pop(showing, None)  # so that the order is that of the answers that stand
        last[showing] = row
    return [row for row in last.values() if row.label != WITHDRAWN]


def counting_rows(rows: Iterable[LabelRow]) -> dict[str, LabelRow]:
    """For each file the answer that counts: the latest that stands, whoever gave it."""
    return {row.file: row for row in standing_rows(rows)}


def parse_row(names: Sequence[str], values: Sequence[str]) -> LabelRow:
    """Read a row from the texts of its columns; ValueError says what is wrong with it."""
    if len(values) != len(names):
        raise ValueError(f"{len(names)} values needed, one a column, got {len(values)}")
    given = {name: value.strip() for name, value in zip(names, values)}
    given["file"] = values[names.index("file")]  # names of files may begin or end with a blank
    label, known = given["label"], (*IMAGE_LABELS, PLANE, WITHDRAWN)
    if not given["file"]:
        raise ValueError("file is empty")
    if label not in known:
        raise ValueError(f"label must be one of {', '.join(known)}, got {label!r}")
    shown = _whole_number("shown", given.get("shown") or "1", 1)
    occasion = given.get("occasion", FIRST if shown == 1 else REPEAT)
    if occasion not in OCCASIONS:
        raise ValueError(f"occasion must be one of {', '.join(OCCASIONS)}, got {occasion!r}")
    return LabelRow(
        file=given["file"],
        label=label,
        plane=_plane(label, given.get("plane", "")),
        channel=_whole_number("channel", given.get("channel") or "0", 0),
        labelled_at=given.get("labelled_at", ""),
        person=given.get("person", ""),
        shown=shown,
        occasion=occasion,
        field=given.get("field", ""),
    )


def _plane(label: str, text: str) -> Optional[int]:
    if label == PLANE:
        return _whole_number("plane", text, 0)
    if text:
        raise ValueError(f"plane must be empty where the label is {label}, got {text!r}")
    return None


def _whole_number(name: str, text: str, least: int) -> int:
    if not text.isdecimal() or int(text) < least:
        raise ValueError(f"{name} must be a whole number from {least}, got {text!r}")
    return int(text)
