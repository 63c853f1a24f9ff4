"""The log: every decision a row, written as it is taken."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional, Union

from parfocal.focus_control.settings import HoldFocus

if TYPE_CHECKING:
    import pandas as pd

LOOK, SWEEP, END = "look", "sweep", "end"
TEXTS = ("kind", "state", "status", "candidates", "decision", "reason", "fault")
NUMBERS = (
    *("time_s", "z_before_um", "setpoint_um", "defocus_um", "deviation_um", "certainty", "sharpness", "mean"),
    *(
        "contrast",
        "noise",
        "height_px",
        "width_px",
        "focal_plane_z_um",
        "focal_plane_deviation_um",
        "drift_um_h",
        "error_um",
    ),
    *("target_um", "z_after_um", "reached", "found_um", "score", "done_s"),
)
COLUMNS = (
    *("time_s", "kind", "state", "z_before_um", "setpoint_um", "status", "defocus_um", "deviation_um", "certainty"),
    *("candidates", "sharpness", "mean", "contrast", "noise", "height_px", "width_px", "focal_plane_z_um"),
    *("focal_plane_deviation_um", "drift_um_h", "error_um", "decision", "target_um", "z_after_um", "reached"),
    *("found_um", "score", "done_s", "reason", "fault"),
)
Row = dict[str, Any]


@dataclass(frozen=True)
class FocusLog:
    """A log that was read back.

    Attributes
    ----------
    settings : HoldFocus
    limits_um : tuple of float
    start_s, start_z_um : float
        When the session began, and where the focus device was.
    by_offset : bool
        Whether all positions are offsets of a hardware autofocus.
    rows : tuple of dict
        One for each look, each plane of a sweep and the end, with the columns `COLUMNS`.
    """

    settings: HoldFocus
    limits_um: tuple[float, float]
    start_s: float
    start_z_um: float
    rows: tuple[Row, ...] = field(repr=False)
    by_offset: bool = False

    def table(self) -> pd.DataFrame:
        """The rows as a table."""
        import pandas as pd

        return pd.DataFrame(list(self.rows), columns=list(COLUMNS))


class LogWriter:
    """Writes rows to a CSV as they come, and what they rest on to a JSON beside it.

    Parameters
    ----------
    path : str or Path, optional
        CSV to write; without one the rows are only kept.
    settings, limits_um, start_s, start_z_um, by_offset
        As in `FocusLog`.

    Raises
    ------
    FileExistsError
        Where there is such a file.
    """

    def __init__(
        self,
        path: Optional[Union[str, Path]],
        settings: HoldFocus,
        limits_um: tuple[float, float],
        start_s: float,
        start_z_um: float,
        by_offset: bool = False,
    ) -> None:
        self.path = None if path is None else Path(path)
        self.settings, self.limits_um, self.start_s, self.start_z_um = settings, limits_um, start_s, start_z_um
        self.by_offset = by_offset
        self.rows: list[Row] = []
        if self.path is not None:
            check_new(self.path)
            self.path.parent.mkdir(parents=True, exist_ok=True)
            settings_file(self.path).write_text(json.dumps(self._head(), indent=2) + "\n", encoding="utf-8")
            self._append([COLUMNS])

    def write(self, row: Row) -> None:
        """Add a row; what it does not name stays empty."""
        full = {name: row.get(name, "" if name in TEXTS else math.nan) for name in COLUMNS}
        self.rows.append(full)
        if self.path is not None:
            self._append([[_cell(full[name]) for name in COLUMNS]])

    def finished(self) -> FocusLog:
        """What was written so far."""
        return FocusLog(self.settings, self.limits_um, self.start_s, self.start_z_um, tuple(self.rows), self.by_offset)

    def _head(self) -> dict[str, Any]:
        limits = [None if math.isinf(limit) else limit for limit in self.limits_um]
        start = {"start_s": self.start_s, "start_z_um": self.start_z_um, "by_offset": self.by_offset}
        return {"settings": self.settings.as_dict(), "limits_um": limits, **start}

    def _append(self, lines: Iterable[Sequence[Any]]) -> None:
        """Open, add and close: what was decided is on the disk, whatever happens next."""
        assert self.path is not None
        with self.path.open("a", newline="", encoding="utf-8") as out:
            csv.writer(out).writerows(lines)


def check_new(path: Union[str, Path]) -> None:
    """Raise FileExistsError where there is such a file: a log overwrites nothing."""
    if Path(path).exists():
        raise FileExistsError(f"{path} exists: choose another file for the log")


def settings_file(path: Union[str, Path]) -> Path:
    """File beside a log that holds the settings and the start."""
    return Path(path).with_suffix(".settings.json")


def read_log(path: Union[str, Path]) -> FocusLog:
    """Read a log back, CSV or Parquet.

    Raises
    ------
    FileNotFoundError
        Where the log, or the settings beside it, is missing.
    ValueError
        Where it is no log.
    """
    path = Path(path)
    beside = settings_file(path)
    for file in (path, beside):
        if not file.is_file():
            raise FileNotFoundError(f"no such file: {file}")
    rows = _read_parquet(path) if path.suffix.lower() == ".parquet" else _read_csv(path)
    head = json.loads(beside.read_text(encoding="utf-8"))
    low, high = head["limits_um"]
    limits = (-math.inf if low is None else low, math.inf if high is None else high)
    settings, by_offset = HoldFocus.from_dict(head["settings"]), head.get("by_offset", False)
    return FocusLog(settings, limits, head["start_s"], head["start_z_um"], rows, by_offset)


def write_parquet(log: FocusLog, path: Union[str, Path]) -> None:
    """Write a log as Parquet, with the settings beside it (FileExistsError where there is such a file)."""
    path = Path(path)
    check_new(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    log.table().to_parquet(path, index=False)
    writer = LogWriter(None, log.settings, log.limits_um, log.start_s, log.start_z_um, log.by_offset)
    settings_file(path).write_text(json.dumps(writer._head(), indent=2) + "\n", encoding="utf-8")


def _read_csv(path: Path) -> tuple[Row, ...]:
    with path.open(newline="", encoding="utf-8") as lines:
        reader = csv.DictReader(lines)
        missing = set(COLUMNS) - set(reader.fieldnames or ())
        if missing:
            raise ValueError(f"{path} is no log of holding focus: it lacks the columns {', '.join(sorted(missing))}")
        # A process that was cut off may leave half a line at the end.
        whole = [line for line in reader if None not in line.values()]
    return tuple({n: line[n] if n in TEXTS else _number(line[n]) for n in COLUMNS} for line in whole)


def _read_parquet(path: Path) -> tuple[Row, ...]:
    import pandas as pd

    table = pd.read_parquet(path)
    return tuple({str(name): value for name, value in row.items()} for row in table.to_dict("records"))


def _cell(value: Any) -> Any:
    """Numbers with all their digits, so that a replay is exact; nothing for NaN."""
    if isinstance(value, str):
        return value
    return "" if math.isnan(value) else repr(float(value)) if isinstance(value, float) else int(value)


def _number(text: str) -> float:
    return float(text) if text else math.nan
