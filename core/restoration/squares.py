"""Squares of 4 x 4 pixels as channels: what the default network is run on."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

SQUARE_PX = 4
PIXELS = SQUARE_PX**2


def to_squares(planes: Iterable[np.ndarray], count: int) -> np.ndarray:
    """Make channels of the pixels of each square: `count` planes (y, x) to (16 count, y / 4, x / 4), planes innermost.

    The order is that of `tf.nn.space_to_depth`.
    """
    for i, plane in enumerate(planes):
        height, width = (length // SQUARE_PX for length in plane.shape)
        if i == 0:
            squares = np.empty((SQUARE_PX, SQUARE_PX, count, height, width), np.float32)
        squares[:, :, i] = plane.reshape(height, SQUARE_PX, width, SQUARE_PX).transpose(1, 3, 0, 2)
    return squares.reshape(PIXELS * count, height, width)


def from_squares(squares: np.ndarray) -> np.ndarray:
    """Put the pixels of the squares back into their places: (16, y, x) to (4 y, 4 x)."""
    _, height, width = squares.shape
    split = squares.reshape(SQUARE_PX, SQUARE_PX, height, width)
    return split.transpose(2, 0, 3, 1).reshape(height * SQUARE_PX, width * SQUARE_PX)
