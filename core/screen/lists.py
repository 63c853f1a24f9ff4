"""Lists of images: CSV or Parquet in the form of CellProfiler's LoadData, or with a column `file`."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Optional
from urllib.parse import urlsplit
from urllib.request import url2pathname

from parfocal.batch.places import well_name
from parfocal.screen.task import ScreenTask

LIST_SUFFIXES = (".csv", ".parquet")
_ROWS_AT_ONCE = 1024
# What begins the name of a column that names files, with what its path begins.
_NAMED = {"Image_FileName_": "Image_PathName_", "FileName_": "PathName_"}
_URLS = ("Image_URL_", "URL_")
# With these an image is one of several in its file, which is worked on as a whole.
_PARTS = ("Image_Frame_", "Image_Series_", "Frame_", "Series_")


def check_list(path: Path) -> None:
    """Raise ValueError where a list has no column that names files."""
    header = _header(path)
    if not (_images(header) or "file" in header):
        has = ", ".join(header[:8])
        raise ValueError(
            f"{path} needs columns as LoadData has them (Image_FileName_DNA, Image_PathName_DNA, or Image_URL_DNA), or "
            f"a column file; it has {has}"
        )


def read_list(path: Path) -> Iterator[ScreenTask]:
    """Give the images that a list names, row by row; the list is never in memory as a whole.

    Each image `X` of a row is a file of its own, and `X` the name of its channel. Metadata_Plate, Metadata_Well and
    Metadata_Site say where it was taken. Relative paths begin at the folder of the list.

    Parameters
    ----------
    path : Path
        `.csv` or `.parquet`.
    """
    folder = Path(os.path.abspath(path)).parent
    images = _images(_header(path))
    for row in _rows(path):
        place = _place(row)
        if not images:
            yield _task(folder, row.get("file", ""), {**place, **_told(row, "channel_name")})
        for image, columns in images.items():
            named = _file_of(row, columns)
            if named:
                whole = any(row.get(prefix + image) for prefix in _PARTS)
                yield _task(folder, named, place if whole else {**place, "channel_name": image})


def _header(path: Path) -> list[str]:
    if path.suffix.lower() == ".parquet":
        import pyarrow.parquet as parquet

        return list(parquet.read_schema(path).names)
    with open(path, newline="", encoding="utf-8-sig", errors="surrogateescape") as lines:
        return next(csv.reader(lines), [])


def _rows(path: Path) -> Iterator[dict[str, str]]:
    if path.suffix.lower() == ".parquet":
        import pyarrow.parquet as parquet

        with parquet.ParquetFile(path) as table:
            for batch in table.iter_batches(_ROWS_AT_ONCE):
                yield from ({name: _text(value) for name, value in row.items()} for row in batch.to_pylist())
        return
    with open(path, newline="", encoding="utf-8-sig", errors="surrogateescape") as lines:
        yield from ({str(name): _text(value) for name, value in row.items()} for row in csv.DictReader(lines))


def _text(value: Any) -> str:
    """Text of a cell; whole numbers that a table keeps as floats are written as such."""
    if value is None or value != value:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def _images(header: list[str]) -> dict[str, dict[str, str]]:
    """Columns of each image by its name: `file` with `folder`, or `url`; the former count where both are there."""
    found: dict[str, dict[str, str]] = {}
    for prefix in _URLS:
        for name in header:
            if name.startswith(prefix):
                found.setdefault(name[len(prefix) :], {}).setdefault("url", name)
    for prefix, of_folder in _NAMED.items():
        for name in header:
            if name.startswith(prefix):
                image = name[len(prefix) :]
                found.setdefault(image, {}).update(file=name, folder=of_folder + image)
    return found


def _file_of(row: dict[str, str], columns: dict[str, str]) -> str:
    name = row.get(columns.get("file", ""), "")
    if name:
        return os.path.join(row.get(columns["folder"], ""), name)
    return row.get(columns.get("url", ""), "")


def _place(row: dict[str, str]) -> dict[str, str]:
    told = {**_told(row, "plate"), **_told(row, "well"), **_told(row, "site")}
    if "well" in told:
        told["well"] = well_name(told["well"]) or told["well"]
    return told


def _told(row: dict[str, str], name: str) -> dict[str, str]:
    """Value of a column that a list states under CellProfiler's name or the table's own."""
    value = row.get(f"Metadata_{name.capitalize()}") or row.get(f"Image_Metadata_{name.capitalize()}") or row.get(name)
    return {name: value} if value else {}


def _task(folder: Path, named: str, told: dict[str, str]) -> ScreenTask:
    path = _local(named)
    if path is None:
        problem = f"{named.split(':')[0]} addresses are not read, only files"
        return ScreenTask(named, told, problem, listed=True)
    # Else relative paths may be those of a table that was made from the current folder.
    here = not os.path.isabs(path) and not os.path.exists(folder / path) and os.path.exists(path)
    return ScreenTask(os.path.abspath(path if here else folder / path), told, listed=True)


def _local(named: str) -> Optional[str]:
    """Path of a file that is named by a path or a file: URL; None for other addresses."""
    parts = urlsplit(named)
    if parts.scheme == "file":
        return url2pathname(parts.path)
    return None if len(parts.scheme) > 1 and "://" in named else named
