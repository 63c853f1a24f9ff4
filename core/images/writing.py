"""Images written as OME-TIFF."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any
from xml.sax.saxutils import unescape

import numpy as np

from parfocal.images.metadata import ImageMetadata

_TYPES = ("uint8", "uint16", "uint32", "int8", "int16", "int32", "float32", "float64")
# Characters that XML cannot hold; descriptions of TIFF files may.
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def write_ome_tiff(path: Path, pixels: np.ndarray, metadata: ImageMetadata) -> None:
    """Write an image as OME-TIFF in its own type, compressed without loss.

    The file appears under its name when it is complete; a link of that name is replaced, not followed.

    Parameters
    ----------
    path : Path
        A name that ends with `.ome.tif`; its folder is made where it does not exist.
    pixels : ndarray
        (y, x) or (z, y, x), with 3 or 4 colours last.
    metadata : ImageMetadata
        Pixel size, z step, wavelength, names and description are written.

    Raises
    ------
    TypeError
        Where OME-TIFF has no such type.
    """
    import tifffile

    if pixels.dtype.name not in _TYPES:
        raise TypeError(f"OME-TIFF holds {', '.join(_TYPES)}, the image is {pixels.dtype.name}")
    coloured = pixels.ndim > 2 and pixels.shape[-1] in (3, 4)
    about = _about(metadata, "ZYXS"[4 - pixels.ndim :] if coloured else "ZYX"[3 - pixels.ndim :])
    path.parent.mkdir(parents=True, exist_ok=True)
    begun = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        tifffile.imwrite(
            begun, pixels, ome=True, photometric="rgb" if coloured else "minisblack", metadata=about, compression="zlib"
        )
        os.replace(begun, path)
    finally:
        begun.unlink(missing_ok=True)


def _about(metadata: ImageMetadata, axes: str) -> dict[str, Any]:
    """Metadata as tifffile takes them; what is not known is left out."""
    channel = {"Name": _name(metadata.channel_name), "EmissionWavelength": metadata.emission_wavelength_um}
    about: dict[str, Any] = {
        "axes": axes,
        "Name": _name(metadata.series_name),
        "Description": _text(metadata.description),
        "PhysicalSizeX": metadata.pixel_size_um,
        "PhysicalSizeY": metadata.pixel_size_um,
        "PhysicalSizeZ": metadata.z_step_um,
    }
    named = {name: [value] for name, value in channel.items() if value}
    if "EmissionWavelength" in named:
        named["EmissionWavelengthUnit"] = ["\u00b5m"]
    return {name: value for name, value in {**about, "Channel": named}.items() if value}


def _text(text: str) -> str:
    """Text without characters that XML cannot hold, and without entities: some releases of tifffile pass them on."""
    text = _NOT_IN_XML.sub(" ", text)
    while unescape(text) != text:
        text = unescape(text)
    return text


def _name(text: str) -> str:
    """Text for an attribute, which older releases of tifffile end at a quotation mark."""
    return _text(text).replace('"', "'")
