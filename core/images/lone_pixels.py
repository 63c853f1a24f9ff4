"""Single bright pixels that no optics make: hot pixels of a camera, cosmic rays."""

from __future__ import annotations

import numpy as np

# Only pixels so many standard deviations above the mean are looked at.
_STANDS_OUT = 5.0
# The image of a point is wider than a pixel: its neighbours have a larger share of the height than this.
_NEIGHBOUR_SHARE = 0.2
_SAMPLED = 4


def without_lone_pixels(image_yx: np.ndarray) -> tuple[np.ndarray, bool]:
    """Replace single pixels that stand out, and whose neighbours do not, by the median around them.

    Such a pixel is the sharpest there can be, and would pass for a structure in focus.

    Parameters
    ----------
    image_yx : ndarray
        Plane (y, x), of any type.

    Returns
    -------
    image_yx : ndarray
        The same array where there are none.
    found : bool
    """
    y, x = _peaks(image_yx)
    if not len(y):
        return image_yx, False
    around = np.stack([_at(image_yx, y + dy, x + dx) for dy, dx in _ring(2)]).astype(np.float64)
    ground = np.median(around, axis=0)
    height = image_yx[y, x] - ground
    nearest = np.max([_at(image_yx, y + dy, x + dx) for dy, dx in _ring(1)], axis=0) - ground
    lone = (height > _STANDS_OUT * np.std(around, axis=0)) & (nearest < _NEIGHBOUR_SHARE * height)
    if not lone.any():
        return image_yx, False
    cleaned = image_yx.copy()
    cleaned[y[lone], x[lone]] = ground[lone].astype(image_yx.dtype)
    return cleaned, True


def _peaks(image_yx: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places (y), (x) of pixels that stand out and are higher than those around them."""
    some = image_yx[::_SAMPLED, ::_SAMPLED].astype(np.float64)
    with np.errstate(over="ignore"):  # of the largest doubles
        least = some.mean() + _STANDS_OUT * some.std()
    if least >= float(image_yx.max()):
        return np.empty(0, int), np.empty(0, int)
    # In the type of the image, since a comparison would else copy it.
    whole = np.floor(least) if image_yx.dtype.kind in "iu" else least
    y, x = np.divmod(np.flatnonzero(image_yx > whole.astype(image_yx.dtype)), image_yx.shape[1])
    for dy, dx in _ring(1):
        higher = image_yx[y, x] > _at(image_yx, y + dy, x + dx)
        y, x = y[higher], x[higher]
    return y, x


def _ring(reach: int) -> list[tuple[int, int]]:
    """Steps to all pixels no farther away, but to the pixel itself."""
    steps = range(-reach, reach + 1)
    return [(dy, dx) for dy in steps for dx in steps if dy or dx]


def _at(image_yx: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Values there, mirrored at the edges."""
    height, width = image_yx.shape
    y, x = np.abs(y), np.abs(x)
    return np.asarray(image_yx[np.minimum(y, 2 * height - 2 - y), np.minimum(x, 2 * width - 2 - x)])
