"""z of the planes of a stack: from the user's table, the user's step, or what the files say."""

from __future__ import annotations

import csv
import math
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import numpy as np

from parfocal.images.open_stack import OpenStack

STAGE, FIRST_PLANE, SINGLE_PLANE = "stage", "first_plane", "single_plane"


@dataclass(frozen=True)
class PositionTable:
    """Positions from a CSV file.

    Attributes
    ----------
    path : Path
    z_um : tuple of float
        Of the planes in their order, um.
    files : tuple of str
        File of each plane, where the table has a column `file`; else empty.
    """

    path: Path
    z_um: tuple[float, ...]
    files: tuple[str, ...] = ()


def read_positions(path: str | os.PathLike[str]) -> PositionTable:
    """Read a CSV file with a column `z_um`, a row for each plane, and perhaps a column `file`.

    Raises
    ------
    ValueError
        Where there is no such column, no row, or a position that is no number; the message names the line.
    OSError
        Where the file cannot be read.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"there is no table of positions {path}")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            rows, columns = list(reader), reader.fieldnames or []
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} is no CSV file in UTF-8: {error}") from error
    if "z_um" not in columns or not rows:
        raise ValueError(f"{path} must have a column z_um and a row for each plane, it has {', '.join(columns)!r}")
    for number, row in enumerate(rows, 2):
        if None in row:
            raise ValueError(
                f"{path}, line {number}: has more columns than the first line: give numbers with a decimal point, 0.75"
            )
    z_um = tuple(_position(row["z_um"], f"{path}, line {number}") for number, row in enumerate(rows, 2))
    files = tuple(Path(row["file"] or "").name for row in rows) if "file" in columns else ()
    if len(set(files)) < len(files):
        raise ValueError(f"{path} names the file {Counter(files).most_common(1)[0][0]!r} more than once")
    return PositionTable(path, z_um, files)


def positions_of(
    stack: OpenStack, table: Optional[PositionTable], z_step_um: Optional[float]
) -> tuple[np.ndarray, list[str], str]:
    """Find the position of each plane.

    Parameters
    ----------
    stack : OpenStack
    table : PositionTable, optional
        Of the user; counts before all else.
    z_step_um : float, optional
        Of the user; counts before what the files say.

    Returns
    -------
    z_um : ndarray
        (n,) um, NaN where there is none.
    reasons : list of str
        Those of the stack, with those of planes that have no position.
    origin : str
        `stage`, `first_plane`, or `single_plane`, whose z is 0 where nothing is said.

    Raises
    ------
    ValueError
        Where the table does not fit the stack, or nothing is known of the positions.
    """
    count = len(stack.planes)
    step = stack.metadata.z_step_um if z_step_um is None else z_step_um
    if table is not None:
        z_um, missing = _from_table(stack, table), f"{table.path.name} has no row for it"
    elif z_step_um is None and stack.z_um is not None:
        z_um = np.array([math.nan if z is None else z for z in stack.z_um])
        missing = "its file states no position"
    elif count == 1:
        return np.zeros(1), list(stack.reasons), SINGLE_PLANE
    elif step is not None:
        return step * np.arange(count, dtype=float), list(stack.reasons), FIRST_PLANE
    else:
        raise ValueError("the positions of the planes are not known: give the z step or a table with a column z_um")
    reasons = [reason or (missing if math.isnan(z) else "") for reason, z in zip(stack.reasons, z_um)]
    return z_um, reasons, STAGE


def _from_table(stack: OpenStack, table: PositionTable) -> np.ndarray:
    if table.files and any(stack.names):
        known = dict(zip(table.files, table.z_um))
        return np.array([known.get(name, math.nan) for name in stack.names])
    if len(table.z_um) != len(stack.planes):
        raise ValueError(f"{table.path} has {len(table.z_um)} rows, the stack has {len(stack.planes)} planes")
    return np.array(table.z_um)


def _position(text: Optional[str], where: str) -> float:
    try:
        z_um = float(text or "")
    except ValueError as error:
        raise ValueError(f"{where}: z_um must be a number, got {text!r}") from error
    if not math.isfinite(z_um):
        raise ValueError(f"{where}: z_um must be finite, got {text!r}")
    return z_um
