"""Labelled crops of beads: what a distance network is trained from, in memory and as a file."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Union
from zipfile import BadZipFile

import numpy as np

FILE_NAME = "crops.npz"
ARRAYS = ("crops_nyx", "distance_um", "stack_index", "pixel_size_um", "bead_diameter_um")


@dataclass(frozen=True, eq=False)
class LabelledCrops:
    """Crops with one bead in the middle of each, and the distance of the image plane from the reference focal plane.

    A file of them is an .npz with these arrays under these names; a folder holds one as `crops.npz`.

    Parameters
    ----------
    crops_nyx : ndarray
        Counts (n, y, x), square; may be wider than what a network sees, which leaves room to shift them.
    distance_um : ndarray
        Image plane minus reference focal plane (n,), um, positive above.
    stack_index : ndarray
        Which stack, or which field of view, a crop comes from (n,), whole numbers. Crops of one stack at one distance
        share exposure and light; stacks are kept whole when crops are held back for validation.
    pixel_size_um : float
        Pixel size in the sample plane, um.
    bead_diameter_um : float
        Nominal diameter of the beads, um.

    Raises
    ------
    ValueError
        Where shapes do not fit, a distance is not finite, or a length is not positive.
    """

    crops_nyx: np.ndarray
    distance_um: np.ndarray
    stack_index: np.ndarray
    pixel_size_um: float
    bead_diameter_um: float

    def __post_init__(self) -> None:
        shape, n = self.crops_nyx.shape, len(self.crops_nyx)
        if len(shape) != 3 or shape[1] != shape[2]:
            raise ValueError(f"crops_nyx must be square crops (n, y, x), got shape {shape}")
        for name in ("distance_um", "stack_index"):
            if np.shape(getattr(self, name)) != (n,):
                raise ValueError(
                    f"{name} must have one value for each of the {n} crops, got {np.shape(getattr(self, name))}"
                )
        if not np.isfinite(self.distance_um).all():
            raise ValueError(f"distance_um must be finite, {np.sum(~np.isfinite(self.distance_um))} values are not")
        if not (self.pixel_size_um > 0 and self.bead_diameter_um > 0):
            lengths = f"{self.pixel_size_um} and {self.bead_diameter_um}"
            raise ValueError(f"pixel_size_um and bead_diameter_um must be above 0, got {lengths}")

    def __len__(self) -> int:
        return len(self.crops_nyx)

    @property
    def size_px(self) -> int:
        """Width of a crop, pixels."""
        return int(self.crops_nyx.shape[1])

    def select(self, chosen: np.ndarray) -> LabelledCrops:
        """Some of the crops, by a mask or by indices."""
        arrays = {name: getattr(self, name)[chosen] for name in ("crops_nyx", "distance_um", "stack_index")}
        return replace(self, **arrays)


def middle(crops_nyx: np.ndarray, size_px: int) -> np.ndarray:
    """Cut the middle of crops (n, y, x) to a width; ValueError where they are smaller."""
    height, width = crops_nyx.shape[1:]
    if min(height, width) < size_px:
        raise ValueError(f"crops must be at least {size_px} x {size_px} px, got {height} x {width}")
    y, x = (height - size_px) // 2, (width - size_px) // 2
    return crops_nyx[:, y : y + size_px, x : x + size_px]


def split_by_stack(crops: LabelledCrops, share: float, seed: int) -> tuple[LabelledCrops, LabelledCrops]:
    """Hold back a share of the stacks, whole; of a single stack a share of its distances, which flatters the result.

    Returns
    -------
    train, held_back : LabelledCrops
    """
    rng = np.random.default_rng([seed, 20])
    unit_of = crops.stack_index
    if len(np.unique(unit_of)) < 2:
        unit_of = crops.distance_um
    units = np.unique(unit_of)
    held = rng.permutation(units)[: max(1, round(share * len(units)))]
    mask = np.isin(unit_of, held)
    return crops.select(~mask), crops.select(mask)


def write_labelled_crops(crops: LabelledCrops, folder: Union[str, os.PathLike[str]]) -> Path:
    """Write `crops.npz` into a folder.

    Raises
    ------
    FileExistsError
        Where the folder holds one already.
    """
    path = Path(folder) / FILE_NAME
    if path.exists():
        raise FileExistsError(f"{path} exists: choose another folder")
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = {name: np.asarray(getattr(crops, name)) for name in ARRAYS}
    np.savez_compressed(path, **arrays)
    return path


def read_labelled_crops(path: Union[str, os.PathLike[str]]) -> LabelledCrops:
    """Read labelled crops from an .npz, or from the `crops.npz` of a folder.

    Raises
    ------
    FileNotFoundError
        Where there is none.
    ValueError
        Where it is no such file, or what it holds does not fit together.
    """
    file = Path(path) / FILE_NAME if Path(path).is_dir() else Path(path)
    try:
        held = _arrays(file)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"no labelled crops at {file}: give an .npz or a folder with {FILE_NAME}") from error
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise ValueError(f"{file} cannot be read as an .npz of arrays: {error}") from error
    missing = [name for name in ARRAYS if name not in held]
    if missing:
        raise ValueError(f"{file} holds no labelled crops: {', '.join(missing)} missing")
    return LabelledCrops(
        held["crops_nyx"],
        held["distance_um"].astype(float),
        held["stack_index"],
        float(held["pixel_size_um"]),
        float(held["bead_diameter_um"]),
    )


def _arrays(file: Path) -> dict[str, np.ndarray]:
    """The named arrays of an .npz, those that labelled crops have."""
    loaded = np.load(file, allow_pickle=False)
    if isinstance(loaded, np.ndarray):
        raise ValueError("it holds one array without a name")
    with loaded:
        return {name: loaded[name] for name in ARRAYS if name in loaded}
