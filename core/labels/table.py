"""The table of labels, and the labelled images of a folder."""

from __future__ import annotations

import csv
import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from parfocal.images.reading import find_images
from parfocal.labels.rows import IMAGE_LABELS, LabelRow, counting_rows, parse_row

TABLE = "labels.csv"
_NEEDED = ("file", "label")


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
    channel : int
        Channel of the file that the label is of, from 0.
    """

    path: Path
    label: str
    plane: Optional[int]
    field: str
    channel: int = 0


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
    return _read(Path(path))[0]


def is_cut_off(path: Path) -> bool:
    """Say whether the last line of a table is the rest of a write that was cut off."""
    return _read(path)[1]


def _read(path: Path) -> tuple[tuple[LabelRow, ...], bool]:
    if not path.is_file():
        raise FileNotFoundError(f"no such table of labels: {path}")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no table of labels: it is not text in UTF-8") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    names = _header(next(reader, []), path)
    rows: list[LabelRow] = []
    try:
        rows.extend(parse_row(names, values) for values in reader if values)
    except (ValueError, csv.Error) as error:
        if text.endswith("\n") or text.count("\n") >= reader.line_num:
            raise ValueError(f"{path}, line {reader.line_num}: {error}") from error
        return tuple(rows), True
    return tuple(rows), False


def field_of(name: str) -> str:
    """Field of an image from its file name: well and site where it tells them, else the name without its suffix."""
    from parfocal.batch.places import place_of  # brings the measurement with it

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


def _of_table(folder: Path, table: Path) -> list[LabelledImage]:
    rows = read_labels(table)
    fields = {row.file: row.field for row in rows if row.field}
    found = [
        LabelledImage(folder / file, row.label, row.plane, fields.get(file) or field_of(file), row.channel)
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
