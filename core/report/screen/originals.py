"""Pictures made of the images themselves, where the run left none."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

import numpy as np

from parfocal.images.metadata import ImageItem, UnreadableImage
from parfocal.images.planes import as_planes
from parfocal.images.reading import read_images
from parfocal.report.overlay import grey
from parfocal.report.restoration import draw_restoration


def grey_picture(row: dict[str, Any], home: Path) -> Optional[np.ndarray]:
    """Draw an image in grey, of a stack its middle plane; (y, x, 3) uint8, None where it cannot be read."""
    planes = _planes(home / row["file"], row)
    if planes is None:
        return None
    return _bytes(np.repeat(grey(planes[len(planes) // 2])[..., None], 3, axis=2))


def restoration_picture(row: dict[str, Any], home: Path) -> Optional[np.ndarray]:
    """Draw an image before, after, and the difference, of a stack the plane that was changed most."""
    if not row["restored_file"]:
        return None
    before, after = _planes(home / row["file"], row), _planes(home / row["restored_file"], {})
    if before is None or after is None or before.shape != after.shape:
        return None
    changes = [float(np.nanmean(np.abs(new.astype(float) - old))) for old, new in zip(before, after)]
    plane = int(np.nanargmax(changes))
    return _bytes(draw_restoration(before[plane], after[plane]))


def _bytes(picture: np.ndarray) -> np.ndarray:
    return np.rint(255 * picture).astype(np.uint8)


def _planes(path: Path, row: dict[str, Any]) -> Optional[np.ndarray]:
    """Planes (z, y, x) of the image that a row is about."""
    try:
        item = next((item for item in read_images(path) if _is_meant(item, row)), None)
        return None if item is None else np.asarray(as_planes(item.pixels)[0])
    except (UnreadableImage, OSError, MemoryError, TypeError, ValueError):
        return None


def _is_meant(item: ImageItem, row: dict[str, Any]) -> bool:
    about = item.metadata
    numbers = {"series": about.series, "time": about.time, "channel_number": about.channel}
    return all(row.get(name) is None or row[name] != row[name] or row[name] == has for name, has in numbers.items())
