"""The table of a screen as one CSV file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import numpy as np

from parfocal.batch.plates import PlateNames, untold
from parfocal.screen.columns import FLAG, WHOLE
from parfocal.screen.counts import Counts
from parfocal.screen.results import Results, ResultsLost

if TYPE_CHECKING:
    import pyarrow as pa

# Rows that are brought into order in memory at once (some 100 MB); of more, the parts are read once for each so many.
_SORTED_AT_ONCE = 1 << 17
_WRITTEN_AT_ONCE = 1 << 12


def write_csv(results: Results, places: np.ndarray, path: Path, counts: Counts) -> None:
    """Write all rows as CSV, and count them; the file has its name when it is complete.

    Plates that nobody states are named here: what tells them apart is known when all files are.

    Parameters
    ----------
    results : Results
    places : numpy.ndarray
        Place of each row, from 0, as `RowOrder.places` gives them.
    path : Path
    counts : Counts

    Raises
    ------
    ResultsLost
        Where it cannot be written.
    """
    begun = path.with_name(f".{path.name}.begun")
    try:
        with open(begun, "w", encoding="utf-8", newline="") as file:
            file.write(",".join(results.columns) + "\n")
            _write_rows(results, places, file, counts)
        os.replace(begun, path)
    except OSError as error:
        begun.unlink(missing_ok=True)
        told = f"all rows are safe in {results.folder}, but {path} cannot be written: {error.strerror or error}"
        raise ResultsLost(f"{told}; mend that, and --resume writes it") from error


def _write_rows(results: Results, places: np.ndarray, file: TextIO, counts: Counts) -> None:
    plates = _plates(results)
    types = {WHOLE: "Int64", FLAG: "boolean"}
    columns = {name: types[kind] for name, kind in results.columns.items() if kind in types}
    for table in _in_order(results, places):
        for start in range(0, len(table), _WRITTEN_AT_ONCE):
            rows = table[start : start + _WRITTEN_AT_ONCE].to_pandas().astype(columns)
            rows["plate"] = plates.filled(rows["file"], rows["well"], rows["plate"])
            counts.add(rows)
            rows.to_csv(file, index=False, header=False)


def _plates(results: Results) -> PlateNames:
    found = (batch.to_pydict() for batch in results.rows(["file", "plate", "well"]))
    return PlateNames(file for rows in found for file in untold(rows["file"], rows["well"], rows["plate"]))


def _in_order(results: Results, places: np.ndarray) -> Iterator[pa.Table]:
    """All rows by their places, so many at a time."""
    import pyarrow as pa

    for first in range(0, len(places), _SORTED_AT_ONCE):
        found, begin = [], 0
        for batch in results.rows():
            here = places[begin : begin + len(batch)]
            begin += len(batch)
            wanted = (here >= first) & (here < first + _SORTED_AT_ONCE)
            if wanted.any():
                found.append((batch.filter(pa.array(wanted)), here[wanted]))
        order = np.argsort(np.concatenate([here for _, here in found]))
        yield pa.Table.from_batches([rows for rows, _ in found]).take(pa.array(order))
