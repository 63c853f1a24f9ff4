"""Planes of a stack as they come: checked one by one, and the count at which they are saturated."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

# Values at which cameras of 10, 12 and 14 bits saturate, also when shifted to 16 bits, and 1 for scaled floats.
_CAMERA_LIMITS = (1023, 4095, 16383, 65472, 65520, 65532, 1.0)


def checked_planes(planes: Iterable[Any]) -> Iterable[np.ndarray]:
    """Planes as arrays (y, x) of numbers, all of the shape of the first.

    Raises
    ------
    TypeError, ValueError
        Where a plane holds no real numbers, is no plane, or has another shape; the message says which.
    """
    shape = None
    for index, item in enumerate(planes):
        plane = np.asarray(item)
        if plane.dtype.kind not in "uif":
            raise TypeError(f"planes must hold integers or floats, plane {index} holds {plane.dtype}")
        if plane.ndim != 2:
            raise ValueError(f"planes must be (y, x), plane {index} has shape {plane.shape}")
        if shape is not None and plane.shape != shape:
            raise ValueError(f"planes must have one shape, plane {index} has {plane.shape}, the first {shape}")
        shape = plane.shape
        yield plane


def camera_limit(plane_yx: np.ndarray) -> float:
    """Count at which a plane is saturated: infinity where there is no sign of saturation."""
    if plane_yx.size == 0:
        return float("inf")
    if plane_yx.dtype.kind == "u":
        largest = float(np.iinfo(plane_yx.dtype).max)
        top = float(plane_yx.max())
    else:
        largest, top = float("inf"), float(np.nanmax(plane_yx, initial=-np.inf))
    if top == largest or (top in _CAMERA_LIMITS and np.count_nonzero(plane_yx == top) > 1):
        return top
    return largest
