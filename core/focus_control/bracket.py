"""The focal plane between a few images around it, by their sharpness: more precise than estimates that lead there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Optional

import numpy as np

from parfocal.focus_control.filter import Measurement

# Images around the sharpest take part at such distances from it, in steps: nearer ones hardly differ in sharpness, and
# farther ones lie where its logarithm is no parabola.
NEAREST, _FARTHEST = 0.5, 1.6
# Mean fall of the sharpness to either side, as a logarithm: a lesser one may be noise.
_LEAST_FALL = 0.05
# Standard deviation of the logarithm of the sharpness of images of one plane.
_SCATTER = 0.02


# Position of an image, um, and its sharpness, above 0.
Point = tuple[float, float]


def bracketed(points: Sequence[Point], step_um: float) -> Optional[Measurement]:
    """Top of the parabola through the logarithms of the sharpest image and one to each side of it.

    The logarithm, since the sharpness falls about as a normal distribution near focus.

    Parameters
    ----------
    points : sequence of Point
        Of the images so far.
    step_um : float
        Distance to either side that is right: about a depth of field.

    Returns
    -------
    Measurement or None
        None where an image is lacking on a side, or the sharpness hardly falls.
    """
    best = _sharpest(points)
    below, above = (_beside(points, step_um, side) for side in (-1, 1))
    if below is None or above is None:
        return None
    z = np.array([below[0], best[0], above[0]]) - best[0]
    level = np.log([below[1], best[1], above[1]])
    if level[1] - (level[0] + level[2]) / 2 < _LEAST_FALL:
        return None
    bend, slope, _ = np.polyfit(z, level, 2)
    deviation = _SCATTER / (math.sqrt(2.0) * (z[2] - z[0]) * abs(bend))
    return Measurement(best[0] - slope / (2.0 * bend), deviation**2)


def next_position(points: Sequence[Point], planes_um: Sequence[float], step_um: float) -> float:
    """Where the next image is to be taken.

    Parameters
    ----------
    points : sequence of Point
    planes_um : sequence of float
        Where the focal plane may lie by the first image: tried until an image there is sharper.
    step_um : float
        Distance from the sharpest image afterwards, to the side that has none, down first.
    """
    best = _sharpest(points)
    if best == points[0]:
        for plane in planes_um:
            if all(abs(plane - z) >= NEAREST * step_um for z, _ in points):
                return plane
    return best[0] + step_um if _beside(points, step_um, -1) is not None else best[0] - step_um


def _sharpest(points: Sequence[Point]) -> Point:
    return max(points, key=lambda point: point[1])


def _beside(points: Sequence[Point], step_um: float, side: int) -> Optional[Point]:
    """Image to one side of the sharpest whose distance is nearest to a step."""
    middle = _sharpest(points)[0]
    fit = [point for point in points if NEAREST <= (point[0] - middle) * side / step_um <= _FARTHEST]
    return min(fit, key=lambda point: abs(abs(point[0] - middle) - step_um), default=None)
