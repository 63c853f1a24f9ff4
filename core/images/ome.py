"""Metadata from OME-XML (https://docs.openmicroscopy.org/ome-model)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Optional
from xml.etree import ElementTree

from parfocal.images.metadata import (
    ImageMetadata,
    immersion_index,
    length_um,
    modality,
    position_um,
    positive,
)
from parfocal.images.wells import row_letters

# Seconds per unit of time, as OME spells it.
_SECONDS = {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}


def read_ome_xml(xml: str) -> list[list[ImageMetadata]]:
    """Read OME-XML: for each image a list with one record for each channel.

    The objective is the one that the image refers to, or the only one of the file. The index of the immersion is that
    of the objective's settings, or that of the medium which the objective names.

    Raises
    ------
    xml.etree.ElementTree.ParseError
        Where the text is no XML.
    """
    root = ElementTree.fromstring(xml.strip().encode())
    objectives = {node.get("ID"): node for node in root.iter() if _name(node) == "Objective"}
    images = [node for node in root if _name(node) == "Image"]
    places: dict[str, dict[str, Any]] = dict(_places(root))
    return [
        [replace(record, **places.get(node.get("ID", ""), {})) for record in _image(node, index, objectives)]
        for index, node in enumerate(images)
    ]


def read_ome_delays_s(xml: str, image: int) -> dict[tuple[int, int], float]:
    """Read when the planes of an image were taken: seconds after its date by (time, channel), of its first plane.

    Raises
    ------
    xml.etree.ElementTree.ParseError
        Where the text is no XML.
    """
    root = ElementTree.fromstring(xml.strip().encode())
    images = [node for node in root if _name(node) == "Image"]
    pixels = _child(images[image], "Pixels") if image < len(images) else None
    found: dict[tuple[int, int], float] = {}
    for plane in [] if pixels is None else [node for node in pixels if _name(node) == "Plane"]:
        factor, delay = _SECONDS.get(plane.get("DeltaTUnit", "s")), positive(plane.get("DeltaT"))
        if factor is not None and delay is not None:
            place = int(plane.get("TheT", 0)), int(plane.get("TheC", 0))
            found[place] = min(found.get(place, delay * factor), delay * factor)
    return found


def _places(root: ElementTree.Element) -> Iterator[tuple[str, dict[str, str]]]:
    """Plate, well and site by the ID of the image."""
    for plate in (node for node in root if _name(node) == "Plate"):
        for well in (node for node in plate if _name(node) == "Well"):
            row, column = well.get("Row", ""), well.get("Column", "")
            samples = [node for node in well if _name(node) == "WellSample"]
            for number, sample in enumerate(samples):
                reference = _child(sample, "ImageRef")
                if reference is None or not (row.isdigit() and column.isdigit()):
                    continue
                name = f"{row_letters(int(row))}{int(column) + 1:02d}"
                place = {"plate": plate.get("Name") or plate.get("ID") or "", "well": name, "site": str(number + 1)}
                yield reference.get("ID", ""), place


def read_ome_positions(xml: str, image: int) -> dict[tuple[int, int, int], float]:
    """Read where the planes of an image lie: z in um by (time, channel, z index), those with a unit of length only.

    Without a unit OME states positions in an unknown reference frame.

    Raises
    ------
    xml.etree.ElementTree.ParseError
        Where the text is no XML.
    """
    root = ElementTree.fromstring(xml.strip().encode())
    images = [node for node in root if _name(node) == "Image"]
    pixels = _child(images[image], "Pixels") if image < len(images) else None
    found = {}
    for plane in [] if pixels is None else [node for node in pixels if _name(node) == "Plane"]:
        z = position_um(plane.get("PositionZ"), plane.get("PositionZUnit", ""))
        if z is not None:
            found[int(plane.get("TheT", 0)), int(plane.get("TheC", 0)), int(plane.get("TheZ", 0))] = z
    return found


def _image(node: ElementTree.Element, index: int, objectives: dict) -> list[ImageMetadata]:
    pixels = _child(node, "Pixels")
    description = _child(node, "Description")
    text = "" if description is None else description.text or ""
    date = _child(node, "AcquisitionDate")
    acquired = "" if date is None else (date.text or "").strip()
    if pixels is None:
        return [ImageMetadata(series=index, description=text)]
    settings = _child(node, "ObjectiveSettings")
    objective = objectives.get(settings.get("ID")) if settings is not None else None
    if objective is None and len(objectives) == 1:
        objective = next(iter(objectives.values()))
    channels = [child for child in pixels if _name(child) == "Channel"]
    return [
        ImageMetadata(
            pixel_size_um=_length(pixels, "PhysicalSizeX"),
            z_step_um=_length(pixels, "PhysicalSizeZ"),
            numerical_aperture=None if objective is None else positive(objective.get("LensNA")),
            emission_wavelength_um=_length(channel, "EmissionWavelength", "nm"),
            immersion_index=_index(settings, objective),
            modality=modality(channel.get("ContrastMethod"), channel.get("AcquisitionMode")),
            series=index,
            series_name=node.get("Name") or "",
            channel=number,
            channel_name=channel.get("Name") or "",
            description=text,
            acquired=acquired,
        )
        for number, channel in enumerate(channels)
    ] or [ImageMetadata(pixel_size_um=_length(pixels, "PhysicalSizeX"), series=index, description=text)]


def _index(settings: Optional[ElementTree.Element], objective: Optional[ElementTree.Element]) -> Optional[float]:
    given = None if settings is None else settings.get("RefractiveIndex")
    return immersion_index(given, None if objective is None else objective.get("Immersion"))


def _length(node: ElementTree.Element, name: str, unit: str = "\u00b5m") -> Optional[float]:
    return length_um(node.get(name), node.get(f"{name}Unit", unit))


def _name(node: ElementTree.Element) -> str:
    return node.tag.rsplit("}", 1)[-1]


def _child(node: ElementTree.Element, name: str) -> Optional[ElementTree.Element]:
    return next((child for child in node if _name(child) == name), None)
