"""What the text that ImageJ shows as an image's info says of the optics: OME-XML, or properties by Bio-Formats."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Optional
from xml.etree import ElementTree

from parfocal.images.metadata import ImageMetadata, immersion_index, length_um, positive
from parfocal.images.ome import read_ome_xml

_OME = re.compile(r"<(?:\w+:)?OME\b.*</(?:\w+:)?OME>", re.S)
# `Information|Image|Channel|EmissionWavelength #2 = 525.0`: a path, which of several, and a value.
_PROPERTY = re.compile(r"^\s*(.+?)(?: #(\d+))?\s*[=:]\s*(.+?)\s*$", re.M)
_NUMBER = re.compile(r"^([-+.\deE]+)\s*(\S*)$")
# Last parts of the paths, without spaces, lower case: of Zeiss, Nikon, Leica, Olympus and MetaMorph files.
_APERTURE = ("lensna", "numericalaperture", "dobjectivena", "objectivena", "_magna_")
_WAVELENGTH = ("emissionwavelength", "emwavelength")
_INDEX = ("immersionrefractiveindex", "refractiveindex", "refractionindex", "drefractindex1", "_magri_")
_MEDIUM = ("immersion",)
_TAKEN = ("pixel_size_um", "z_step_um", "numerical_aperture", "emission_wavelength_um", "immersion_index", "modality")


def read_info(text: str, channel: int = 0) -> ImageMetadata:
    """Read metadata of the channel with this index from 0; what is stated in two ways is left out.

    Properties are lines `name = value`, where a path of names ends in one that is known, such as `LensNA`.
    """
    found = _OME.search(text)
    if found is None:
        return _of_properties(_properties(text), channel)
    try:
        images = read_ome_xml(found[0])
    except ElementTree.ParseError:
        return ImageMetadata()
    return _agreed([records[min(channel, len(records) - 1)] for records in images])


def _agreed(records: Iterable[ImageMetadata]) -> ImageMetadata:
    """What all records say alike: which of a file's images was opened is not known."""
    known = {name: [getattr(record, name) for record in records] for name in _TAKEN}
    return ImageMetadata(**{name: _one(values) for name, values in known.items()})


def _properties(text: str) -> dict[str, dict[int, str]]:
    """Values by last part of their path and by number, 0 without one."""
    found: dict[str, dict[int, str]] = {}
    for path, number, value in _PROPERTY.findall(text):
        name = re.split(r"[|/]", path)[-1].replace(" ", "").lower()
        found.setdefault(name, {}).setdefault(int(number or 0), value)
    return found


def _of_properties(properties: dict[str, dict[int, str]], channel: int) -> ImageMetadata:
    def values(names: tuple[str, ...]) -> list[dict[int, str]]:
        return [properties[name] for name in names if name in properties]

    waves = [numbered.get(channel + 1, numbered.get(0)) for numbered in values(_WAVELENGTH)]
    apertures = [value for numbered in values(_APERTURE) for value in numbered.values()]
    indices = [value for numbered in values(_INDEX) for value in numbered.values()]
    media = [value for numbered in values(_MEDIUM) for value in numbered.values()]
    return ImageMetadata(
        numerical_aperture=_one([positive(value) for value in apertures]),
        emission_wavelength_um=_one([_wavelength_um(value) for value in waves if value]),
        immersion_index=_one([positive(value) for value in indices]) or immersion_index(None, _one(media)),
    )


def _wavelength_um(text: str) -> Optional[float]:
    found = _NUMBER.match(text)
    return None if found is None else length_um(found[1], found[2] or "nm")


def _one(values: list[Any]) -> Any:
    """The value that all of them are; None where they differ or there is none."""
    return values[0] if values and all(value == values[0] for value in values) else None
