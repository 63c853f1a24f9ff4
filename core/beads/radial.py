"""The radial profile of a bead: a cubic smoothing spline of intensity against the distance from its centre."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Optional

import numpy as np

from parfocal.beads.spline import EvenSpline, fit_even_spline

# Knots lie a pixel apart, or on finely sampled beads a 48th of the diameter, which no objective resolves better.
KNOTS_PER_DIAMETER = 48.0
# A ring counts where at least this share of it lies within the image, is finite and is nearest to this bead.
SMALLEST_RING_SHARE = 0.2


@dataclass(frozen=True)
class Pixels:
    """Pixels around a place: coordinates in px and intensities, each (n,), the finite ones that are to be used."""

    y_px: np.ndarray
    x_px: np.ndarray
    values: np.ndarray
    finite_share: float

    def radius_px(self, y_px: float, x_px: float) -> np.ndarray:
        """Distance (n,) of the pixels from a centre, px."""
        return np.hypot(self.y_px - y_px, self.x_px - x_px)


@dataclass(frozen=True)
class RadialProfile:
    """Intensity against the distance from a centre.

    Attributes
    ----------
    spline : EvenSpline
        Over radii in um; its slope at the centre is 0.
    centre_yx_px : tuple of float
        Centre, px.
    pixel_size_um : float
        Size of a pixel, um.
    end_um : float
        Radius to which the profile is known, um: as far as was asked for, or as the image and the neighbours allow.
    residual : float
        Standard deviation of the pixels about the spline.
    n_pixels : int
        Number of pixels that were fitted.
    """

    spline: EvenSpline
    centre_yx_px: tuple[float, float]
    pixel_size_um: float
    end_um: float
    residual: float
    n_pixels: int

    def intensity(self, radius_um: np.ndarray | float) -> np.ndarray:
        """Intensity at radii in um, NaN beyond `end_um`."""
        return np.where(np.abs(radius_um) <= self.end_um, self.spline.value(np.asarray(radius_um)), np.nan)

    def slope(self, radius_um: np.ndarray | float) -> np.ndarray:
        """Derivative of the intensity per um at radii in um, NaN beyond `end_um`."""
        return np.where(np.abs(radius_um) <= self.end_um, self.spline.slope(np.asarray(radius_um)), np.nan)


def radial_profile(
    plane_yx: np.ndarray,
    centre_yx_px: tuple[float, float],
    pixel_size_um: float,
    max_radius_um: float,
    knot_spacing_um: Optional[float] = None,
    neighbours_yx_px: Optional[np.ndarray] = None,
    neighbour_reach_um: float = 0.0,
) -> Optional[RadialProfile]:
    """Fit the radial profile about a centre.

    Parameters
    ----------
    plane_yx : ndarray
        Plane (y, x), integers or floats; pixels that are not finite are left out.
    centre_yx_px : tuple of float
        Centre (y, x), px.
    pixel_size_um, max_radius_um : float
        Size of a pixel and radius up to which the profile is wanted, um.
    knot_spacing_um : float, optional
        Distance of the knots; a pixel without it.
    neighbours_yx_px : ndarray, optional
        (n, 2) centres of other things in the image.
    neighbour_reach_um : float
        Pixels this close to a neighbour, and closer to it than to the centre, are left out.

    Returns
    -------
    RadialProfile or None
        None where there are too few pixels around the centre.
    """
    max_radius_px = max_radius_um / pixel_size_um
    pixels = pixels_around(plane_yx, centre_yx_px, max_radius_px, neighbours_yx_px, neighbour_reach_um / pixel_size_um)
    radius_px = pixels.radius_px(*centre_yx_px)
    end_px = _covered_radius_px(radius_px, max_radius_px)
    spacing_px = 1.0 if knot_spacing_um is None else max(knot_spacing_um / pixel_size_um, 1.0)
    used = radius_px <= end_px
    if end_px < 2 * spacing_px or np.count_nonzero(used) < 12:
        return None
    values = pixels.values[used]
    level = float(values.mean())
    fit = fit_even_spline(radius_px[used], values - level, spacing_px, end_px)
    residual = values - level - fit.value(radius_px[used])
    freedom = max(len(values) - len(fit.coefficients), 1)
    return RadialProfile(
        spline=EvenSpline(spacing_px * pixel_size_um, fit.coefficients + level),
        centre_yx_px=(float(centre_yx_px[0]), float(centre_yx_px[1])),
        pixel_size_um=pixel_size_um,
        end_um=end_px * pixel_size_um,
        residual=float(np.sqrt(residual @ residual / freedom)),
        n_pixels=len(values),
    )


def knot_spacing_um(bead_diameter_um: float, pixel_size_um: float) -> float:
    """Distance of the knots for beads of a diameter, um: a pixel, or a 48th of the diameter where that is more."""
    return max(pixel_size_um, bead_diameter_um / KNOTS_PER_DIAMETER)


def pixels_around(
    plane_yx: np.ndarray,
    centre_yx_px: tuple[float, float],
    radius_px: float,
    neighbours_yx_px: Optional[np.ndarray] = None,
    neighbour_reach_px: float = 0.0,
) -> Pixels:
    """Pixels within a radius of a centre, without those that belong to a neighbour or are not finite."""
    y0, x0 = centre_yx_px
    rows, columns = (
        slice(max(math.ceil(c - radius_px), 0), max(min(math.floor(c + radius_px) + 1, length), 0))
        for c, length in zip((y0, x0), plane_yx.shape)
    )
    values = plane_yx[rows, columns].astype(float)
    y = np.arange(rows.start, rows.start + values.shape[0], dtype=float)[:, None]
    x = np.arange(columns.start, columns.start + values.shape[1], dtype=float)[None, :]
    squared = (y - y0) ** 2 + (x - x0) ** 2
    inside = squared <= radius_px**2
    for ny, nx in () if neighbours_yx_px is None else np.reshape(neighbours_yx_px, (-1, 2)):
        if math.hypot(ny - y0, nx - x0) < radius_px + neighbour_reach_px:
            to_neighbour = (y - ny) ** 2 + (x - nx) ** 2
            inside &= (to_neighbour > neighbour_reach_px**2) | (to_neighbour > squared)
    finite = np.isfinite(values)
    share = float(np.mean(finite[inside])) if inside.any() else 0.0
    row, column = np.nonzero(inside & finite)
    return Pixels(y[row, 0], x[0, column], values[row, column], share)


def _covered_radius_px(radius_px: np.ndarray, max_radius_px: float) -> float:
    """Radius up to which every ring, two pixels wide, has enough of its pixels."""
    edges = np.append(np.arange(0.0, max_radius_px, 2.0), max_radius_px)
    counts = np.histogram(radius_px, edges)[0]
    whole = np.pi * np.diff(edges**2)
    poor = np.flatnonzero(counts < SMALLEST_RING_SHARE * whole)
    return float(edges[poor[0]]) if len(poor) else max_radius_px
