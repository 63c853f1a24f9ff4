"""When the images of a TIFF file were taken."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from xml.etree import ElementTree

from parfocal.images.metadata import ImageMetadata
from parfocal.images.ome import read_ome_delays_s


def acquired_at(tif: Any, about: ImageMetadata) -> str:
    """Time of an image of an open `tifffile.TiffFile`, ISO 8601: the date of its series and the delay of its planes.

    Empty where the file states no date that can be read.
    """
    if not about.acquired or not tif.is_ome:
        return ""
    try:
        begun = datetime.fromisoformat(about.acquired.replace("Z", "+00:00"))
        delays_s = read_ome_delays_s(tif.ome_metadata, about.series)
    except (ElementTree.ParseError, ValueError):
        return ""
    return (begun + timedelta(seconds=delays_s.get((about.time, about.channel), 0.0))).isoformat()
