"""Where the planes of a TIFF file lie along z: OME-XML, Micro-Manager's tags, MetaMorph's descriptions."""

from __future__ import annotations

import json
from typing import Any, Optional
from xml.etree import ElementTree

from parfocal.images.metadata import position_um
from parfocal.images.ome import read_ome_positions

_MICRO_MANAGER = "MicroManagerMetadata"


def tiff_positions_um(
    tif: Any, series: int, time: int, channel: int, pages: list[Any], n_planes: int
) -> Optional[tuple[float, ...]]:
    """Positions (n_planes,) of the planes of an image, um; None unless the file states one for each.

    Positions that are all the same are not believed where there are several planes: writers fill in zeros.
    """
    for found in (_ome(tif, series, time, channel, n_planes), _micro_manager(pages), _metamorph(tif, n_planes)):
        z_um = tuple(z for z in found if z is not None)
        if len(z_um) == n_planes and (n_planes == 1 or len(set(z_um)) > 1):
            return z_um
    return None


def _ome(tif: Any, series: int, time: int, channel: int, n_planes: int) -> list[Optional[float]]:
    if not tif.is_ome:
        return []
    try:
        known = read_ome_positions(tif.ome_metadata, series)
    except (ElementTree.ParseError, ValueError):
        return []
    return [known.get((time, channel, z)) for z in range(n_planes)]


def _micro_manager(pages: list[Any]) -> list[Optional[float]]:
    found = []
    for page in pages:
        tags = {} if page is None else page.aspage().tags
        value = tags[_MICRO_MANAGER].value if _MICRO_MANAGER in tags else None
        if value is None:
            return []
        about = json.loads(value) if isinstance(value, str) else value
        found.append(position_um(about.get("ZPositionUm"), "um"))
    return found


def _metamorph(tif: Any, n_planes: int) -> list[Optional[float]]:
    """Read the position that MetaMorph and MetaXpress (ImageXpress) write into each file of one plane."""
    if not tif.is_metaseries or n_planes != 1:
        return []
    info = tif.metaseries_metadata or {}
    return [position_um({**info, **info.get("PlaneInfo", {})}.get("z-position"), "um")]
