"""Stacks of beads as CellProfiler holds them, in counts of the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Optional

import numpy as np

if __package__:
    from . import _parfocal_host as host
else:  # CellProfiler imports the files of its plugins folder one by one, with the folder on the path.
    import _parfocal_host as host


@dataclass(frozen=True)
class BeadStack:
    """Planes of a stack.

    Attributes
    ----------
    planes : sequence of ndarray
        (y, x) counts; None for a plane that could not be loaded.
    image_numbers : tuple of int
        Image sets that the planes come from, or the one of a 3D image.
    reasons : tuple of str
        For each plane nothing, or why it cannot be used.
    full_scale : float or None
        Largest count of the file's type where it occurs in a stack with a mask: its planes are floats, which do not
        show it.
    """

    planes: Sequence[Any] = field(repr=False)
    image_numbers: tuple[int, ...]
    reasons: tuple[str, ...]
    full_scale: Optional[float] = None

    def shape_yx(self, index: int) -> tuple[int, int]:
        """Size of a plane; of one that could not be loaded, that of the first which could."""
        known = self.planes[index]
        if known is None:
            known = next((plane for plane in self.planes if plane is not None), np.zeros((1, 1)))
        return known.shape

    def usable(self, indices: Sequence[int]) -> Sequence[np.ndarray]:
        """Planes of these indices."""
        return _Chosen(self.planes, indices)


class _Chosen(Sequence):
    def __init__(self, planes: Sequence[Any], indices: Sequence[int]) -> None:
        self._planes, self._indices = planes, list(indices)

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, index: int) -> np.ndarray:
        return self._planes[self._indices[index]]


class VolumePlanes(Sequence):
    """Planes of a 3D image, each brought to counts when it is asked for, so that no second stack is in memory."""

    def __init__(self, image: Any, scale: Optional[float]) -> None:
        self._pixels, self._scale = image.pixel_data, scale
        self._mask = image.mask if image.has_mask else None

    def __len__(self) -> int:
        return len(self._pixels)

    def __getitem__(self, index: int) -> np.ndarray:
        mask = None if self._mask is None else self._mask[index]
        return plane_counts(self._pixels[index], mask, self._scale)


def plane_counts(pixels: np.ndarray, mask_yx: Optional[np.ndarray], scale: Optional[float]) -> np.ndarray:
    """Counts (y, x) of a plane, colours averaged; NaN where it is masked out."""
    from parfocal.images.planes import as_planes

    plane = as_planes(host.unscaled(pixels, scale))[0][0]
    return plane if mask_yx is None else np.where(mask_yx, plane, np.float32(np.nan))


def volume_stack(workspace: Any, image_name: str, in_counts: bool) -> BeadStack:
    """Take a 3D image as a stack (ValueError where it is none that can be measured)."""
    image = workspace.image_set.get_image(image_name)
    provider = workspace.image_set.get_image_provider(image_name)
    host.check_pixels(image, image_name, provider, in_counts)
    if not image.volumetric:
        raise ValueError(f"{image_name} is a single plane, not a 3D image: select how the beads are imaged")
    scale = host.count_scale(image, provider)
    planes = VolumePlanes(image, scale)
    number = workspace.measurements.image_set_number
    return BeadStack(planes, (number,), ("",) * len(planes), full_scale(image, scale))


def image_plane(image: Any, image_name: str, provider: Any, in_counts: bool) -> tuple[np.ndarray, Optional[float]]:
    """Counts (y, x) of a 2D image and its `full_scale` (ValueError where it is none that can be measured)."""
    host.check_pixels(image, image_name, provider, in_counts)
    if image.volumetric:
        raise ValueError(f"{image_name} is a 3D image, not a single plane: select how the beads are imaged")
    scale = host.count_scale(image, provider)
    return plane_counts(image.pixel_data, image.mask if image.has_mask else None, scale), full_scale(image, scale)


def single_plane(workspace: Any, image_name: str, counts_matter: bool) -> BeadStack:
    """Take a 2D image as a stack of one plane (ValueError where it is none that can be measured)."""
    image = workspace.image_set.get_image(image_name)
    provider = workspace.image_set.get_image_provider(image_name)
    if counts_matter and host.count_scale(image, provider) is None:
        raise ValueError(
            f"{image_name} does not say which count its value 1.0 stands for, and the distance model goes by counts: "
            "select the image as it was loaded"
        )
    plane, limit = image_plane(image, image_name, provider, in_counts=False)
    return BeadStack((plane,), (workspace.measurements.image_set_number,), ("",), limit)


def full_scale(image: Any, scale: Optional[float]) -> Optional[float]:
    """Largest count of the file's type, where an image with a mask reaches it; else None."""
    return scale if host.is_bit_depth_scale(scale) and image.has_mask and image.pixel_data.max(initial=0) >= 1 else None
