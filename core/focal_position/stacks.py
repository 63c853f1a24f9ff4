"""Real z-stacks with a known focal plane: read from files, or handed over as arrays."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import numpy as np

from parfocal.beads.batch.positions import read_positions
from parfocal.images.metadata import UnreadableImage
from parfocal.images.open_stack import open_stacks
from parfocal.images.planes import as_planes

LISTS = ("focal_planes.json", "focal_planes.csv")


@dataclass(frozen=True, eq=False)
class LabelledStack:
    """A z-stack whose focal plane is known.

    Parameters
    ----------
    stack_zyx : array_like
        (z, y, x), or with 3 or 4 colours last; 2 planes or more.
    z_um : array_like
        Positions of the planes (z,), um, growing upwards (towards positive defocus).
    focal_z_um : float
        Position in which the sample is in focus, um.
    name : str
        For messages and tables.

    Raises
    ------
    ValueError
        Where shapes do not fit, or a position is not finite.
    """

    stack_zyx: Any
    z_um: Any
    focal_z_um: float
    name: str = "stack"

    def __post_init__(self) -> None:
        planes, is_stack = as_planes(self.stack_zyx)
        z = np.asarray(self.z_um, float)
        if not is_stack or len(planes) < 2:
            raise ValueError(f"{self.name} must be a stack of 2 planes or more, got shape {planes.shape}")
        if z.shape != (len(planes),) or not np.isfinite(z).all():
            raise ValueError(f"{self.name}: z_um must hold {len(planes)} finite positions, got {z}")
        if not np.isfinite(self.focal_z_um):
            raise ValueError(f"{self.name}: focal_z_um must be finite, got {self.focal_z_um}")
        object.__setattr__(self, "stack_zyx", planes)
        object.__setattr__(self, "z_um", z)

    @property
    def defocus_um(self) -> np.ndarray:
        """Signed distance of each plane from the focal plane (z,), um."""
        return np.asarray(self.z_um - self.focal_z_um)


def read_labelled_stacks(folder: str | os.PathLike[str], listed: Optional[str] = None) -> list[LabelledStack]:
    """Read the stacks below a folder whose focal plane is listed.

    Parameters
    ----------
    folder : path
        Holds multi-page TIFF files, each with a table `<name>_planes.csv` (column z_um) beside it unless the file
        states the positions itself.
    listed : path, optional
        JSON in the form of `models/focal_position_stacks.json`, or CSV with columns `file` and `focal_z_um`; by default
        `focal_planes.json` or `focal_planes.csv` in the folder.

    Raises
    ------
    FileNotFoundError
        Where the list or a stack is missing.
    ValueError
        Where the list cannot be used, or a stack has no positions; the message names it.
    """
    root = Path(folder)
    rows = read_list(_list_path(root, listed))
    return [read_labelled_stack(root / row["path"], row) for row in rows]


def read_list(path: Path) -> list[dict[str, Any]]:
    """Rows of a list of stacks: each with `path` and `focal_z_um` or `focal_plane`."""
    try:
        if path.suffix.lower() == ".csv":
            with path.open(newline="", encoding="utf-8-sig") as file:
                rows = [{"path": row["file"], "focal_z_um": float(row["focal_z_um"])} for row in csv.DictReader(file)]
        else:
            rows = json.loads(path.read_text(encoding="utf-8"))["stacks"]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} lists no stacks with file and focal_z_um: {error}") from error
    if not rows:
        raise ValueError(f"{path} lists no stack")
    return list(rows)


def read_labelled_stack(path: Path, about: dict[str, Any]) -> LabelledStack:
    """Read one stack; `about` holds `focal_z_um` or `focal_plane` (an index)."""
    name = str(about.get("name", path.stem))
    if not path.is_file():
        raise FileNotFoundError(f"{name}: there is no stack {path}")
    try:
        opened = open_stacks(path)  # the file is closed with it
        stack = next(opened)
        planes = np.stack(list(stack.planes))
        found = stack.z_um
    except UnreadableImage as error:
        raise ValueError(f"{name}: {path} cannot be read: {error}") from error
    table = path.with_name(f"{path.stem}_planes.csv")
    z_um: Sequence[Optional[float]] = read_positions(table).z_um if table.is_file() else found or ()
    if len(z_um) != len(planes) or any(z is None for z in z_um):
        raise ValueError(
            f"{name}: the positions of the {len(planes)} planes are not known: {table.name} must hold them"
        )
    z = np.array(z_um, float)
    if "focal_z_um" not in about and "focal_plane" not in about:
        raise ValueError(f"{name}: its focal plane must be given as focal_z_um or focal_plane")
    focal = about["focal_z_um"] if "focal_z_um" in about else np.interp(about["focal_plane"], np.arange(len(z)), z)
    return LabelledStack(planes, z, float(focal), name)


def _list_path(root: Path, listed: Optional[str]) -> Path:
    if listed is not None:
        return Path(listed)
    for name in LISTS:
        if (root / name).is_file():
            return root / name
    raise FileNotFoundError(f"{root} must hold {' or '.join(LISTS)} with the focal plane of each stack")
