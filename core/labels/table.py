"""The table of labels: what a person answered, row by row, and the label that counts."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from parfocal.batch.places import place_of
from parfocal.images.reading import find_images

TABLE = "labels.csv"
# Labels of an image; a stack has a sharp plane instead, and a row that takes an answer back holds the last one.
IMAGE_LABELS = ("sharp", "defocused", "unusable")
PLANE, WITHDRAWN = "plane", "withdrawn"
# Why an image was shown: for the first time, once more unannounced, or because its label looked wrong.
OCCASIONS = ("first", "repeat", "suspect")
# The occasion goes last: of a row that was cut off while it was written, it is not one of the words above.
COLUMNS = ("file", "label", "plane", "labelled_at", "person", "shown", "occasion")
_NEEDED = ("file", "label")


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
    labelled_at: str = ""
    person: str = ""
    shown: int = 1
    occasion: str = "first"
    field: str = ""


@dataclass(frozen=True)
class LabelledImage:
    """An image with the label that counts.

    Attributes
    ----------
    path : Path
    label : str
        `sharp`, `defocused` or `unusable`; of a stack whose sharp plane is known `plane`.
    plane : int or None
        Index of the sharp plane, from 0.
    field : str
        Images of one field have to stay on one side of a split.
    """

    path: Path
    label: str
    plane: Optional[int]
    field: str


def labels_of_folder(
    folder: str | os.PathLike[str], labels: Optional[str | os.PathLike[str]] = None
) -> list[LabelledImage]:
    """List the labelled images of a folder: those of its table, else those in folders named after the labels.

    Parameters
    ----------
    folder : path
        With `labels.csv`, or with the folders `sharp`, `defocused` and `unusable` (not all need to be there).
    labels : path, optional
        Another table; its files are relative to the folder all the same.

    Returns
    -------
    list of LabelledImage
        In the order of their names. The field is that of the table, else well and site of the file name, else the name
        without its suffix.

    Raises
    ------
    FileNotFoundError
        Where there is no such folder or table, neither table nor folders of labels, or a labelled file is gone.
    ValueError
        Where the table is damaged or holds no label; the message gives the line.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"no such folder: {folder}")
    table = folder / TABLE if labels is None else Path(labels)
    if labels is not None or table.exists():
        return _of_table(folder, table)
    return _of_subfolders(folder)


def read_labels(path: str | os.PathLike[str]) -> tuple[LabelRow, ...]:
    """Read every answer of a table, in the order they were given.

    A last line without an end that is no whole row is the rest of a write that was cut off, and is left out.

    Raises
    ------
    FileNotFoundError
        Where there is no such table.
    ValueError
        Where a column is missing, or a row is damaged or holds an unknown label; the message gives the line.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no such table of labels: {path}")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no table of labels: it is not text in UTF-8") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    names: list[str] = []
    rows = []
    try:
        names = _header(next(reader, []), path)
        for values in reader:
            if values:
                rows.append(_row(names, values))
    except (ValueError, csv.Error) as error:
        if not names:
            raise
        if text.endswith("\n") or text.count("\n") >= reader.line_num:
            raise ValueError(f"{path}, line {reader.line_num}: {error}") from error
    return tuple(rows)


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


def field_of(name: str) -> str:
    """Field of an image from its file name: well and site where it tells them, else the name without its suffix."""
    place = place_of(name)
    return "_".join(filter(None, (place.well, place.site))) if place else Path(name).stem


def _header(names: list[str], path: Path) -> list[str]:
    names = [name.strip() for name in names]
    missing = [name for name in _NEEDED if name not in names]
    if missing:
        there = ", ".join(filter(None, names)) or "none"
        raise ValueError(
            f"{path} must have the columns {', '.join(_NEEDED)}: {', '.join(missing)} missing, has {there}"
        )
    return names


def _row(names: list[str], values: list[str]) -> LabelRow:
    if len(values) != len(names):
        raise ValueError(f"{len(names)} values needed, one a column, got {len(values)}")
    given = {name: value.strip() for name, value in zip(names, values)}
    label, known = given["label"], (*IMAGE_LABELS, PLANE, WITHDRAWN)
    if not given["file"]:
        raise ValueError("file is empty")
    if label not in known:
        raise ValueError(f"label must be one of {', '.join(known)}, got {label!r}")
    shown = _whole_number("shown", given.get("shown") or "1", 1)
    occasion = given.get("occasion", "first" if shown == 1 else "repeat")
    if occasion not in OCCASIONS:
        raise ValueError(f"occasion must be one of {', '.join(OCCASIONS)}, got {occasion!r}")
    return LabelRow(
        file=given["file"],
        label=label,
        plane=_plane(label, given.get("plane", "")),
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


def _of_table(folder: Path, table: Path) -> list[LabelledImage]:
    rows = read_labels(table)
    fields = {row.file: row.field for row in rows if row.field}
    found = [
        LabelledImage(folder / file, row.label, row.plane, fields.get(file) or field_of(file))
        for file, row in sorted(counting_rows(rows).items())
    ]
    if not found:
        raise ValueError(f"{table} holds no label yet")
    gone = [image.path for image in found if not image.path.is_file()]
    if gone:
        raise FileNotFoundError(
            f"{len(gone)} of {len(found)} files of {table} are gone, such as {gone[0]}: "
            "put them back, or take their rows out"
        )
    return found


def _of_subfolders(folder: Path) -> list[LabelledImage]:
    named = {sub.name.lower(): sub for sub in sorted(folder.iterdir()) if sub.is_dir()}
    found = [
        LabelledImage(path, label, None, field_of(path.name))
        for label in IMAGE_LABELS
        if label in named and any(named[label].iterdir())
        for path in find_images([named[label]])
    ]
    if not found:
        raise FileNotFoundError(
            f"no labels in {folder}: it needs {TABLE} (parfocal label writes it), "
            f"or images in folders named {', '.join(IMAGE_LABELS)}"
        )
    return found
