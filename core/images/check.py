"""Checks that decide whether a plane can be measured at all."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from parfocal import status

# Share of pixels at the camera's limit from which a plane is refused, and from which it is worth a warning.
SATURATED_SHARE = 0.05
PARTLY_SATURATED_SHARE = 0.001
# A plateau at the maximum of fewer grey values than this is what any dim picture shows.
_FEWEST_GREY_VALUES = 32
_LARGEST_SAMPLE = 1 << 16


class PlaneCheck(NamedTuple):
    """What the check of a plane found: `ok` with an empty reason, or the status and a sentence that says why."""

    status: str
    reason: str
    saturated_share: float = 0.0


def check_plane(
    image_yx: np.ndarray, mask_yx: np.ndarray | None = None, saturation_level: float | None = None
) -> PlaneCheck:
    """Check one plane.

    Parameters
    ----------
    image_yx : ndarray
        Plane (y, x).
    mask_yx : ndarray of bool, optional
        True where the plane is to be measured; the rest is not looked at.
    saturation_level : float, optional
        Count at which the camera saturates, in the unit of the image.
    """
    if image_yx.size == 0:
        return PlaneCheck(status.TOO_SMALL, f"the image has no pixels: {image_yx.shape[1]} x {image_yx.shape[0]}")
    used = image_yx if mask_yx is None else image_yx[mask_yx]
    if used.size == 0:
        return PlaneCheck(status.MASKED_OUT, "the mask leaves no pixel to measure")
    low, high = used.min(), used.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        share = 100 * float(np.mean(~np.isfinite(used)))
        return PlaneCheck(status.NOT_FINITE, f"{share:.3g} percent of the pixels are NaN or infinite")
    if low == high:
        full = high >= _type_limit(used) if saturation_level is None else high >= saturation_level
        return PlaneCheck(status.SATURATED if full else status.BLANK, f"every pixel is {low:g}", float(full))
    share = saturated_share(used, saturation_level)
    if share > SATURATED_SHARE:
        limit = f"{high:g}" if saturation_level is None else f"or above {saturation_level:g}"
        reason = f"{100 * share:.1f} percent of the pixels are at {limit}, the limit is 5 percent"
        return PlaneCheck(status.SATURATED, reason, share)
    return PlaneCheck(status.OK, "", share)


def saturated_share(pixels: np.ndarray, saturation_level: float | None = None) -> float:
    """Share of pixels at the camera's limit; 0 where there is no sign of saturation.

    Without a given level the pixels' own maximum counts as the limit where it is the largest value of their type, or
    where it forms a plateau: at least 0.1 percent of the pixels, and twice as many as at the next lower value, share
    it, in a picture of 32 grey values or more.

    Parameters
    ----------
    pixels : ndarray
        Any shape, finite, not empty.
    saturation_level : float, optional
        Count from which a pixel is saturated.
    """
    if saturation_level is not None:
        return float(np.mean(pixels >= saturation_level))
    top = pixels.max()
    at_top = pixels == top
    count = int(np.count_nonzero(at_top))
    if count < PARTLY_SATURATED_SHARE * pixels.size:
        return 0.0
    if top < _type_limit(pixels) and not _is_plateau(pixels[~at_top], count, bool(top == 1)):
        return 0.0
    return count / pixels.size


def _is_plateau(below: np.ndarray, count: int, is_full_scale: bool) -> bool:
    """Say whether so many pixels at the maximum stand out from those below it."""
    if below.size == 0 or count < 2 * np.count_nonzero(below == below.max()):
        return False
    sample = below[:: 1 + below.size // _LARGEST_SAMPLE]
    return is_full_scale or len(np.unique(sample)) >= _FEWEST_GREY_VALUES - 1


def _type_limit(pixels: np.ndarray) -> float:
    """Largest value of an unsigned type; infinity for types that no camera fills."""
    return float(np.iinfo(pixels.dtype).max) if pixels.dtype.kind == "u" else float("inf")
