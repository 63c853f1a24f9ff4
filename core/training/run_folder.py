"""The folder of a training run: claimed before it begins, known again when it goes on, and what every run leaves."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Optional

RECORD = "training.json"
# Lists of images that are refused, by kind of training; `refused_line` tells of them.
REFUSED = ("refused.csv", "refused.txt")


def claim_run_folder(output: Path, settings: Any, resume: Optional[bool], own: Optional[Path] = None) -> None:
    """Make the folder of a run and write its settings into it, where nothing of another run is lost.

    Parameters
    ----------
    output : Path
        Folder, which must be empty or not exist yet, unless the run in it is to go on; what a run leaves that failed
        before its first step counts as nothing.
    settings : dataclass
        Of the run; it has an `architecture`.
    resume : bool or None
        Go on with the run that the folder holds; None where this kind of training cannot go on.
    own : Path, optional
        What may lie in the folder all the same: what is trained from.

    Raises
    ------
    FileExistsError
        Where the folder holds something else, or no run to go on with.
    ValueError
        Where the run in it is of another architecture.
    """
    record = output / RECORD
    begun_there = output.exists() and _holds_more_than(own, output)
    if begun_there and not resume:
        other = "" if resume is None else ", or resume the run in it"
        raise FileExistsError(f"{output} is not empty: choose another output folder{other}")
    if begun_there:
        if not record.exists():
            raise FileExistsError(f"{output} holds no training run to resume: {record.name} is missing")
        begun = json.loads(record.read_text())["architecture"]
        if begun != settings.architecture:
            raise ValueError(f"config must be that of the run in {output}, {begun!r}, got {settings.architecture!r}")
    elif _is_record(record):
        # Lists of the run that failed here would pass for those of the one that begins.
        for name in REFUSED:
            (output / name).unlink(missing_ok=True)
    output.mkdir(parents=True, exist_ok=True)
    record.write_text(json.dumps(asdict(settings), indent=2) + "\n")


def write_log(path: Path, rows: Sequence[dict[str, float]]) -> None:
    """Write the validations of a run as CSV; the first row names the columns."""
    with path.open("w", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def file_digest(path: Path) -> str:
    """SHA-256 of a file, as `config.json` states it."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def refused_line(folder: Path) -> str:
    """Say how many images a run has refused, and where they are listed; empty where there is none."""
    for name in REFUSED:
        listed = folder / name
        text = listed.read_text().strip() if listed.is_file() else ""
        count = len(text.splitlines()) - name.endswith(".csv")
        if text and count:
            return f"{count} {'image' if count == 1 else 'images'} refused, with the reasons: {listed}"
    return ""


def _holds_more_than(own: Optional[Path], output: Path) -> bool:
    known = set() if own is None else {own.resolve(), *own.resolve().parents}
    if _is_record(output / RECORD):
        known |= {(output / name).resolve() for name in (RECORD, *REFUSED)}
    return any(path.resolve() not in known for path in output.iterdir())


def _is_record(path: Path) -> bool:
    """Whether a run has written this file, and not a person one of the same name."""
    try:
        return "architecture" in json.loads(path.read_text())
    except (OSError, ValueError, TypeError):
        return False
