"""The table of a screen as one CSV file."""

from __future__ import annotations

import os
from pathlib import Path

from parfocal.screen.columns import FLAG, WHOLE
from parfocal.screen.counts import Counts
from parfocal.screen.results import Results, ResultsLost


def write_csv(results: Results, path: Path, counts: Counts) -> None:
    """Write all rows as CSV, some at a time, and count them; the file has its name when it is complete.

    Raises
    ------
    ResultsLost
        Where it cannot be written.
    """
    types = {WHOLE: "Int64", FLAG: "boolean"}
    columns = {name: types[kind] for name, kind in results.columns.items() if kind in types}
    begun = path.with_name(f".{path.name}.begun")
    try:
        with open(begun, "w", encoding="utf-8", newline="") as file:
            file.write(",".join(results.columns) + "\n")
            for batch in results.rows():
                rows = batch.to_pandas().astype(columns)
                counts.add(rows)
                rows.to_csv(file, index=False, header=False)
        os.replace(begun, path)
    except OSError as error:
        begun.unlink(missing_ok=True)
        reason = error.strerror or error
        raise ResultsLost(f"{path} cannot be written: {reason}; mend that and go on with --resume") from error
