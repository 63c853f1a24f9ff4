"""Real z-stacks and what is known of their focus."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import numpy as np

from parfocal.focus_quality.network import N_LEVELS
from parfocal.focus_quality.scale import ModelScale
from parfocal.images.planes import as_planes
from parfocal.optics.optics import Optics

DOMAINS = {
    "widefield": "widefield fluorescence: the level is absolute",
    "rank": "confocal and light sheet: the level is a rank",
    "outside": "outside the domain: measured as if it were widefield fluorescence",
}


@dataclass(frozen=True)
class RealStack:
    """A real z-stack and what is known of its focus.

    Attributes
    ----------
    name, kind, truth : str
        For the tables; `truth` says who knows the focal plane.
    domain : str
        One of `DOMAINS`.
    modality : str
        As `measure_image_focus` takes it.
    stack_zyx : ndarray
        (z, y, x).
    z_um : ndarray
        (z,) positions, NaN where they are not known.
    focal_planes : tuple of float, optional
        First and last index in focus; None where no single plane is.
    focal_z_um : tuple of float, optional
        The same as positions, instead of the indices.
    optics : Optics, optional
    """

    name: str
    kind: str
    truth: str
    domain: str
    modality: str
    stack_zyx: np.ndarray
    z_um: np.ndarray
    focal_planes: Optional[tuple[float, float]] = None
    focal_z_um: Optional[tuple[float, float]] = None
    optics: Optional[Optics] = None

    @property
    def focal_range(self) -> Optional[tuple[float, float]]:
        """First and last index in focus, also where the source gives positions; None where no single plane is."""
        if self.focal_z_um is None:
            return self.focal_planes
        middle = np.interp(self.focal_z_um, self.z_um, np.arange(len(self.z_um)))
        return float(middle[0]), float(middle[1])

    def distance_planes(self) -> np.ndarray:
        """Distance of each plane from the focal range, in planes; NaN where no single plane is in focus."""
        return _outside(np.arange(len(self.stack_zyx), dtype=float), self.focal_range)

    def distance_um(self) -> np.ndarray:
        """Distance of each plane from the focal range, um; NaN where positions or focus are not known."""
        if self.focal_range is None:
            return np.full(len(self.z_um), np.nan)
        ends = np.interp(self.focal_range, np.arange(len(self.z_um)), self.z_um)
        return _outside(self.z_um, (float(ends[0]), float(ends[1])))

    def offset_um(self) -> np.ndarray:
        """Signed distance of each plane from the middle of the focal range, um; NaN where it is not known."""
        if self.focal_range is None:
            return np.full(len(self.z_um), np.nan)
        middle = np.mean(np.interp(self.focal_range, np.arange(len(self.z_um)), self.z_um))
        return np.asarray(self.z_um - middle)

    @property
    def um_per_level(self) -> float:
        """Depth of field that one level stands for, by the optics; NaN where they are not known."""
        return ModelScale.of(self.optics).defocus_distance_um(1.0)

    def expected_levels(self) -> np.ndarray:
        """Level of each plane by geometry, at most 10; NaN where the optics are not known."""
        scaled = ModelScale.of(self.optics).optics
        if scaled is None:
            return np.full(len(self.z_um), np.nan)
        return np.array([min(scaled.um_to_level(z), N_LEVELS - 1.0) for z in self.distance_um()])


def find_stacks(
    folder: str | os.PathLike[str], stacks: str | os.PathLike[str]
) -> tuple[list[dict[str, Any]], list[str]]:
    """List the stacks of a JSON file that lie below a folder, and the names of those that do not.

    Raises
    ------
    ValueError
        Where the file is no list of stacks, or an entry has an unknown domain.
    """
    try:
        entries = json.loads(Path(stacks).read_text())["stacks"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{stacks} must hold JSON with a list 'stacks': {error!r}") from error
    for entry in entries:
        if entry.get("domain") not in DOMAINS:
            raise ValueError(f"{stacks}: domain must be one of {sorted(DOMAINS)}, got {entry.get('domain')!r}")
    here = [entry for entry in entries if all((Path(folder) / name).is_file() for name in _files(entry))]
    return here, [entry["name"] for entry in entries if entry not in here]


def read_stack(folder: str | os.PathLike[str], entry: dict[str, Any]) -> RealStack:
    """Read the planes of one entry of the JSON file; of colours the mean is taken."""
    pixels, z_um = _read_planes(Path(folder), entry)
    stack = as_planes(pixels)[0]
    if len(z_um) != len(stack):
        raise ValueError(f"{entry['name']}: {len(stack)} planes, but {len(z_um)} positions in the table beside it")
    return RealStack(
        name=entry["name"],
        kind=entry["kind"],
        truth=entry["truth"],
        domain=entry["domain"],
        modality=entry.get("modality", "widefield_fluorescence"),
        stack_zyx=stack,
        z_um=z_um,
        focal_planes=entry.get("focal_planes") and tuple(entry["focal_planes"]),
        focal_z_um=entry.get("focal_z_um") and tuple(entry["focal_z_um"]),
        optics=Optics(**entry["optics"]) if "optics" in entry else None,
    )


def _outside(values: np.ndarray, span: Optional[tuple[float, float]]) -> np.ndarray:
    if span is None:
        return np.full(len(values), np.nan)
    return np.maximum(0.0, np.maximum(span[0] - values, values - span[1]))


def _files(entry: dict[str, Any]) -> list[str]:
    return [entry["path"]] if "path" in entry else [name for name, _ in entry["planes"]]


def _read_planes(folder: Path, entry: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    if "path" in entry:
        import tifffile

        path = folder / entry["path"]
        pixels = tifffile.imread(path)
        return pixels, _positions(path.with_name(f"{path.stem}_planes.csv"), len(pixels))
    import imageio.v3 as iio

    z_um = np.array([np.nan if z is None else z for _, z in entry["planes"]], float)
    return np.stack([iio.imread(folder / name) for name in _files(entry)]), z_um


def _positions(table: Path, count: int) -> np.ndarray:
    """Positions in um from the table beside a stack; NaN where it or its values are missing."""
    import pandas as pd

    if not table.is_file():
        return np.full(count, np.nan)
    return pd.read_csv(table)["z_um"].to_numpy(float)
