"""The true reference focal plane of an appearance, by the features of Chalfoun et al. 2024."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Callable

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.optimize import minimize_scalar

from parfocal.beads.simulation.appearance import BeadAppearance, PixelProfiles, pixel_profiles

_CENTRE_PX = 1.0
_STEPS = 600


@dataclass(frozen=True)
class ReferenceOffsets:
    """Where the features of a bead have their extremum, relative to the bead's centre.

    Parameters
    ----------
    slope_um : float
        Distance at which the steepest slope is most negative, um.
    centre_um : float
        Distance at which the centre is brightest, um.
    """

    slope_um: float
    centre_um: float

    @property
    def mean_um(self) -> float:
        """The reference focal plane relative to the bead's centre: the mean of both, um."""
        return (self.slope_um + self.centre_um) / 2


def reference_offset_um(appearance: BeadAppearance, pixel_size_um: float) -> float:
    """Distance of the reference focal plane from the bead's centre, um of stage, positive above.

    See `reference_offsets`, of which it is the mean.
    """
    return reference_offsets(appearance, pixel_size_um).mean_um


@lru_cache(maxsize=64)
def reference_offsets(appearance: BeadAppearance, pixel_size_um: float) -> ReferenceOffsets:
    """Find where the steepest slope is most negative and the centre brightest, without noise.

    The features are those of Chalfoun et al. 2024 (doi:10.1038/s41598-024-57123-w), computed from the pixel-integrated
    profile and not from an image, so that neither noise nor a smoothing spline moves them.

    Parameters
    ----------
    appearance : BeadAppearance
        Must reach beyond both extrema.
    pixel_size_um : float
        Width of a pixel, um; the centre's intensity is read one pixel off the axis.

    Returns
    -------
    ReferenceOffsets
        Relative to the bead's centre, um.

    Raises
    ------
    ValueError
        Where an extremum lies at the end of the appearance's distances.
    """
    distance = np.linspace(appearance.distance_um[0], appearance.distance_um[-1], _STEPS)
    profiles = pixel_profiles(appearance, pixel_size_um)
    slope, centre = feature_curves(profiles, distance)
    return ReferenceOffsets(
        _lowest(distance, slope, lambda at: feature_curves(profiles, at)[0], "steepest slope"),
        _lowest(distance, -centre, lambda at: -feature_curves(profiles, at)[1], "centre intensity"),
    )


def feature_curves(profiles: PixelProfiles, distance_um: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Steepest slope and centre intensity at some distances.

    Parameters
    ----------
    profiles : PixelProfiles
        Pixel-integrated profiles.
    distance_um : ndarray
        Distances from the bead's centre (z,), um.

    Returns
    -------
    steepest_slope_per_px, centre_intensity : ndarray
        Most negative derivative of the radial profile, and its value one pixel off the axis (z,). Both are divided by
        the background in bright field; in fluorescence there is none and the brightest pixel of all is 1.
    """
    over_radius = CubicSpline(profiles.radius_px, profiles.at(distance_um), axis=1)
    scale = profiles.appearance.background or 1.0
    fine = np.arange(0.0, profiles.radius_px[-1], profiles.step_px / 4)
    return over_radius(fine, 1).min(axis=1) / scale, over_radius(_CENTRE_PX) / scale


def _lowest(distance: np.ndarray, values: np.ndarray, function: Callable[[np.ndarray], np.ndarray], name: str) -> float:
    """Refine the lowest of sampled values on the function itself."""
    index = int(np.argmin(values))
    if index in (0, len(values) - 1):
        raise ValueError(
            f"the {name} has its extremum at the end of the appearance, {distance[index]:g} um from the bead's centre:"
            " compute it over a wider range, or, where the centre stays darker than the background (a small bead at low"
            " NA), take another bead or objective: these features mark no plane"
        )
    found = minimize_scalar(
        lambda at: function(np.array([at]))[0],
        bounds=(distance[index - 1], distance[index + 1]),
        method="bounded",
        options={"xatol": 1e-4},
    )
    return float(found.x)
