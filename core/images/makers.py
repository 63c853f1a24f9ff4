"""The microscope makers' formats: CZI (Zeiss), ND2 (Nikon), LIF (Leica), through packages of the extra `formats`."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Optional
from xml.etree import ElementTree

import numpy as np

from parfocal.images.metadata import (
    ImageItem,
    ImageMetadata,
    UnreadableImage,
    immersion_index,
    length_um,
    modality,
    positive,
)
from parfocal.install.packages import extra_command

_LIF_START = b"\x70\0\0\0"


def read_czi(path: Path) -> Iterator[ImageItem]:
    """Read a CZI file: one image or stack for each scene, time and channel; the tiles of a scene are stitched."""
    czi = reader_of("pylibCZIrw.czi", path)
    with czi.open_czi(str(path)) as document:
        box = document.total_bounding_box
        root = ElementTree.fromstring(document.raw_metadata)
        scenes = list(document.scenes_bounding_rectangle) or [None]
        for series, time, channel in np.ndindex(len(scenes), box["T"][1], box["C"][1]):
            planes = [
                document.read(plane={"T": time, "C": channel, "Z": z}, scene=scenes[series]) for z in range(box["Z"][1])
            ]
            # The library gives colours as blue, green, red.
            stack = np.stack(planes)[..., ::-1] if planes[0].shape[-1] == 3 else np.stack(planes)[..., 0]
            yield ImageItem(path, stack if len(stack) > 1 else stack[0], czi_metadata(root, series, channel, time))


def czi_metadata(root: ElementTree.Element, series: int, channel: int, time: int) -> ImageMetadata:
    """Metadata of one image from the XML of a CZI file."""
    image = root.find("./Metadata/Information/Image")
    channels = [] if image is None else image.findall("./Dimensions/Channels/Channel")
    about = channels[channel] if channel < len(channels) else ElementTree.Element("Channel")
    settings = root.find("./Metadata/Information/Image/ObjectiveSettings")
    reference = None if settings is None else settings.find("ObjectiveRef")
    objectives = root.findall("./Metadata/Information/Instrument/Objectives/Objective")
    if reference is not None:
        objectives = [objective for objective in objectives if objective.get("Id") == reference.get("Id")]
    objective = objectives[0] if len(objectives) == 1 else None
    medium = _text(settings, "Medium") or _text(objective, "Immersion")
    return ImageMetadata(
        pixel_size_um=length_um(_czi_distance(root, "X"), "m"),
        z_step_um=length_um(_czi_distance(root, "Z"), "m"),
        numerical_aperture=positive(_text(objective, "LensNA")),
        emission_wavelength_um=length_um(_text(about, "EmissionWavelength"), "nm"),
        immersion_index=immersion_index(_text(settings, "RefractiveIndex"), medium),
        modality=modality(_text(about, "ContrastMethod"), _text(about, "AcquisitionMode")),
        series=series,
        channel=channel,
        channel_name=about.get("Name") or "",
        time=time,
    )


def read_nd2(path: Path) -> Iterator[ImageItem]:
    """Read an ND2 file: one image or stack for each position, time and channel."""
    nd2 = reader_of("nd2", path)
    with nd2.ND2File(path) as file:
        sizes = dict(file.sizes)
        array, axes = file.to_dask(), list(sizes)
        unknown = set(sizes) - set("PTCZYXS")
        if unknown:
            raise UnreadableImage(f"axes {sorted(unknown)} of the ND2 file are not known, sizes are {sizes}")
        for series, time, channel in np.ndindex(*(sizes.get(axis, 1) for axis in "PTC")):
            place = {"P": series, "T": time, "C": channel}
            pixels = np.asarray(array[tuple(place.get(axis, slice(None)) for axis in axes)])
            yield ImageItem(path, pixels, nd2_metadata(file, series, channel, time))


def nd2_metadata(file: Any, series: int, channel: int, time: int) -> ImageMetadata:
    """Metadata of one image from an open `nd2.ND2File`; files of the old kind have hardly any."""
    voxel = file.voxel_size()
    channels = getattr(file.metadata, "channels", None) or []
    about = channels[channel] if channel < len(channels) else None
    scope = getattr(about, "microscope", None)
    return ImageMetadata(
        pixel_size_um=positive(voxel.x),
        z_step_um=positive(voxel.z) if "Z" in file.sizes else None,
        numerical_aperture=positive(getattr(scope, "objectiveNumericalAperture", None)),
        emission_wavelength_um=length_um(about.channel.emissionLambdaNm, "nm") if about else None,
        immersion_index=positive(getattr(scope, "immersionRefractiveIndex", None)),
        modality=modality(*getattr(scope, "modalityFlags", ())),
        series=series,
        channel=channel,
        channel_name=about.channel.name if about else "",
        time=time,
    )


def read_lif(path: Path) -> Iterator[ImageItem]:
    """Read a LIF file: one image or stack for each image of the project, tile, time and channel."""
    with path.open("rb") as file:
        start = file.read(len(_LIF_START))
    if start != _LIF_START:
        raise UnreadableImage(f"the file is no LIF file: it begins with {start!r}, not with {_LIF_START!r}")
    reader = reader_of("bioio_lif", path).Reader(path)
    series = 0
    for scene in reader.scenes:
        reader.set_scene(scene)
        sizes = dict(reader.dims.items())
        for tile in range(sizes.get("M", 1)):
            for time, channel in np.ndindex(sizes.get("T", 1), sizes.get("C", 1)):
                place = {"T": time, "C": channel, **({"M": tile} if "M" in sizes else {})}
                stack = np.asarray(reader.get_image_dask_data("ZYX", **place))
                about = lif_metadata(reader, series, channel, time)
                yield ImageItem(path, stack if len(stack) > 1 else stack[0], about)
            series += 1


def lif_metadata(reader: Any, series: int, channel: int, time: int) -> ImageMetadata:
    """Metadata of one image from a bioio reader at a scene of a LIF file."""
    scenes = reader.metadata.findall(".//Element/Data/Image")
    image = scenes[reader.current_scene_index] if len(scenes) == len(reader.scenes) else ElementTree.Element("Image")
    hardware = image.find(".//Attachment[@Name='HardwareSetting']")
    source = "" if hardware is None else hardware.get("DataSourceTypeName", "")
    optics = next((node for node in image.iter() if node.get("NumericalAperture")), ElementTree.Element("None"))
    filters = image.findall(".//WideFieldChannelInfo")
    about = filters[channel] if channel < len(filters) else ElementTree.Element("None")
    names = reader.channel_names or []
    pixel = reader.physical_pixel_sizes
    return ImageMetadata(
        pixel_size_um=positive(pixel.X),
        z_step_um=positive(pixel.Z),
        numerical_aperture=positive(optics.get("NumericalAperture")),
        emission_wavelength_um=length_um(about.get("EmissionWavelength"), "nm"),
        immersion_index=immersion_index(optics.get("RefractionIndex"), optics.get("Immersion")),
        modality=modality(source),
        series=series,
        series_name=str(reader.current_scene),
        channel=channel,
        channel_name=str(names[channel]) if channel < len(names) else "",
        time=time,
    )


def reader_of(module: str, path: Path) -> Any:
    """Import the package that reads a file.

    Raises
    ------
    UnreadableImage
        Where it is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise UnreadableImage(
            f"{path.suffix} files need the package {module.split('.')[0]}: {extra_command('formats')}"
        ) from error


def _text(node: Optional[ElementTree.Element], tag: str) -> Optional[str]:
    return None if node is None else node.findtext(tag)


def _czi_distance(root: ElementTree.Element, axis: str) -> Optional[str]:
    return root.findtext(f"./Metadata/Scaling/Items/Distance[@Id='{axis}']/Value")
