"""Patches that cover an image to its last row and column."""

from __future__ import annotations

import numpy as np

from parfocal.focus_quality.network import PATCH_SIZE_PX


def patch_starts(length_px: int, size_px: int = PATCH_SIZE_PX) -> np.ndarray:
    """First pixels of the patches along one axis, edge to edge; the last one is moved back to end at the border."""
    starts = np.arange(0, length_px - size_px + 1, size_px)
    if starts[-1] + size_px < length_px:
        starts = np.append(starts, length_px - size_px)
    return starts


def patch_corners(shape_yx: tuple[int, int], size_px: int = PATCH_SIZE_PX) -> np.ndarray:
    """Upper left corners (n, 2) as (y, x), row by row, of the patches that cover an image."""
    y, x = np.meshgrid(*(patch_starts(length, size_px) for length in shape_yx), indexing="ij")
    return np.stack([y.ravel(), x.ravel()], axis=1)


def object_corners(
    box: tuple[slice, slice], shape_yx: tuple[int, int], size_px: int = PATCH_SIZE_PX
) -> np.ndarray:
    """Corners (n, 2) of the patches that cover an object's bounding box: one around its middle if it fits."""
    axes = []
    for side, length in zip(box, shape_yx):
        extent = max(side.stop - side.start, size_px)
        first = (side.start + side.stop - extent) // 2
        axes.append(np.clip(first + patch_starts(extent, size_px), 0, length - size_px))
    y, x = np.meshgrid(*axes, indexing="ij")
    return np.stack([y.ravel(), x.ravel()], axis=1)


def cut_patches(image_yx: np.ndarray, corners: np.ndarray, size_px: int = PATCH_SIZE_PX) -> np.ndarray:
    """Cut patches at these corners: (n, size, size), float32."""
    windows = np.lib.stride_tricks.sliding_window_view(image_yx, (size_px, size_px))
    return np.ascontiguousarray(windows[corners[:, 0], corners[:, 1]], dtype=np.float32)
