"""Images beside the one that is measured: a mask, labels of objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional

import numpy as np
from jpype import JClass

from parfocal.commands import CommandSpec, ParameterSpec

from .images import pixels_of, selection_of
from .places import shown_places

# What the choice among the open images says for none.
NO_IMAGE = "*None*"
_MASK, _LABELS = "mask_yx", "labels_yx"


def image_parameters(spec: CommandSpec) -> list[ParameterSpec]:
    """Parameters that another image answers: arrays (y, x) that may be left out."""
    return [p for p in spec.parameters if p.param.array and not p.required and p.name in (_MASK, _LABELS)]


def open_titles() -> list[str]:
    """Titles of the open images."""
    return [str(title) for title in JClass("ij.WindowManager").getImageTitles()]


def taken_images(arguments: dict[str, Any], image: Any) -> tuple[dict[str, Any], Optional[np.ndarray]]:
    """Arguments with labels as array, and the mask that selection and mask image leave together.

    Other images are given as an ImagePlus or by the title of an open one.

    Raises
    ------
    ValueError
        Where there is no such image, it is of another size, or the selection has no area.
    """
    given = dict(arguments)
    mask, labels = (_chosen(given.pop(name, None)) for name in (_MASK, _LABELS))
    selected = selection_of(image)
    if labels is not None:
        given[_LABELS] = _whole_numbers(labels)
    if mask is None:
        return given, selected
    mask_yx = _of_size(mask, image) > 0
    return given, mask_yx if selected is None else mask_yx & selected


def _chosen(other: Any) -> Any:
    """Image that was handed over or is named; None where it is none."""
    if other is None or isinstance(other, JClass("ij.ImagePlus")):
        return other
    if str(other) in ("", NO_IMAGE):
        return None
    found = JClass("ij.WindowManager").getImage(str(other))
    if found is None:
        raise ValueError(f"no image {other!r} is open, open are: {', '.join(open_titles()) or 'none'}")
    return found


def _pixels(other: Any) -> np.ndarray:
    return pixels_of(other, shown_places(other))


def _of_size(mask: Any, image: Any) -> np.ndarray:
    """Pixels of a mask, of the size of the image."""
    found: Sequence[int] = (mask.getHeight(), mask.getWidth())
    wanted = (image.getHeight(), image.getWidth())
    if found != wanted:
        raise ValueError(
            f"the mask {mask.getTitle()} must have the size of the image, {wanted[1]} x {wanted[0]}, "
            f"got {found[1]} x {found[0]}"
        )
    return _pixels(mask)


def _whole_numbers(labels: Any) -> np.ndarray:
    """Pixels of a label image; of 32 bit, as many plugins write them, they must be whole numbers."""
    pixels = _pixels(labels)
    if pixels.dtype.kind != "f":
        return pixels
    if not np.array_equal(pixels, np.rint(pixels)):
        raise ValueError(f"the labels {labels.getTitle()} must be whole numbers, got fractions")
    return pixels.astype(np.int64)
