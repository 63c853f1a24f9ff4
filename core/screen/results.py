"""Results of a screen on disk, as they come: finished parts as Parquet, the part in progress as a journal.

A journal has one line for each file, with all its rows, which is on disk as soon as the file is done. It becomes a part
under another name that is then given its own, and is deleted after that: whenever the process ends, a file has either
all its rows or none, and no file has them twice.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Optional

from parfocal.screen.columns import schema_of
from parfocal.screen.keys import KeySet
from parfocal.screen.task import folded_key, key_of

Rows = list[dict[str, Any]]
FILES_A_PART = 500
# Rows that are read or written at once.
_ROWS_AT_ONCE = 4096
# A journal is brought from the system's memory to the disk at least so often: after a power cut no more is missing.
_SYNC_S = 1.0


class ResultsLost(OSError):
    """Results that cannot be written; what is written already stays, and the run can be gone on with."""


class Results:
    """Parts and journal in a folder; one process at a time may have it open.

    Parameters
    ----------
    folder : Path
        Made where it does not exist.
    columns : dict
        Names and types of the columns, the same for all parts.
    files_a_part : int
        Number of files after which a journal becomes a part.

    Attributes
    ----------
    done : KeySet
        Keys of the files that have rows.
    """

    def __init__(self, folder: Path, columns: dict[str, str], files_a_part: int = FILES_A_PART) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.columns, self._files_a_part = folder, columns, files_a_part
        self._journal: Optional[IO[bytes]] = None
        self._in_journal, self._synced = 0, 0.0
        self._recover()
        self.done = KeySet(key_of(file) for file in self._files())

    def folded(self) -> KeySet:
        """Keys of the files that have rows, without regard to capitals."""
        return KeySet(folded_key(file) for file in self._files())

    def parts(self) -> list[Path]:
        """Parts in their order."""
        return sorted(self.folder.glob("part-*.parquet"))

    def add(self, rows: Rows) -> None:
        """Write the rows of a file.

        Raises
        ------
        ResultsLost
            Where they cannot be written.
        """
        line = json.dumps(rows, allow_nan=False).encode() + b"\n"
        try:
            self._journal = self._journal or open(self._journal_path(self._next()), "ab")  # noqa: SIM115
            self._journal.write(line)
            self._journal.flush()
            if time.monotonic() - self._synced > _SYNC_S:
                os.fsync(self._journal.fileno())
                self._synced = time.monotonic()
        except OSError as error:
            raise self._lost(error) from error
        self.done.add(key_of(rows[0]["file"]))
        self._in_journal += 1
        if self._in_journal >= self._files_a_part:
            self.finish_part()

    def finish_part(self) -> None:
        """Make a part of the journal, if it has any rows."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None
        number = self._next()
        path = self._journal_path(number)
        if not path.exists():
            return
        rows = [row for line in _whole_lines(path) for row in line]
        try:
            self._write_part(self._part_path(number), rows)
            path.unlink()
        except OSError as error:
            raise self._lost(error) from error
        self._in_journal = 0

    def close(self) -> None:
        """Leave the journal as it is, for whoever goes on."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def drop(self, unwanted: Any) -> int:
        """Take the rows of files away of which any row is unwanted: they count as not done; the number of files."""
        self.finish_part()
        count = 0
        for part in self.parts():
            rows = [row for batch in _batches(part) for row in batch.to_pylist()]
            files = {row["file"] for row in rows if unwanted(row)}
            if files:
                self._write_part(part, [row for row in rows if row["file"] not in files])
                count += len(files)
        if count:
            self.done = KeySet(key_of(file) for file in self._files())
        return count

    def rows(self) -> Iterator[Any]:
        """All rows of the parts as `pyarrow.RecordBatch`, some at a time."""
        for part in self.parts():
            yield from _batches(part)

    def _recover(self) -> None:
        """Clear away what an end at any moment leaves: half a part, a journal whose part is there, half a line."""
        for begun in self.folder.glob("part-*.begun"):
            begun.unlink()
        for journal in self.folder.glob("part-*.jsonl"):
            if journal.with_suffix(".parquet").exists():
                journal.unlink()
            else:
                size = sum(len(line) for line in _whole_lines_raw(journal))
                os.truncate(journal, size)
        path = self._journal_path(self._next())
        self._in_journal = sum(1 for _ in _whole_lines_raw(path)) if path.exists() else 0

    def _files(self) -> Iterator[str]:
        for part in self.parts():
            for batch in _batches(part, ["file"]):
                yield from batch.column(0).to_pylist()
        path = self._journal_path(self._next())
        if path.exists():
            yield from (rows[0]["file"] for rows in _whole_lines(path))

    def _write_part(self, path: Path, rows: Rows) -> None:
        import pyarrow as pa
        import pyarrow.parquet as parquet

        begun = path.with_suffix(".begun")
        try:
            with open(begun, "wb") as file:
                parquet.write_table(pa.Table.from_pylist(rows, schema_of(self.columns)), file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(begun, path)
        finally:
            begun.unlink(missing_ok=True)

    def _next(self) -> int:
        """Number of the part in progress."""
        parts = self.parts()
        return int(parts[-1].stem.split("-")[1]) + 1 if parts else 1

    def _part_path(self, number: int) -> Path:
        return self.folder / f"part-{number:06d}.parquet"

    def _journal_path(self, number: int) -> Path:
        return self.folder / f"part-{number:06d}.jsonl"

    def _lost(self, error: OSError) -> ResultsLost:
        reason = error.strerror or str(error)
        return ResultsLost(f"results cannot be written to {self.folder}: {reason}; mend that and go on with --resume")


def unfinished_rows(folder: Path) -> Rows:
    """Rows of the part in progress, which a run may be writing at this moment; none where there is no such part."""
    journals = [path for path in sorted(folder.glob("part-*.jsonl")) if not path.with_suffix(".parquet").exists()]
    return [row for path in journals for line in _whole_lines(path) for row in line]


def _batches(part: Path, columns: Optional[list[str]] = None) -> Iterator[Any]:
    import pyarrow.parquet as parquet

    with parquet.ParquetFile(part) as table:
        yield from table.iter_batches(_ROWS_AT_ONCE, columns=columns)


def _whole_lines(path: Path) -> Iterator[Rows]:
    return (json.loads(line) for line in _whole_lines_raw(path))


def _whole_lines_raw(path: Path) -> Iterator[bytes]:
    """Lines of a journal up to the first that is torn, or that a power cut has damaged."""
    with open(path, "rb") as lines:
        for line in lines:
            try:
                whole = line.endswith(b"\n") and isinstance(json.loads(line), list)
            except ValueError:
                whole = False
            if not whole:
                return
            yield line
