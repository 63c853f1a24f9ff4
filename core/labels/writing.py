"""Adding answers to the table of labels, so that nothing is lost when the program ends suddenly."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

from parfocal.labels.rows import COLUMNS, LabelRow
from parfocal.labels.table import is_cut_off, read_labels


class LabelWriter:
    """A table of labels that rows are added to; what is in it stays as it is.

    The file is made with the first row. A row counts as written once it is on the disk. The rest of a write that was
    cut off is removed before the first row is added: it never counted.

    Raises
    ------
    PermissionError
        Where the folder cannot be written to.
    ValueError
        Where the table is damaged, or lacks columns.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._names = list(COLUMNS)
        if path.exists():
            self.rows = read_labels(path)
            self._names = _columns_of(path)
        else:
            self.rows = ()
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise PermissionError(f"{path} cannot be written: give another table with --labels")
        self._end_is_whole = False

    def add(self, row: LabelRow) -> None:
        """Write a row; it is on the disk when this returns."""
        line = io.StringIO()
        plane = "" if row.plane is None else row.plane
        values = {**vars(row), "plane": plane, "field": ""}
        csv.writer(line, lineterminator="\n").writerow(values.get(name, "") for name in self._names)
        self._mend_end()
        with self.path.open("ab") as out:
            out.write(line.getvalue().encode("utf-8"))
            out.flush()
            os.fsync(out.fileno())
        self.rows = (*self.rows, row)

    def _mend_end(self) -> None:
        """Begin the table, or bring its end to the end of a line."""
        if not self.path.exists():
            self.path.write_text(",".join(self._names) + "\n", encoding="utf-8")
        elif not self._end_is_whole:
            text = self.path.read_bytes()
            if is_cut_off(self.path):
                os.truncate(self.path, text.rfind(b"\n") + 1)
            elif not text.endswith(b"\n"):
                with self.path.open("ab") as out:
                    out.write(b"\n")
        self._end_is_whole = True


def _columns_of(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        names = [name.strip() for name in next(csv.reader(lines))]
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise ValueError(
            f"{path} cannot be added to, it lacks the columns {', '.join(missing)}: add them, or give another table "
            "with --labels"
        )
    return names
