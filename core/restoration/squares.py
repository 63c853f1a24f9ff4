"""Squares of 4 x 4 pixels as channels: what the default network is run on."""

from __future__ import annotations

import numpy as np

SQUARE_PX = 4
PIXELS = SQUARE_PX**2


def to_squares(planes: np.ndarray) -> np.ndarray:
    """Make channels of the pixels of each square: (planes, y, x) to (16 * planes, y / 4, x / 4), planes innermost.

    The order is that of `tf.nn.space_to_depth`.
    """
    count, height, width = planes.shape
    split = planes.reshape(count, height // SQUARE_PX, SQUARE_PX, width // SQUARE_PX, SQUARE_PX)
    return split.transpose(2, 4, 0, 1, 3).reshape(PIXELS * count, height // SQUARE_PX, width // SQUARE_PX)


def from_squares(squares: np.ndarray) -> np.ndarray:
    """Put the pixels of the squares back into their places: (16, y, x) to (4 y, 4 x)."""
    _, height, width = squares.shape
    split = squares.reshape(SQUARE_PX, SQUARE_PX, height, width)
    return split.transpose(2, 0, 3, 1).reshape(height * SQUARE_PX, width * SQUARE_PX)
