"""What TIFF files say of the optics: OME-XML, ImageJ's and MetaMorph's descriptions, resolution tags."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Optional
from xml.etree import ElementTree

from parfocal.images.metadata import ImageMetadata, length_um, positive
from parfocal.images.ome import read_ome_xml

# Pixel sizes in um that a resolution tag may state and be believed. Outside lie 72 dpi (353 um) and its like, which
# programs write without knowing anything about the image.
_BELIEVED_PIXEL_UM = (0.02, 5.0)
_UM_PER_RESOLUTION_UNIT = {2: 25400.0, 3: 10000.0}


def series_metadata(tif: Any, series: list[Any]) -> list[list[ImageMetadata]]:
    """Metadata for each channel of each series of an open `tifffile.TiffFile`; at least one record a series."""
    if tif.is_ome:
        images = _ome(tif)
        if len(images) == len(series):
            return images
    if tif.is_imagej:
        common = _imagej(tif)
    elif tif.is_metaseries:
        common = _metaseries(tif)
    else:
        common = ImageMetadata(pixel_size_um=_resolution_um(tif.pages[0]))
    info = _imagej_info(tif)
    return [[replace(common, series=index, description=info or _description(s))] for index, s in enumerate(series)]


def _ome(tif: Any) -> list[list[ImageMetadata]]:
    try:
        return read_ome_xml(tif.ome_metadata)
    except ElementTree.ParseError:
        return []


def _imagej(tif: Any) -> ImageMetadata:
    info = tif.imagej_metadata or {}
    unit = str(info.get("unit", ""))
    return ImageMetadata(
        pixel_size_um=length_um(_pixels_apart(tif.pages[0]), unit),
        z_step_um=length_um(abs(positive(info.get("spacing")) or 0), unit),
    )


def _imagej_info(tif: Any) -> str:
    """Text that ImageJ shows as the image's info: it takes over the description of the file that it opened."""
    return str((tif.imagej_metadata or {}).get("Info", "")) if tif.is_imagej else ""


def _description(series: Any) -> str:
    text = series.keyframe.description
    return text if isinstance(text, str) else ""


def _metaseries(tif: Any) -> ImageMetadata:
    """Read the properties that MetaMorph and MetaXpress (ImageXpress) write."""
    info = tif.metaseries_metadata or {}
    info = {**info, **info.get("PlaneInfo", {})}
    calibrated = str(info.get("spatial-calibration-state", "on")).lower() in ("on", "true", "1")
    unit = str(info.get("spatial-calibration-units", ""))
    return ImageMetadata(
        pixel_size_um=length_um(info.get("spatial-calibration-x"), unit) if calibrated else None,
        numerical_aperture=positive(info.get("_MagNA_")),
        emission_wavelength_um=length_um(info.get("wavelength"), "nm"),
        immersion_index=positive(info.get("_MagRI_")),
        channel_name=str(info.get("_IllumSetting_", "")),
    )


def _pixels_apart(page: Any) -> Optional[float]:
    """Distance between pixels in the unit of the resolution tag; None for 1 / 1, with which writers say nothing."""
    tag = page.tags.get("XResolution")
    if tag is None or not isinstance(tag.value, tuple) or not tag.value[0] or tag.value[0] == tag.value[1]:
        return None
    return float(f"{tag.value[1] / tag.value[0]:.6g}")


def _resolution_um(page: Any) -> Optional[float]:
    tag = page.tags.get("ResolutionUnit")
    factor = None if tag is None else _UM_PER_RESOLUTION_UNIT.get(int(tag.value))
    apart = _pixels_apart(page)
    if factor is None or apart is None:
        return None
    size = apart * factor
    return float(f"{size:.6g}") if _BELIEVED_PIXEL_UM[0] <= size <= _BELIEVED_PIXEL_UM[1] else None
