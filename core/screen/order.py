"""The order of the rows of a screen, which does not depend on what was done first."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator

import numpy as np

from parfocal.screen.results import Results
from parfocal.screen.task import ScreenTask, key_of


class RowOrder:
    """Files that lists name come first, as the lists have them, and then the others by name."""

    def __init__(self) -> None:
        self._listed = array("Q")

    def noted(self, tasks: Iterable[ScreenTask]) -> Iterator[ScreenTask]:
        """Give tasks as they come, and keep the order of those that lists name: 8 bytes for each."""
        for task in tasks:
            if task.listed:
                self._listed.append(task.key)
            yield task

    def places(self, results: Results) -> np.ndarray:
        """Place in the table of each row of the parts: (n,) int64, from 0; images of a file stay as they are."""
        import pyarrow as pa

        files = [batch.column(0) for batch in results.rows(["file"])]
        named = pa.chunked_array(files, pa.string())
        keys = {"rank": pa.array(self._ranks(named)), "file": named, "row": pa.array(np.arange(len(named)))}
        order = pa.table(keys).sort_by([(name, "ascending") for name in keys])["row"].to_numpy()
        places = np.empty(len(order), np.int64)
        places[order] = np.arange(len(order))
        return places

    def _ranks(self, files: Iterable[object]) -> np.ndarray:
        """Place of each file in the lists; all those that no list names have the same, behind them."""
        listed = np.frombuffer(self._listed, np.uint64)
        if not len(listed):
            return np.zeros(len(files), np.int64)  # type: ignore[arg-type]
        by_key = np.argsort(listed, kind="stable")
        keys = np.fromiter((key_of(str(file)) for file in files), np.uint64)
        found = by_key[np.minimum(np.searchsorted(listed, keys, sorter=by_key), len(listed) - 1)]
        return np.where(listed[found] == keys, found, len(listed))
