"""The part of the results that is in progress: one line for each file, with all its rows."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Optional

Rows = list[dict[str, Any]]
SUFFIX = ".jsonl"
# A journal is brought from the system's memory to the disk at least so often: after a power cut no more is missing.
_SYNC_S = 1.0


class Journal:
    """A file that grows by a line as soon as a file of the screen is done.

    Parameters
    ----------
    path : Path
        Made with the first line; of one that an earlier run has left, half a line at its end is cut off.

    Attributes
    ----------
    count : int
        Number of lines.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.count = path, 0
        self._file: Optional[IO[bytes]] = None
        self._synced = 0.0
        if path.exists():
            lengths = [len(line) for line in _whole_lines(path)]
            self.count = len(lengths)
            os.truncate(path, sum(lengths))

    def append(self, rows: Rows) -> None:
        """Write a line; OSError where that cannot be done."""
        line = json.dumps(rows, allow_nan=False).encode() + b"\n"
        self._file = self._file or open(self.path, "ab")  # noqa: SIM115
        self._file.write(line)
        self._file.flush()
        if time.monotonic() - self._synced > _SYNC_S:
            os.fsync(self._file.fileno())
            self._synced = time.monotonic()
        self.count += 1

    def files(self) -> Iterator[Rows]:
        """Rows of each file."""
        return read_journal(self.path) if self.count else iter(())

    def close(self) -> None:
        """Leave it as it is."""
        if self._file is not None:
            # What did not fit on the disk would be tried once more: a torn line is cut off when the run goes on.
            with suppress(OSError):
                self._file.close()
            self._file = None


def read_journal(path: Path) -> Iterator[Rows]:
    """Rows of each file in a journal, which a run may be writing."""
    return (json.loads(line) for line in _whole_lines(path))


def _whole_lines(path: Path) -> Iterator[bytes]:
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
