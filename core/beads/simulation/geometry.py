"""What the two kinds of appearances share: which distances are allowed, and how far the blur reaches."""

from __future__ import annotations

import math
from typing import Optional

import numpy as np

from parfocal.optics import Optics


def check_distances(distance_um: np.ndarray) -> np.ndarray:
    """Distances (z,) as float; ValueError unless they are at least two, finite, and rise."""
    distance = np.asarray(distance_um, float)
    if distance.ndim != 1 or len(distance) < 2 or not np.isfinite(distance).all() or (np.diff(distance) <= 0).any():
        raise ValueError(f"distance_um must be a rising line of at least 2 finite distances, got {distance}")
    return distance


def radius_limit_um(
    optics: Optics, bead_diameter_um: float, distance_um: np.ndarray, radius_max_um: Optional[float]
) -> float:
    """Radius up to which to compute, um: the given one, or what holds bead, geometric blur and some diffraction rings.

    ValueError unless a given one is above 0 and finite.
    """
    if radius_max_um is not None:
        if not 0 < radius_max_um < math.inf:
            raise ValueError(f"radius_max_um must be above 0 and finite, got {radius_max_um}")
        return float(radius_max_um)
    sine = optics.numerical_aperture / optics.immersion_index
    slope = sine / math.sqrt(max(1 - sine**2, 0.05))
    return bead_diameter_um / 2 + float(np.abs(distance_um).max()) * slope + 5 * optics.lateral_unit_um
