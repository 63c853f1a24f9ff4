"""The focal plane between a few images around it, by their sharpness: more precise than estimates that lead there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Optional

import numpy as np

from parfocal.focus_control.filter import Measurement

# Images around the sharpest take part at such distances from it, in steps: nearer ones hardly differ in sharpness, and
# farther ones lie where its logarithm is no parabola.
_NEAREST, _FARTHEST = 0.5, 1.6
# Mean fall of the sharpness to either side, as a logarithm: a lesser one may be noise.
_LEAST_FALL = 0.05
# Standard deviation of the logarithm of the sharpness of images of one plane.
_SCATTER = 0.02


def bracketed(z_um: Sequence[float], sharpness: Sequence[float], step_um: float) -> Optional[Measurement]:
    """Top of the parabola through the logarithms of the sharpest image and one to each side of it.

    The logarithm, since the sharpness falls about as a normal distribution near focus.

    Parameters
    ----------
    z_um, sharpness : sequence of float
        Of the images so far; the sharpness is above 0.
    step_um : float
        Distance to either side that is right: about a depth of field.

    Returns
    -------
    Measurement or None
        None where an image is lacking on a side, or the sharpness hardly falls.
    """
    best = int(np.argmax(sharpness))
    sides = [_beside(z_um, z_um[best], step_um, side) for side in (-1, 1)]
    if None in sides:
        return None
    rows = [sides[0], best, sides[1]]
    z = np.array([z_um[row] - z_um[best] for row in rows])
    level = np.log([sharpness[row] for row in rows])
    if level[1] - (level[0] + level[2]) / 2 < _LEAST_FALL:
        return None
    bend, slope, _ = np.polyfit(z, level, 2)
    deviation = _SCATTER / (math.sqrt(2.0) * (z[2] - z[0]) * abs(bend))
    return Measurement(z_um[best] - slope / (2.0 * bend), deviation**2)


def lacking(z_um: Sequence[float], sharpness: Sequence[float], step_um: float) -> float:
    """Where the next image is to be taken: a step beside the sharpest, on the side that has none, down first."""
    best = z_um[int(np.argmax(sharpness))]
    return best + step_um if _beside(z_um, best, step_um, -1) is not None else best - step_um


def _beside(z_um: Sequence[float], middle_um: float, step_um: float, side: int) -> Optional[int]:
    """Number of the image to one side whose distance is nearest to a step."""
    steps = (np.asarray(z_um) - middle_um) * side / step_um
    fit = np.flatnonzero((steps >= _NEAREST) & (steps <= _FARTHEST))
    return int(fit[np.argmin(np.abs(steps[fit] - 1.0))]) if fit.size else None
