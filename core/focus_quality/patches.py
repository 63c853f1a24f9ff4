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


def patch_weights(shape_yx: tuple[int, int], size_px: int = PATCH_SIZE_PX) -> np.ndarray:
    """Share (n,) of each covering patch that no patch before it has shown, so that no pixel counts twice."""
    new = [np.diff(patch_starts(length, size_px), prepend=-size_px) / size_px for length in shape_yx]
    return np.outer(*new).ravel()


def object_corners(box: tuple[slice, slice], shape_yx: tuple[int, int], size_px: int = PATCH_SIZE_PX) -> np.ndarray:
    """Corners (n, 2) of the patches that cover an object's bounding box: one around its middle if it fits."""
    axes = []
    for side, length in zip(box, shape_yx):
        extent = max(side.stop - side.start, size_px)
        first = (side.start + side.stop - extent) // 2
        axes.append(np.clip(first + patch_starts(extent, size_px), 0, length - size_px))
    y, x = np.meshgrid(*axes, indexing="ij")
    return np.stack([y.ravel(), x.ravel()], axis=1)


def label_boxes(labels_yx: np.ndarray) -> dict[int, tuple[slice, slice]]:
    """Bounding boxes, by label, of the objects (above 0) of a label image (y, x) of integers."""
    from scipy.ndimage import find_objects

    labels = np.asarray(labels_yx)
    if labels.min(initial=0) < 0:
        raise ValueError(f"labels must be 0 (background) or above, got {labels.min()}")
    if labels.max(initial=0) <= labels.size:
        boxes = enumerate(find_objects(labels.astype(np.intp)), start=1)
        return {label: box for label, box in boxes if box is not None}
    # find_objects makes a list as long as the largest label: number the objects anew.
    names = np.unique(labels[labels > 0])
    return dict(zip(names.tolist(), find_objects(np.searchsorted(names, labels, side="right"))))


def cut_patches(
    image_yx: np.ndarray, corners: np.ndarray, size_px: int = PATCH_SIZE_PX, floor: float = 0.0, factor: float = 1.0
) -> np.ndarray:
    """Cut patches at these corners: (n, size, size), float32, (value - floor) * factor."""
    pixels = np.stack([image_yx[y : y + size_px, x : x + size_px] for y, x in corners.tolist()])
    # 32-bit integers and doubles may hold a small contrast on a large offset: subtract before rounding to float32.
    precise = np.result_type(image_yx.dtype, np.float32)
    patches = np.subtract(pixels, floor, dtype=precise)
    patches *= factor
    return np.ascontiguousarray(patches, dtype=np.float32)


def constant_patches(patches: np.ndarray) -> np.ndarray:
    """Say which patches (n, y, x) hold a single value."""
    # Two corners that are alike are rare in an image with noise: only such patches are looked through.
    constant = patches[:, 0, 0] == patches[:, -1, -1]
    constant[constant] = np.ptp(patches[constant], axis=(1, 2)) == 0
    return constant


def standardise(patches: np.ndarray) -> np.ndarray:
    """Bring patches (n, y, x) float32 to mean 0 and variance 1, each by itself and in place; constant ones to 0."""
    flat = patches.reshape(len(patches), -1)
    means = flat.mean(axis=1, keepdims=True)
    flat -= means
    deviation = np.sqrt(np.einsum("ij,ij->i", flat, flat) / flat.shape[1])[:, None]
    # What is left of a constant patch is the rounding of its mean.
    flat *= np.divide(1.0, deviation, out=np.zeros_like(deviation), where=deviation > 1e-6 * (1 + np.abs(means)))
    return patches
