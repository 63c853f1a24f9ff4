"""Checks that decide whether a plane can be measured at all."""

from __future__ import annotations

import numpy as np

from parfocal import status

# Share of pixels on a plateau at the maximum from which a plane is refused, and from which it is worth a warning.
SATURATED_SHARE = 0.05
PARTLY_SATURATED_SHARE = 0.001


def saturation_threshold(image_yx: np.ndarray, saturation_level: float | None = None) -> float:
    """Value from which pixels count as saturated; infinity where there is no sign of saturation.

    Without a given level the image's own maximum counts as the camera's limit where it forms a plateau: at least
    0.1 percent of the pixels, and twice as many as at the next lower value, share it.
    """
    if saturation_level is not None:
        return saturation_level
    top = image_yx.max()
    at_top = image_yx == top
    count = int(np.count_nonzero(at_top))
    if count < PARTLY_SATURATED_SHARE * image_yx.size:
        return float("inf")
    below = image_yx[~at_top]
    next_count = int(np.count_nonzero(below == below.max())) if below.size else 0
    return float(top) if count >= 2 * next_count else float("inf")


def check_plane(
    image_yx: np.ndarray, mask_yx: np.ndarray | None = None, saturation_level: float | None = None
) -> tuple[str, str]:
    """Check one plane.

    Parameters
    ----------
    image_yx : ndarray
        Plane (y, x).
    mask_yx : ndarray of bool, optional
        True where the plane is to be measured.
    saturation_level : float, optional
        Count at which the camera saturates, in the unit of the image.

    Returns
    -------
    status, reason : str
        `ok` with an empty reason, or the status and a sentence that says why with the value.
    """
    if min(image_yx.shape) == 0:
        return status.TOO_SMALL, f"the image has no pixels: {image_yx.shape[1]} x {image_yx.shape[0]}"
    used = image_yx if mask_yx is None else image_yx[mask_yx]
    if used.size == 0:
        return status.MASKED_OUT, "the mask leaves no pixel to measure"
    if used.dtype.kind == "f" and not np.isfinite(used).all():
        share = 100 * float(np.mean(~np.isfinite(used)))
        return status.NOT_FINITE, f"{share:.3g} percent of the pixels are NaN or infinite"
    low, high = used.min(), used.max()
    if low == high:
        limit = saturation_level is not None and high >= saturation_level
        full = used.dtype.kind == "u" and high == np.iinfo(used.dtype).max
        found = status.SATURATED if limit or full else status.BLANK
        return found, f"every pixel is {low:g}"
    share = float(np.mean(used >= saturation_threshold(used, saturation_level)))
    if share > SATURATED_SHARE:
        return status.SATURATED, f"{100 * share:.1f} percent of the pixels are at {high:g}, the limit is 5 percent"
    return status.OK, ""
