"""Patches drawn onto the image: the colour of a border is the defocus level, its lightness the certainty."""

from __future__ import annotations

import numpy as np

from parfocal.focus_quality.network import N_LEVELS
from parfocal.focus_quality.result import FocusPatches

# Red is best focus and violet the worst level, as in Yang et al. 2018.
_WORST_HUE = 0.75
# The darkest and brightest pixels that the grey picture keeps apart, in percent, and the gamma that lifts dim cells.
_CONTRAST_PERCENTILES = (0.5, 99.8)
_GAMMA = 0.45
# Width of a border as a share of the patch, from the picture's side.
_BORDER_SHARE = 1 / 28


def level_colors(defocus_level: np.ndarray, certainty: np.ndarray | float = 1.0) -> np.ndarray:
    """Colours of defocus levels: red is sharp, violet the worst level; the less certain, the darker.

    Parameters
    ----------
    defocus_level : ndarray
        (...), 0 to 10.
    certainty : ndarray or float
        (...), 0 to 1.

    Returns
    -------
    ndarray
        (..., 3) red, green, blue in 0 to 1.
    """
    hue = _WORST_HUE * np.clip(np.asarray(defocus_level, float) / (N_LEVELS - 1), 0, 1)
    # Full saturation: each primary is a trapezium over the hue circle.
    phase = (hue[..., None] * 6 + np.array([0.0, 4.0, 2.0])) % 6
    primaries = np.clip(np.abs(phase - 3) - 1, 0, 1)
    return primaries * np.clip(np.asarray(certainty, float), 0, 1)[..., None]


def border_width_px(patch_size_px: float) -> int:
    """Width of the border of a patch; it lies inside."""
    return max(1, round(patch_size_px * _BORDER_SHARE))


def draw_overlay(image_yx: np.ndarray, patches: FocusPatches | None) -> np.ndarray:
    """Draw the patches of a plane onto it, as in figure 2b of Yang et al. 2018 (doi:10.1186/s12859-018-2087-4).

    Parameters
    ----------
    image_yx : ndarray
        Plane (y, x), any intensity unit; NaN and infinity are drawn black.
    patches : FocusPatches or None
        Patches in pixels of this plane; None where there is no answer, then only the plane is drawn.

    Returns
    -------
    ndarray
        (y, x, 3) red, green, blue in 0 to 1, float32.
    """
    rgb = np.repeat(grey(image_yx)[..., None], 3, axis=2)
    if patches is None:
        return rgb
    colors = level_colors(patches.defocus_level, patches.certainty).astype(np.float32)
    width = border_width_px(patches.size_px)
    ends = np.rint(patches.corners_yx + patches.size_px).astype(int)
    for (top, left), (bottom, right), color in zip(np.rint(patches.corners_yx).astype(int), ends, colors):
        patch = rgb[top:bottom, left:right]
        patch[:width] = patch[-width:] = color
        patch[:, :width] = patch[:, -width:] = color
    return rgb


def grey(image_yx: np.ndarray, like_yx: np.ndarray | None = None) -> np.ndarray:
    """Stretch the contrast of a plane to 0 to 1, float32; a constant plane is black.

    Parameters
    ----------
    image_yx : ndarray
        Plane (y, x), any intensity unit; NaN and infinity are black.
    like_yx : ndarray, optional
        Plane whose contrast is taken instead of its own, so that the two can be compared.
    """
    image = np.asarray(image_yx)
    finite = np.isfinite(image)
    low, high = _contrast(image if like_yx is None else np.asarray(like_yx))
    if high <= low:
        return np.zeros(image.shape, np.float32)
    # Limited before it is rounded to float32: doubles may be larger than that can hold.
    shade = (np.clip(np.where(finite, image, low), low, high) - low) / (high - low)
    return np.asarray(shade**_GAMMA, np.float32)


def _contrast(image: np.ndarray) -> tuple[float, float]:
    """Values that are shown black and white; the same where there is no contrast."""
    known = image[np.isfinite(image)]
    if not known.size:
        return 0.0, 0.0
    low, high = np.percentile(known, _CONTRAST_PERCENTILES)
    return (low, high) if high > low else (float(known.min()), float(known.max()))
