"""What each sorting network sees of an image."""

from __future__ import annotations

import numpy as np

from parfocal.restoration.intensity import Intensity
from parfocal.restoration.plane import hot_pixels, without_pixels
from parfocal.sorting.network import FIELD_PX, PAPER_CROP_PX, PAPER_INPUT_PX, STRIDE_PX

# The default network runs over tiles of so many steps of its map, that memory stays bounded.
TILE_STEPS = 96


def without_hot_pixels(image_yx: np.ndarray) -> tuple[np.ndarray, bool]:
    """Replace single pixels far above all their neighbours: the image (y, x), type kept, and whether there were any.

    In a small image one such pixel would set the intensity scale, and pass for a sharp structure in any.
    """
    if not image_yx.size or not np.isfinite(image_yx).all():
        return image_yx, False
    seen = in_range(image_yx)
    hot = hot_pixels(seen[..., None], Intensity.of(seen))
    return without_pixels(image_yx[..., None], hot)[..., 0], bool(hot.any())


def in_range(image_yx: np.ndarray) -> np.ndarray:
    """Bring floats and large whole numbers to 0 to 1, so that float32 holds them; others come out as they are."""
    low, high = float(image_yx.min()), float(image_yx.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        return image_yx
    if image_yx.dtype.kind != "f" and image_yx.dtype.itemsize <= 2 or low == high:
        return image_yx
    # Halved, since the range of doubles may exceed what a double holds.
    return np.asarray((image_yx.astype(np.float64) / 2 - low / 2) / (high / 2 - low / 2), np.float32)


def paper_inputs(image_yx: np.ndarray, input_px: int = PAPER_INPUT_PX) -> np.ndarray:
    """Cut an image into squares of 536 pixels and resize each to 134 x 134, mean 0 and variance 1.

    Squares lie side by side and cover the image, the last ones overlapping; a smaller image gives squares as wide as
    its shorter side. Xue et al. (2021) resize by bilinear interpolation, without smoothing first.

    Parameters
    ----------
    image_yx : ndarray
        (y, x), any type.
    input_px : int
        Side that the squares are resized to.

    Returns
    -------
    ndarray
        (n, 134, 134, 1), float32, or of another side where that is asked for.
    """
    image = np.asarray(image_yx, np.float32)
    side = min(PAPER_CROP_PX, *image.shape)
    squares = [
        resized(image[y : y + side, x : x + side], input_px)
        for y in _covering(image.shape[0], side)
        for x in _covering(image.shape[1], side)
    ]
    batch = np.stack(squares)
    # As TensorFlow's per_image_standardization: the deviation is kept above that of one grey value.
    spread = np.maximum(batch.std(axis=(1, 2), keepdims=True), 1.0 / input_px)
    return np.asarray(((batch - batch.mean(axis=(1, 2), keepdims=True)) / spread)[..., None], np.float32)


def resized(square_yx: np.ndarray, size_px: int) -> np.ndarray:
    """Resize a square by bilinear interpolation between the centres of its pixels."""
    length = square_yx.shape[0]
    place = np.clip((np.arange(size_px) + 0.5) * length / size_px - 0.5, 0, length - 1)
    before = np.minimum(place.astype(int), max(length - 2, 0))
    after, share = np.minimum(before + 1, length - 1), (place - before).astype(np.float32)
    rows = square_yx[before] * (1 - share)[:, None] + square_yx[after] * share[:, None]
    return np.asarray(rows[:, before] * (1 - share) + rows[:, after] * share)


def default_input(image_yx: np.ndarray) -> np.ndarray:
    """Bring an image to background 0 and bright structures 1, half its width, and mirror it until the squares fit.

    Means of 2 x 2 pixels keep the noise down and lose little: a blur that counts as defocus is wider (9 pixels and up).

    Returns
    -------
    ndarray
        (y, x), float32, sides 49 + 8 k.
    """
    seen = Intensity.of(image_yx).apply(image_yx)
    # Beyond a few times the bright structures lies what is none: dust, a hot pixel.
    seen = np.clip(np.pad(seen, [(0, n % 2) for n in seen.shape], mode="symmetric"), -1.0, 4.0)
    seen = seen.reshape(seen.shape[0] // 2, 2, seen.shape[1] // 2, 2).mean(axis=(1, 3))
    more = [(-(length - FIELD_PX)) % STRIDE_PX if length > FIELD_PX else FIELD_PX - length for length in seen.shape]
    return np.pad(seen, [(0, n) for n in more], mode="symmetric")


def default_tiles(seen_yx: np.ndarray) -> list[np.ndarray]:
    """Cut what `default_input` gives into tiles whose maps, side by side, are the map of the whole."""
    step = TILE_STEPS * STRIDE_PX
    ends = [length - FIELD_PX + 1 for length in seen_yx.shape]
    return [
        seen_yx[y : y + step + FIELD_PX - STRIDE_PX, x : x + step + FIELD_PX - STRIDE_PX]
        for y in range(0, ends[0], step)
        for x in range(0, ends[1], step)
    ]


def _covering(length: int, side: int) -> list[int]:
    """Starts of squares side by side, the last at the end where a tenth of a square or more would be left out."""
    starts = list(range(0, length - side + 1, side))
    if length - (starts[-1] + side) >= side // 10:
        starts.append(length - side)
    return starts
