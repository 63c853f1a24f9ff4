"""A table that grows by a row for each bead stack, so that the drift of an instrument shows."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Optional

NAN = float("nan")
# The word of a verdict that is nothing to compare with.
FAIL = "fail"


@dataclass(frozen=True)
class HistoryEntry:
    """One row of a history.

    Attributes
    ----------
    date : datetime
        When the stack was taken, or the measurement made; local time.
    instrument, stack : str
    contrast : str
        `bright_field` or `fluorescence`.
    z_origin : str
        `stage` where the positions are those of the stage, `first_plane` where z is counted from the first plane,
        `single_plane` where there is but one and z is counted from it.
    bead_diameter_um : float
    reference_focal_plane_um, interval_low_um, interval_high_um : float
        NaN without an answer.
    tilt_um_per_mm : float
    n_beads : int
    status, verdict : str
    targets : str
        Targets as they were given, `cells=+12; nuclei=+4`.
    target_z_um : str
        z of each target, um, in the same order.
    """

    date: datetime
    instrument: str
    stack: str
    contrast: str
    z_origin: str
    bead_diameter_um: float
    reference_focal_plane_um: float
    interval_low_um: float
    interval_high_um: float
    tilt_um_per_mm: float
    n_beads: int
    status: str
    verdict: str
    targets: str = ""
    target_z_um: str = ""


HEADER = tuple(field.name for field in fields(HistoryEntry))
_NUMBERS = tuple(field.name for field in fields(HistoryEntry) if field.type == "float")


def read_history(path: str | os.PathLike[str]) -> list[HistoryEntry]:
    """Read a history; no rows where there is no such file yet, or an empty one.

    Raises
    ------
    ValueError
        Where the file is another table, or a row cannot be read; the message names the line.
    OSError
        Where it cannot be read.
    """
    path = Path(path)
    if not path.exists():
        return []
    try:
        lines = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no history: it is not a text in UTF-8") from error
    if not lines:
        return []
    if tuple(lines[0]) != HEADER:
        found = ", ".join(lines[0])[:200]
        raise ValueError(f"{path} is no history: its first line must be {','.join(HEADER)}, it holds {found!r}")
    return [_entry(line, f"{path}, line {number}") for number, line in enumerate(lines[1:], 2) if line]


def append_history(path: str | os.PathLike[str], entries: Sequence[HistoryEntry]) -> None:
    """Append rows to a history, which is created where it is missing; what is there stays as it is.

    Raises
    ------
    ValueError
        As `read_history`, where the file is something else.
    OSError
        Where it cannot be written.
    """
    path = Path(path)
    read_history(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    before = path.read_bytes() if path.exists() else b""
    if not before:
        writer.writerow(HEADER)
    elif not before.endswith(b"\n"):
        text.write("\n")
    writer.writerows([_text(getattr(entry, name)) for name in HEADER] for entry in entries)
    with path.open("ab") as file:
        file.write(text.getvalue().encode())


def comparable(entries: Sequence[HistoryEntry], like: HistoryEntry) -> list[HistoryEntry]:
    """Entries of the same instrument, contrast, bead size and origin of z, by date."""
    keys = ("instrument", "contrast", "z_origin", "bead_diameter_um")
    same = [e for e in entries if all(getattr(e, key) == getattr(like, key) for key in keys)]
    return sorted(same, key=lambda entry: entry.date)


def last_entry(entries: Sequence[HistoryEntry], like: HistoryEntry) -> Optional[HistoryEntry]:
    """Last comparable entry that did not fail and is not later than `like`; None without one.

    It needs a reference focal plane and an interval: a stack that does not pass focus is nothing to compare with.
    """
    earlier = [
        entry
        for entry in comparable(entries, like)
        if entry.date <= like.date
        and entry.verdict != FAIL
        and math.isfinite(entry.reference_focal_plane_um)
        and math.isfinite(entry.interval_low_um)
    ]
    return earlier[-1] if earlier else None


def parse_date(text: str) -> datetime:
    """Read a date such as 2024-11-21 or 2024-11-21T14:30.

    Raises
    ------
    ValueError
        Where it is none.
    """
    try:
        date = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ValueError(f"a date must be like 2024-11-21 or 2024-11-21T14:30, got {text!r}") from error
    return date if date.tzinfo is None else date.astimezone().replace(tzinfo=None)


def _entry(line: list[str], where: str) -> HistoryEntry:
    if len(line) != len(HEADER):
        raise ValueError(f"{where}: a row must have {len(HEADER)} columns, it has {len(line)}")
    values: dict[str, Any] = dict(zip(HEADER, line))
    try:
        values["date"] = parse_date(values["date"])
        values.update({name: float(values[name]) if values[name].strip() else NAN for name in _NUMBERS})
        values["n_beads"] = int(values["n_beads"])
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    return HistoryEntry(**values)


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="minutes")
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.10g}"
    return str(value)
