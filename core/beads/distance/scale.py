"""Crops of another pixel size, brought to the one that a network was trained with."""

from __future__ import annotations

from typing import Optional

import numpy as np

from parfocal.beads.distance.crops import middle

PIXEL_SIZE_FACTORS = (0.8, 1.25)
_SAME = 0.005


def scale_problem(size_px: int, pixel_size_um: float, trained_um: float, crop_px: int) -> Optional[tuple[str, str]]:
    """Say why crops cannot be brought to the trained pixel size: (status, reason), or None where they can."""
    from parfocal import status

    factor = pixel_size_um / trained_um
    low, high = PIXEL_SIZE_FACTORS
    if not low <= factor <= high:
        reason = (
            f"pixel_size_um is {pixel_size_um:g}, the model was trained at {trained_um:g} and takes {low:g} to {high:g}"
            " times that"
        )
        return status.OUT_OF_RANGE, reason
    needed = needed_px(pixel_size_um, trained_um, crop_px)
    if size_px < needed:
        return status.TOO_SMALL, f"crops are {size_px} px wide, at {pixel_size_um:g} um a pixel {needed} are needed"
    return None


def needed_px(pixel_size_um: float, trained_um: float, crop_px: int) -> int:
    """Width that crops must have so that `crop_px` trained pixels fit in."""
    factor = pixel_size_um / trained_um
    return crop_px if abs(factor - 1) <= _SAME else int(np.ceil(crop_px / factor))


def to_trained_pixels(crops_nyx: np.ndarray, pixel_size_um: float, trained_um: float, crop_px: int) -> np.ndarray:
    """Resample crops about their middle by cubic splines, and cut them; at the trained pixel size only cut them."""
    from scipy.ndimage import affine_transform

    factor = pixel_size_um / trained_um
    if abs(factor - 1) <= _SAME:
        return middle(crops_nyx, crop_px)
    offset = (np.array(crops_nyx.shape[1:]) - 1) / 2 - (crop_px - 1) / 2 / factor
    shape, matrix = (crop_px, crop_px), np.full(2, 1 / factor)
    made = [
        affine_transform(crop.astype(np.float32), matrix, offset, shape, order=3, mode="nearest") for crop in crops_nyx
    ]
    return np.array(made, np.float32).reshape(-1, crop_px, crop_px)
