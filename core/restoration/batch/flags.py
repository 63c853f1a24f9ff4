"""A table that says which images are to be restored."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from parfocal import status
from parfocal.images.metadata import ImageMetadata
from parfocal.restoration.result import PlaneRestoration

_PLACE = ("series", "time", "channel")
_TRUE, _FALSE = ("true", "1", "1.0"), ("false", "0", "0.0", "", "nan", "none", "<na>")
# Most files that an error names.
_MOST_NAMED = 5
Place = Optional[tuple[int, int, int]]


@dataclass(frozen=True)
class Flag:
    """What a table says of an image: whether it is flagged and, where it had no answer, the status and the reason."""

    flagged: bool = False
    status: str = status.OK
    reason: str = ""

    def left_alone(self, table: str) -> PlaneRestoration:
        """What is told of an image that is left alone since the table does not flag it."""
        if self.status == status.OK:
            return PlaneRestoration(reason=f"not flagged in {Path(table).name}")
        reason = self.reason or status.MEANINGS[self.status]
        return PlaneRestoration(status=self.status, reason=f"{reason} ({Path(table).name})")


@dataclass(frozen=True)
class Flags:
    """Flags of a table.

    Attributes
    ----------
    table : str
        Name of the table.
    by_file : dict
        For each file (its real path) the flags of its images by series, time and channel; None stands for all images
        of the file.
    """

    table: str
    by_file: dict[str, dict[Place, Flag]]

    def of_file(self, path: Path) -> dict[Place, Flag]:
        """Flags of the images of a file; none where the table lacks it."""
        return self.by_file.get(os.path.realpath(path), {})

    def of_image(self, path: Path, metadata: ImageMetadata) -> Flag:
        """Look up the flag of an image; one that the table lacks is not flagged."""
        flags = self.of_file(path)
        return flags.get((metadata.series, metadata.time, metadata.channel), flags.get(None, Flag()))

    def check(self, paths: Iterable[Path]) -> None:
        """Raise ValueError, with their names, where files are not in the table."""
        missing = [str(path) for path in paths if not self.of_file(path)]
        if missing:
            named = ", ".join(missing[:_MOST_NAMED]) + (", ..." if len(missing) > _MOST_NAMED else "")
            known = next(iter(self.by_file), "none")
            raise ValueError(
                f"{len(missing)} of the images' files are not in {self.table}: {named}; the table has files such as "
                f"{known}. Paths in a table count from the folder that one works in, then from that of the table"
            )


def read_flags(path: str | os.PathLike[str]) -> Flags:
    """Read a table (CSV or Parquet) with the columns `file` and `flagged`.

    With the columns `series`, `time` and `channel`, as `parfocal sort` writes them, each image of a file has a flag of
    its own, and `status` and `reason` say why there is none. Files are looked for from the current folder, then from
    that of the table. An empty flag counts as no.

    Raises
    ------
    FileNotFoundError
        Where there is no such table.
    ValueError
        Where it is no table, lacks a column, or a flag is neither true nor false.
    """
    from parfocal.report.table import read_table

    table, folder = read_table(Path(path)), Path(path).parent
    lacking = [name for name in ("file", "flagged") if name not in table]
    if lacking:
        has = ", ".join(map(str, table.columns[:8]))
        raise ValueError(f"{path} needs the columns file and flagged, it lacks {' and '.join(lacking)} (it has {has})")
    flags: dict[str, dict[Place, Flag]] = {}
    for row in table.to_dict("records"):
        places = flags.setdefault(_real_path(str(row["file"]), folder), {})
        place = _place(row)
        # Without places several rows may be of one file: it is flagged where one of them is.
        flag = _flag(row, path)
        if flag.flagged or place not in places:
            places[place] = flag
    return Flags(os.fspath(path), flags)


def _real_path(file: str, folder: Path) -> str:
    # A link to nothing is there too: its row says why it could not be read.
    return os.path.realpath(file if os.path.lexists(file) else folder / file)


def _place(row: dict[Any, Any]) -> Place:
    import pandas as pd

    numbers = [row.get(name) for name in _PLACE]
    known = [int(number) for number in numbers if number is not None and not pd.isna(number)]
    return (known[0], known[1], known[2]) if len(known) == len(_PLACE) else None


def _flag(row: dict[Any, Any], path: object) -> Flag:
    text = str(row["flagged"]).strip().lower()
    if text not in (*_TRUE, *_FALSE):
        raise ValueError(f"flagged must be true or false in {path}, got {row['flagged']!r}")
    found, reason = str(row.get("status", status.OK)), row.get("reason", "")
    known = found if found in status.MEANINGS else status.OK
    return Flag(text in _TRUE, known, reason if isinstance(reason, str) else "")
