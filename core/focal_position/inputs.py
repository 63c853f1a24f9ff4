"""What the focal-position networks see of an image."""

from __future__ import annotations

import math

import numpy as np

from parfocal.focal_position.network import FIELD_PX, STRIDE_PX

TASK = "focal_position"
# Percentiles of background and bright structures over means of 4 x 4 pixels, which keep the noise out.
_LOW, _HIGH, _MEANS_PX = 0.5, 99.9, 4
# Bright structures must stand out of the background by so many standard deviations of the noise of such a mean: pure
# noise reaches 6 to 8 in a picture of a megapixel.
_LEAST_CONTRAST = 10.0
SMALLEST_SIDE_PX = 64


def reduced(image_yx: np.ndarray, zoom: float) -> np.ndarray:
    """Reduce an image by a factor of at most 1: means of whole pixels first, then linear interpolation (float32).

    Rows and columns that fill no whole square are left out by the means, at most 1 / zoom - 1 of each.
    """
    whole = max(1, math.floor(1 / zoom + 1e-9))
    image = means(image_yx, whole) if whole > 1 else np.asarray(image_yx, np.float32)
    rest = zoom * whole
    if abs(rest - 1) < 1e-3:
        return image
    return _interpolated(_interpolated(image, rest).T, rest).T


def means(image_yx: np.ndarray, width: int) -> np.ndarray:
    """Means of squares of `width` pixels (float32); what fills no square is left out."""
    height, length = (side // width for side in image_yx.shape)
    cut = image_yx[: height * width, : length * width]
    # Sums of every `width`-th row and column: several times as fast as a mean over blocks.
    rows = np.zeros((height, length * width), np.float32)
    for start in range(width):
        rows += cut[start::width]
    total = np.zeros((height, length), np.float32)
    for start in range(width):
        total += rows[:, start::width]
    return total / np.float32(width**2)


def default_input(image_yx: np.ndarray) -> np.ndarray:
    """Bring an image of the network's scale to background 0 and bright structures 1, and mirror it until squares fit.

    Returns
    -------
    ndarray
        (y, x), float32, sides 96 + 16 k.
    """
    seen = normalised(image_yx)
    more = [(-(n - FIELD_PX)) % STRIDE_PX if n > FIELD_PX else FIELD_PX - n for n in seen.shape]
    return np.pad(seen, [(0, n) for n in more], mode="symmetric") if any(more) else seen


def normalised(image_yx: np.ndarray) -> np.ndarray:
    """Bring an image to background 0 and bright structures 1, cut to -1 to 4 (float32)."""
    low, high = _levels(image_yx)
    scale = np.float32(1 / (high - low)) if high > low else np.float32(0)
    return np.clip((np.asarray(image_yx, np.float32) - np.float32(low)) * scale, np.float32(-1), np.float32(4))


def paper_input(image_yx: np.ndarray, crop_px: int, downsampling: int) -> np.ndarray:
    """Cut out the middle, reduce it by means, and bring it to mean 0 and deviation 1 (Wei and Roberts 2018)."""
    y, x = ((side - crop_px) // 2 for side in image_yx.shape)
    return standardised(means(image_yx[y : y + crop_px, x : x + crop_px], downsampling))


def standardised(image_yx: np.ndarray) -> np.ndarray:
    """Bring an image to mean 0 and deviation 1; a constant one to 0."""
    spread = float(image_yx.std())
    return np.asarray((image_yx - image_yx.mean()) / (spread or 1.0), np.float32)


def contrast_problem(image_yx: np.ndarray) -> str:
    """Say that nothing stands out of the noise, or nothing where something does."""
    low, high = _levels(image_yx)
    noise = _noise(np.asarray(image_yx, np.float32)) / _MEANS_PX
    if high - low >= _LEAST_CONTRAST * noise and high > low:
        return ""
    told = (high - low) / noise if noise > 0 else 0.0
    return f"bright parts stand out of the noise by {told:.1f} standard deviations, needed are {_LEAST_CONTRAST:g}"


def _levels(image_yx: np.ndarray) -> tuple[float, float]:
    smooth = means(image_yx, _MEANS_PX) if min(image_yx.shape) >= 4 * _MEANS_PX else np.asarray(image_yx, float)
    low, high = np.percentile(smooth, [_LOW, _HIGH])
    return float(low), float(high)


def _noise(image_yx: np.ndarray) -> float:
    """Standard deviation of pixel noise, from differences of differences (Immerkaer 1996), of every fourth row."""
    rows = image_yx[1:-1:4]
    above, below = image_yx[:-2:4], image_yx[2::4]
    curve = rows - (above + below) / 2
    mixed = curve[:, 1:-1] - (curve[:, :-2] + curve[:, 2:]) / 2
    return float(np.median(np.abs(mixed))) / (0.6745 * 1.5)


def _interpolated(image_yx: np.ndarray, factor: float) -> np.ndarray:
    """Resize rows by linear interpolation between their middles."""
    old = image_yx.shape[0]
    new = max(1, round(old * factor))
    place = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
    below = np.minimum(place.astype(int), max(old - 2, 0))
    share = (place - below).astype(np.float32)[:, None]
    return np.asarray(image_yx[below] * (1 - share) + image_yx[np.minimum(below + 1, old - 1)] * share)
