"""TIFF files of restored images, marked as such: writing them, and telling them from others."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Optional

import numpy as np

from parfocal.images.planes import as_planes
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
        Its folder is made where it does not exist.
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
        try:
            path.touch(exist_ok=False)
        except FileExistsError as error:
            raise FileExistsError(f"{path} exists already: choose another name, or have it overwritten") from error
    part = path.with_name(f"{path.name}.part")
    try:
        _write(part, image, provenance, pixel_size_um)
    except BaseException:
        for made in [part] if overwrite else [part, path]:
            made.unlink(missing_ok=True)
        raise
    part.replace(path)


def _write(path: Path, image: np.ndarray, provenance: str, pixel_size_um: Optional[float]) -> None:
    import tifffile

    _, is_stack = as_planes(image)
    coloured = image.ndim == 3 + is_stack
    about: dict[str, object] = {"axes": "Z" * is_stack + "YX" + "S" * coloured, "Description": provenance}
    if pixel_size_um is not None:
        about.update(PhysicalSizeX=pixel_size_um, PhysicalSizeXUnit="µm")
        about.update(PhysicalSizeY=pixel_size_um, PhysicalSizeYUnit="µm")
    photometric = "rgb" if coloured else "minisblack"
    tifffile.imwrite(path, image, ome=True, photometric=photometric, compression="zlib", metadata=about)


def is_marked_file(path: str | os.PathLike[str]) -> bool:
    """Say whether the description of a TIFF file marks it as restored; other files and broken ones are not marked."""
    import tifffile

    try:
        with tifffile.TiffFile(path) as tif:
            return is_marked_restored(str(tif.pages[0].description))
    except (OSError, ValueError, IndexError, AttributeError, tifffile.TiffFileError):
        return False
