"""Results of a screen on disk, as they come: finished parts as Parquet, the part in progress as a journal.

A file's rows are on disk as soon as it is done. A journal becomes a part under another name that is then given its own,
and is deleted after that: whenever the process ends, a file has either all its rows or none, and none has them twice.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Optional

from parfocal.screen.columns import schema_of
from parfocal.screen.journal import SUFFIX, Journal, Rows, read_journal
from parfocal.screen.keys import KeySet
from parfocal.screen.task import folded_key, key_of

FILES_A_PART = 500
# Rows that are read at once.
_ROWS_AT_ONCE = 4096


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
        self._clear_begun()
        self._journal = self._next_journal()
        self.done = KeySet(key_of(file) for file in self._files())

    def folded(self) -> KeySet:
        """Keys of the files that have rows, without regard to capitals."""
        return KeySet(folded_key(file) for file in self._files())

    def parts(self) -> list[Path]:
        """Parts in their order."""
        return parts_in(self.folder)

    def add(self, rows: Rows) -> None:
        """Write the rows of a file.

        Raises
        ------
        ResultsLost
            Where they cannot be written.
        """
        try:
            self._journal.append(rows)
        except OSError as error:
            raise self._lost(error) from error
        self.done.add(key_of(rows[0]["file"]))
        if self._journal.count >= self._files_a_part:
            self.finish_part()

    def finish_part(self) -> None:
        """Make a part of the journal, if it has any rows.

        Raises
        ------
        ResultsLost
            Where it cannot be written.
        """
        self._journal.close()
        rows = [row for of_file in self._journal.files() for row in of_file]
        if rows:
            self._write_part(self._journal.path.with_suffix(".parquet"), rows)
        self._journal.path.unlink(missing_ok=True)
        self._journal = self._next_journal()

    def close(self) -> None:
        """Leave the journal as it is, for whoever goes on."""
        self._journal.close()

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

    def rows(self, columns: Optional[list[str]] = None) -> Iterator[Any]:
        """All rows of the parts as `pyarrow.RecordBatch`, some at a time; of all columns or of these."""
        for part in self.parts():
            yield from _batches(part, columns)

    def _clear_begun(self) -> None:
        """Clear away what an end at any moment leaves: half a part, a journal whose part is there."""
        for begun in self.folder.glob("part-*.begun"):
            begun.unlink()
        for journal in self.folder.glob(f"part-*{SUFFIX}"):
            if journal.with_suffix(".parquet").exists():
                journal.unlink()

    def _files(self) -> Iterator[str]:
        for batch in self.rows(["file"]):
            yield from batch.column(0).to_pylist()
        yield from (rows[0]["file"] for rows in self._journal.files())

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
        except OSError as error:
            raise self._lost(error) from error
        finally:
            begun.unlink(missing_ok=True)

    def _next_journal(self) -> Journal:
        parts = self.parts()
        number = int(parts[-1].stem.split("-")[1]) + 1 if parts else 1
        return Journal(self.folder / f"part-{number:06d}{SUFFIX}")

    def _lost(self, error: OSError) -> ResultsLost:
        reason = error.strerror or str(error)
        return ResultsLost(f"results cannot be written to {self.folder}: {reason}; mend that and go on with --resume")


def parts_in(folder: Path) -> list[Path]:
    """Parts in a folder in their order."""
    return sorted(folder.glob("part-*.parquet"))


def unfinished_rows(folder: Path) -> dict[str, Rows]:
    """Rows of the part in progress by its name, which a run may be writing, or making a part of, at this moment."""
    found = {}
    for path in folder.glob(f"part-*{SUFFIX}"):
        with suppress(FileNotFoundError):
            found[path.stem] = [row for rows in read_journal(path) for row in rows]
    return found


def _batches(part: Path, columns: Optional[list[str]] = None) -> Iterator[Any]:
    import pyarrow.parquet as parquet

    with parquet.ParquetFile(part) as table:
        yield from table.iter_batches(_ROWS_AT_ONCE, columns=columns)
