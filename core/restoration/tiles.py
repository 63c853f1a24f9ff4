"""Restoring a plane of any size with a network, a tile at a time, so that memory stays bounded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Callable

import numpy as np

from parfocal.optics.optics import Optics
from parfocal.restoration.inputs import PAPER_BORDER_PX
from parfocal.restoration.kernels import HALF_PX, N_PLANES, wiener_planes
from parfocal.restoration.network import STRIDE_PX
from parfocal.restoration.squares import PIXELS, from_squares, to_squares

# Beyond this distance a pixel has no influence in the default network: by its layers 80 px above and left of it, 92 px
# below and right; up to whole strides.
REACH_PX = 96
# Height and width of a tile without its overlap: broad ones overlap less, lower ones need less memory.
TILE_PX = (1024, 2048)
# Tiles of the paper's networks; sides 4 + 16 k. Their instance normalisation sees one tile, hence the cross-fade.
PAPER_TILE_PX = 644
_FADE_PX = 64
Predict = Callable[[np.ndarray], np.ndarray]


def mirrored(start: int, stop: int, length: int) -> np.ndarray:
    """Indices of a line of this length from `start` to `stop`, mirrored beyond its ends (the last pixel twice)."""
    line = np.arange(start, stop) % (2 * length)
    return np.where(line < length, line, 2 * length - 1 - line)


def restore_tiled(
    predict: Predict,
    plane_yx: np.ndarray,
    level: float,
    noise_step: int,
    optics: Optics,
    tile_px: tuple[int, int] = TILE_PX,
) -> tuple[np.ndarray, np.ndarray]:
    """Restore a plane with the default network; tiles overlap so far that the result does not depend on their size.

    Parameters
    ----------
    predict : callable
        The network on squares (`network.on_squares`): (1, 96, y, x) to (1, 32, y, x), float32.
    plane_yx : ndarray
        (y, x), float32, background 0 and bright structures 1; mirrored beyond its borders.
    level : float
        Level of the whole plane, as measured.
    noise_step : int
        Noise of the whole plane, see `kernels.noise_step`.
    optics : Optics
        Optics of the plane.
    tile_px : tuple of int
        Height and width of a tile without its overlap, multiples of 16.

    Returns
    -------
    restored : ndarray
        (y, x), float32.
    log_scale : ndarray
        Logarithm of the scale of its error, not yet `network.floored`: (y, x), float32.
    """
    if any(side < STRIDE_PX or side % STRIDE_PX for side in tile_px):
        raise ValueError(f"tile_px must be multiples of {STRIDE_PX}, got {tile_px}")
    height, width = plane_yx.shape
    beyond = [(HALF_PX, HALF_PX + -length % STRIDE_PX) for length in (height, width)]
    seen_yx = np.pad(plane_yx, beyond, mode="symmetric")
    restored = np.empty((2, height, width), np.float32)
    for (y, y_from, y_to), (x, x_from, x_to) in _rectangles(height, width, tile_px):
        seen = seen_yx[y_from : y_to + 2 * HALF_PX, x_from : x_to + 2 * HALF_PX]
        bank = wiener_planes(seen, level, noise_step, optics)
        squares = predict(to_squares(bank, N_PLANES)[None])[0]
        y_end, x_end = min(y + tile_px[0], height), min(x + tile_px[1], width)
        inside = np.s_[y - y_from : y_end - y_from, x - x_from : x_end - x_from]
        for plane, part in zip(restored, (squares[:PIXELS], squares[PIXELS:])):
            plane[y:y_end, x:x_end] = from_squares(part)[inside]
    return restored[0], restored[1]


def restore_cross_faded(
    predict: Predict, plane_yxc: np.ndarray, tile_px: int = PAPER_TILE_PX, fade_px: int = _FADE_PX
) -> np.ndarray:
    """Restore an image with one of the paper's networks, tiles cross-faded into each other.

    Their instance normalisation takes mean and variance of one tile, so that the result depends on the tiles; an image
    of up to 644 pixels a side is one tile.

    Parameters
    ----------
    predict : callable
        The network: (1, c, y, x) to (1, c, y - 184, x - 184), float32.
    plane_yxc : ndarray
        (y, x, c), float32; mirrored beyond its borders.
    tile_px, fade_px : int
        Width of a tile, 4 + 16 k with k 3 or more, and of the overlap.

    Returns
    -------
    ndarray
        (y, x, c), float32.
    """
    height, width, channels = plane_yxc.shape
    total = np.zeros((height, width, channels), np.float32)
    weight = np.zeros((height, width, 1), np.float32)
    for y, x in ((y, x) for y in _starts(height, tile_px, fade_px) for x in _starts(width, tile_px, fade_px)):
        sides = [_paper_side(min(tile_px, n)) for n in (height, width)]
        rows = mirrored(y - PAPER_BORDER_PX, y + sides[0] + PAPER_BORDER_PX, height)
        columns = mirrored(x - PAPER_BORDER_PX, x + sides[1] + PAPER_BORDER_PX, width)
        planes = np.moveaxis(plane_yxc[rows[:, None], columns[None, :]], -1, 0)
        tile = np.moveaxis(predict(np.ascontiguousarray(planes[None]))[0], 0, -1)
        y_end, x_end = min(y + sides[0], height), min(x + sides[1], width)
        ramp = _ramp(sides[0], fade_px)[:, None, None] * _ramp(sides[1], fade_px)[None, :, None]
        total[y:y_end, x:x_end] += (tile * ramp)[: y_end - y, : x_end - x]
        weight[y:y_end, x:x_end] += ramp[: y_end - y, : x_end - x]
    return total / weight


def _rectangles(
    height: int, width: int, tile_px: tuple[int, int]
) -> Iterator[tuple[tuple[int, int, int], tuple[int, int, int]]]:
    """Yield for each tile, along y and x: where it starts, and from where to where the network sees the plane."""
    for y in range(0, height, tile_px[0]):
        for x in range(0, width, tile_px[1]):
            yield _span(y, height, tile_px[0]), _span(x, width, tile_px[1])


def _span(start: int, length: int, tile_px: int) -> tuple[int, int, int]:
    """Start of a tile and what is seen: up to the reach on each side, at the borders up to a whole stride."""
    whole = -(-length // STRIDE_PX) * STRIDE_PX
    return start, max(0, start - REACH_PX), min(whole, start + tile_px + REACH_PX)


def _starts(length: int, tile_px: int, fade_px: int) -> list[int]:
    """Starts of tiles that overlap by `fade_px` or more and cover a line, the last one ending with it."""
    if length <= tile_px:
        return [0]
    count = -(-(length - fade_px) // (tile_px - fade_px))
    return [round(i * (length - tile_px) / (count - 1)) for i in range(count)]


def _paper_side(length: int) -> int:
    """Smallest side of at least this length that the paper's networks can give: 52, 68, 84, ..."""
    return max(52, 4 + 16 * -(-(length - 4) // 16))


def _ramp(length: int, fade_px: int) -> np.ndarray:
    rise = (np.arange(length, dtype=np.float32) + 1) / fade_px
    return np.minimum(1, np.minimum(rise, rise[::-1]))
