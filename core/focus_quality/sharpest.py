"""Which plane of a stack is the sharpest."""

from __future__ import annotations

import numpy as np

# Levels that differ by less are not told apart: a third of the error of the model that ships.
_UNTOLD_LEVELS = 0.15


def sharpest_plane(levels: np.ndarray) -> int:
    """Find the middle of the planes that cannot be told from the sharpest one.

    Near focus the levels of thick objects, or of planes closer than a depth of field, differ by chance alone. The
    planes around the lowest level that lie within 0.15 of it are weighted by how far they are below that limit.

    Parameters
    ----------
    levels : ndarray
        (planes,), at least one of them finite; infinite where there is no answer.
    """
    lowest = int(np.argmin(levels))
    limit = levels[lowest] + _UNTOLD_LEVELS
    first = last = lowest
    while first > 0 and levels[first - 1] < limit:
        first -= 1
    while last + 1 < len(levels) and levels[last + 1] < limit:
        last += 1
    run = np.arange(first, last + 1)
    return int(np.floor(np.average(run, weights=limit - levels[run]) + 0.5))
