"""What one bead looks like at every distance: intensity against radius and distance, and its pixel-integrated form."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.interpolate import CubicSpline

from parfocal.optics import Optics

_RADII_PER_PIXEL = 16
_SUBPIXELS = 6
_ORIENTATIONS = 5
_FADE = 0.9


@dataclass(frozen=True, eq=False)
class BeadAppearance:
    """Intensity around the axis of one bead, I(r, z), without noise and before pixels.

    Distances are those of the stage: the image plane minus the bead's centre, positive where the plane lies above
    (larger z). With a dry objective one um of stage moves the plane by n_medium / n_immersion um inside the medium.

    Parameters
    ----------
    radius_um : ndarray
        Distances from the axis (r,), um, rising from 0.
    distance_um : ndarray
        Distances of the image plane from the bead's centre (z,), um, rising.
    intensity_zr : ndarray
        Intensity (z, r).
    background : float
        Intensity far from the bead: 1 in bright field (beads multiply), 0 in fluorescence (beads add up, peak 1).
    bead_diameter_um : float
        Diameter of the bead, um.
    optics : Optics
        Wavelength, NA, immersion and pixel size it was computed for.
    condenser_numerical_aperture : float
        NA of the illumination; 0 in fluorescence.
    light_from_below : bool
        Whether transmitted light travels towards larger z.

    Raises
    ------
    ValueError
        Where shapes do not fit, or an axis does not rise.
    """

    radius_um: np.ndarray
    distance_um: np.ndarray
    intensity_zr: np.ndarray
    background: float
    bead_diameter_um: float
    optics: Optics
    condenser_numerical_aperture: float = 0.0
    light_from_below: bool = True

    def __post_init__(self) -> None:
        shape = (len(self.distance_um), len(self.radius_um))
        if self.intensity_zr.shape != shape:
            raise ValueError(f"intensity_zr must be (distances, radii) = {shape}, got {self.intensity_zr.shape}")
        for name in ("radius_um", "distance_um"):
            if (np.diff(getattr(self, name)) <= 0).any():
                raise ValueError(f"{name} must rise strictly")

    @property
    def is_bright_field(self) -> bool:
        """Whether beads multiply the light (bright field) or add to it (fluorescence)."""
        return self.background > 0


@dataclass(frozen=True, eq=False)
class PixelProfiles:
    """The radial profiles that a camera's pixels see, on an even fine grid of radii.

    Parameters
    ----------
    appearance : BeadAppearance
        What was integrated over pixels.
    pixel_size_um : float
        Width of the pixels, um.
    step_px : float
        Spacing of the radii, pixels.
    spline : CubicSpline
        Profile (r,) as a function of the distance, um; the last radius holds the background.
    """

    appearance: BeadAppearance
    pixel_size_um: float
    step_px: float
    spline: CubicSpline

    @property
    def radius_px(self) -> np.ndarray:
        """Radii of the profiles (r,), pixels."""
        return np.arange(self.spline.c.shape[-1]) * self.step_px

    @property
    def reach_px(self) -> int:
        """Radius in whole pixels beyond which there is background only."""
        return math.ceil(self.radius_px[-1])

    def at(self, distance_um: np.ndarray) -> np.ndarray:
        """Profiles (n, r) at distances (n,) in um, by a cubic spline; ValueError outside the appearance's range."""
        self.check_range(distance_um)
        return self.spline(np.asarray(distance_um, float))

    def check_range(self, distance_um: np.ndarray) -> None:
        """Raise ValueError where the appearance does not reach as far as some distances in um."""
        distance = np.asarray(distance_um, float)
        low, high = self.appearance.distance_um[[0, -1]]
        if not ((distance >= low) & (distance <= high)).all():
            raise ValueError(
                f"distances of {distance.min():g} to {distance.max():g} um are needed,"
                f" but the appearance holds {low:g} to {high:g} um from the bead's centre"
            )

    def render(self, profile: np.ndarray, radius_px: np.ndarray) -> np.ndarray:
        """Intensity at pixels whose centres lie at radii in pixels (any shape), from one profile (r,)."""
        position = np.minimum(radius_px / self.step_px, len(profile) - 1.000001)
        index = position.astype(np.intp)
        rest = position - index
        return profile[index] * (1 - rest) + profile[index + 1] * rest


@lru_cache(maxsize=64)
def pixel_profiles(appearance: BeadAppearance, pixel_size_um: float) -> PixelProfiles:
    """Integrate an appearance over square pixels.

    The mean over the pixel's square is averaged over the square's orientation as well, so that it depends on the radius
    alone: two squares that are turned against each other differ by fourth moments only. Over the last tenth of the
    radii the profile fades into the background, so that no step remains where the computation ends. The last few
    results are kept.

    Parameters
    ----------
    appearance : BeadAppearance
        What to integrate.
    pixel_size_um : float
        Width of a pixel in the sample plane, um, above 0.

    Returns
    -------
    PixelProfiles
        Profiles for every distance of the appearance.

    Raises
    ------
    ValueError
        Where the pixel size is not positive.
    """
    if not 0 < pixel_size_um < math.inf:
        raise ValueError(f"pixel_size_um must be above 0, got {pixel_size_um}")
    radius_um = appearance.radius_um
    faded = appearance.background + (appearance.intensity_zr - appearance.background) * _fade(radius_um)
    over_radius = CubicSpline(radius_um, faded, axis=1)
    means = np.zeros_like(faded)
    for across, along in _pixel_offsets() * pixel_size_um:
        means += over_radius(np.minimum(np.hypot(radius_um + across, along), radius_um[-1]))
    # One even grid for all: a table look-up per pixel is what makes crops fast.
    step_px = 1 / _RADII_PER_PIXEL
    fine_px = np.arange(math.ceil(radius_um[-1] / pixel_size_um / step_px) + 1) * step_px
    profiles = CubicSpline(radius_um, means / len(_pixel_offsets()), axis=1)(
        np.minimum(fine_px * pixel_size_um, radius_um[-1])
    )
    profiles[:, -1] = appearance.background
    return PixelProfiles(appearance, pixel_size_um, step_px, CubicSpline(appearance.distance_um, profiles, axis=0))


def _pixel_offsets() -> np.ndarray:
    """Points of a unit square (n, 2) in several orientations over an eighth of a turn."""
    line = (np.arange(_SUBPIXELS) + 0.5) / _SUBPIXELS - 0.5
    square = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    turns = np.pi / 4 * (np.arange(_ORIENTATIONS) + 0.5) / _ORIENTATIONS
    rotated = [square @ np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]]) for t in turns]
    return np.concatenate(rotated)


def _fade(radius_um: np.ndarray) -> np.ndarray:
    outer = np.clip((radius_um / radius_um[-1] - _FADE) / (1 - _FADE), 0, 1)
    return np.cos(np.pi / 2 * outer) ** 2
