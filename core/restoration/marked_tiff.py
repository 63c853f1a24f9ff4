"""TIFF files of restored images, marked as such: writing them, and telling them from others."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Optional

import numpy as np

from parfocal.images.metadata import ImageMetadata
from parfocal.images.tiff import open_tiff
from parfocal.images.writing import write_ome_tiff
from parfocal.restoration.result import is_marked_restored


def write_marked(
    path: str | os.PathLike[str],
    image: np.ndarray,
    provenance: str,
    pixel_size_um: Optional[float] = None,
    overwrite: bool = False,
) -> None:
    """Write a restored image as OME-TIFF whose description says that it was restored.

    Parameters
    ----------
    path : path
        A name that ends with `.ome.tif`; its folder is made where it does not exist.
    image : ndarray
        (y, x) or (z, y, x), or either with 3 or 4 colours last.
    provenance : str
        The `provenance` of a `Restoration`.
    pixel_size_um : float, optional
    overwrite : bool
        Replace a file that is there.

    Raises
    ------
    ValueError
        Where the provenance does not mark the image as restored.
    FileExistsError
        Where the file is there already, unless it is to be replaced.
    """
    if not is_marked_restored(provenance):
        raise ValueError(f"provenance must be that of a restored image, got {provenance!r}")
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if not overwrite:
        _claim(path)
    try:
        write_ome_tiff(path, image, ImageMetadata(pixel_size_um=pixel_size_um, description=provenance))
    except BaseException:
        if not overwrite:
            path.unlink(missing_ok=True)
        raise


def _claim(path: Path) -> None:
    """Make an empty file, so that of two processes one alone gets the name."""
    try:
        path.touch(exist_ok=False)
    except FileExistsError as error:
        raise FileExistsError(f"{path} exists already: choose another name, or have it overwritten") from error


def is_marked_file(path: str | os.PathLike[str]) -> bool:
    """Say whether a TIFF file marks an image in it as restored; other files and broken ones are not marked."""
    try:
        with open_tiff(Path(path)) as images:
            return any(is_marked_restored(image.metadata.description) for image in images)
    except Exception:  # whatever the reader stumbles over in a file that is no sound TIFF
        return False
