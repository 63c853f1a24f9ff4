"""Any image a user may hand over, brought to planes (z, y, x) of numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from parfocal.images.plane_stack import PlaneStack


def as_planes(image: object) -> tuple[Any, bool]:
    """Bring an image to a stack of planes.

    Colours follow one rule: the mean of red, green and blue; a fourth channel (alpha) is left out. A `PlaneStack` is
    one already and comes out as it is.

    Parameters
    ----------
    image : array_like
        (y, x), (z, y, x), (y, x, 3 or 4) or (z, y, x, 3 or 4); integers or floats.

    Returns
    -------
    stack_zyx : ndarray or PlaneStack
        (z, y, x) in the type of the input, float32 where colours were averaged.
    is_stack : bool
        Whether the input had a z axis.

    Raises
    ------
    TypeError
        Where the values are not real numbers (bool, complex, text).
    ValueError
        Where the axes are none of the above, or values are masked; the message gives the shape.
    """
    if isinstance(image, PlaneStack):
        return image, True
    if np.ma.is_masked(image):
        raise ValueError("image is a masked array, whose mask would be lost: give image.data instead")
    pixels = np.asarray(image)
    if pixels.dtype.kind not in "uif":
        hint = ": read the file first" if pixels.dtype.kind in "USO" else ""
        raise TypeError(f"image must hold integers or floats, got {pixels.dtype}{hint}")
    if pixels.ndim in (3, 4) and pixels.shape[-1] in (3, 4):
        pixels = pixels[..., :3].mean(axis=-1, dtype=np.float32)
    if pixels.ndim == 2:
        return pixels[None], False
    channels_last = pixels.ndim == 3 and pixels.shape[-1] < 16 < min(pixels.shape[:2])
    if pixels.ndim == 3 and pixels.shape[0] > 0 and not channels_last:
        return pixels, True
    if pixels.size == 0:
        raise ValueError(f"image has no pixels: its shape is {pixels.shape}")
    raise ValueError(
        "image must be (y, x), (z, y, x), or either with 3 or 4 colours last, "
        f"got shape {np.asarray(image).shape}: choose one time point and channel first"
    )


def as_plane_selection(
    selection: object, name: str, shape_yx: tuple[int, int], n_planes: int, kinds: str = "buif"
) -> np.ndarray | None:
    """Bring a mask or label image to (z, y, x), repeating a single plane over z.

    Raises
    ------
    TypeError
        Where its type is not of these kinds (numpy's letters: bool, unsigned, integer, float).
    ValueError
        Where it does not fit the image; the message gives both shapes.
    """
    if selection is None:
        return None
    array = np.asarray(selection)
    if array.dtype.kind not in kinds:
        wanted = "numbers or bool" if "f" in kinds else "integers"
        raise TypeError(f"{name} must hold {wanted}, got {array.dtype}")
    if array.ndim == 2:
        array = np.broadcast_to(array, (n_planes, *array.shape))
    if array.shape != (n_planes, *shape_yx):
        raise ValueError(
            f"{name} must have the image's shape {shape_yx if n_planes == 1 else (n_planes, *shape_yx)}, "
            f"got {np.asarray(selection).shape}"
        )
    return array


def counts_per_unit(image: object, stack_zyx: Any, mask_zyx: np.ndarray | None = None) -> float:
    """Factor to the 16-bit range, for a network that takes counts: 8-bit images fill it, as do floats up to 1.

    Parameters
    ----------
    image : array_like
        As it was handed over: colours that were averaged lost their type.
    stack_zyx : ndarray or PlaneStack
        The same image as planes.
    mask_zyx : ndarray of bool, optional
        True where it is to be measured; all planes share one factor.
    """
    kind = image.dtype if isinstance(image, PlaneStack) else np.asarray(image).dtype
    if kind == np.uint8:
        return 257.0
    if kind.kind != "f":
        return 1.0
    planes = (plane if mask_zyx is None else plane[mask_zyx[z]] for z, plane in enumerate(stack_zyx))
    return 65535.0 if all(np.fmax.reduce(plane, axis=None, initial=0) <= 1.0 for plane in planes) else 1.0


def fill_masked(image_yx: np.ndarray, mask_yx: np.ndarray, reach_px: float = 8.0) -> np.ndarray:
    """Replace masked-out pixels by a smooth continuation of the others, so that a mask's border is no edge."""
    from scipy.ndimage import gaussian_filter

    weight = mask_yx.astype(np.float32)
    known = np.where(mask_yx, image_yx, 0).astype(np.float32)
    share = gaussian_filter(weight, reach_px)
    inside = known[mask_yx].mean()
    smooth = np.where(share > 1e-4, gaussian_filter(known, reach_px) / np.maximum(share, 1e-4), inside)
    return np.where(mask_yx, known, smooth).astype(np.float32)
