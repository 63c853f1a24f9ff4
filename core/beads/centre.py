"""The centre of a bead to a fraction of a pixel: where a spline of the radius alone explains its pixels best."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Optional

import numpy as np

from parfocal.beads.radial import Pixels, knot_spacing_um, pixels_around
from parfocal.beads.spline import EvenSpline, fit_even_spline

# Pixels up to this multiple of the bead's diameter take part: the bead and what surrounds it in and out of focus.
APERTURE_DIAMETERS = 1.0
# The centre is looked for no farther away than this multiple of the diameter.
REACH_DIAMETERS = 0.5
# The first fit has knots this multiple of the diameter apart: too coarse to lock on to a wrong ring.
_COARSE_KNOTS_DIAMETERS = 0.125
# A bead of more pixels than this across is averaged in blocks first.
_LARGEST_DIAMETER_PX = 40.0
# Residuals are not noise alone: the light of neighbours and what is not symmetric leave patches of them, so that this
# many pixels count as one.
_PIXELS_PER_RESIDUAL = 25.0
_LARGEST_STEP_DIAMETERS = 0.1
_MOST_STEPS = 15
_TOLERANCE_PX = 1e-3


@dataclass(frozen=True)
class Centre:
    """A centre and how well the pixels determine it.

    Attributes
    ----------
    y_px, x_px : float
        Centre, px.
    information : ndarray
        (2, 2) inverse covariance of (y, x) from the pixels alone, 1 / px^2; 0 where they say nothing.
    contrast : float
        Standard deviation of the spline over the pixels, in their unit.
    unexplained : float
        Share of the pixels' variance that the spline leaves, 0 to 1.
    """

    y_px: float
    x_px: float
    information: np.ndarray
    contrast: float = 0.0
    unexplained: float = 1.0


def refine_centre(
    plane_yx: np.ndarray, y_px: float, x_px: float, pixel_size_um: float, bead_diameter_um: float
) -> tuple[float, float]:
    """Find the centre of a bead in one plane to a fraction of a pixel.

    The sum of squared residuals of a cubic smoothing spline of intensity against radius is minimised (Chalfoun et al.
    2024, doi:10.1038/s41598-024-57123-w). A linear gradient of the light is fitted with it: else it would pull the
    centre of a faint, defocused bead.

    Parameters
    ----------
    plane_yx : ndarray
        Plane (y, x).
    y_px, x_px : float
        Approximate centre, px, within half a bead's diameter of the true one.
    pixel_size_um, bead_diameter_um : float
        Size of a pixel and diameter of the bead, um.

    Returns
    -------
    y_px, x_px : float
        Centre; the approximate one where the pixels do not tell.
    """
    centre = fit_centre(plane_yx, (y_px, x_px), pixel_size_um, bead_diameter_um)
    return centre.y_px, centre.x_px


def fit_centre(
    plane_yx: np.ndarray,
    start_yx_px: tuple[float, float],
    pixel_size_um: float,
    bead_diameter_um: float,
    prior_information: Optional[np.ndarray] = None,
    neighbours_yx_px: Optional[np.ndarray] = None,
    coarse_first: bool = True,
) -> Centre:
    """Fit the centre of a bead, with the information (2, 2) in 1 / px^2 that its start already stands for."""
    diameter_px = bead_diameter_um / pixel_size_um
    factor = int(diameter_px // _LARGEST_DIAMETER_PX) + 1
    pixels = pixels_around(
        plane_yx, start_yx_px, APERTURE_DIAMETERS * diameter_px, neighbours_yx_px, APERTURE_DIAMETERS * diameter_px
    )
    pixels = _in_blocks(pixels, factor) if factor > 1 else pixels
    if len(pixels.values) < 30 or np.ptp(pixels.values) == 0:
        return Centre(*start_yx_px, np.zeros((2, 2)))
    prior = np.zeros((2, 2)) if prior_information is None else prior_information
    fine = knot_spacing_um(bead_diameter_um, pixel_size_um) / pixel_size_um * factor
    fit = _CentreFit(pixels, start_yx_px, diameter_px, prior)
    if coarse_first:
        fit.minimise(max(_COARSE_KNOTS_DIAMETERS * diameter_px, fine))
    fit.minimise(fine)
    return fit.centre()


class _CentreFit:
    """Gauss-Newton steps over the centre and the gradient of the light; the spline is solved anew at each.

    Shifting a centre changes the pixels of a ring in proportion to the cosine of the angle, which no function of the
    radius can follow: the spline does not enter the matrix of the steps, and few of them are needed.
    """

    def __init__(self, pixels: Pixels, start_yx_px: tuple[float, float], diameter_px: float, prior: np.ndarray):
        self.pixels, self.start, self.diameter_px = pixels, np.array(start_yx_px), diameter_px
        self.prior = prior
        self.level = float(pixels.values.mean())
        self.ramps = np.stack([pixels.y_px - self.start[0], pixels.x_px - self.start[1]]) / diameter_px
        self.parameters = np.concatenate([self.start, np.zeros(2)])
        self.variance = self.spread = float(pixels.values.var())
        self.hessian = np.zeros((4, 4))
        self.contrast = 0.0

    def minimise(self, spacing_px: float) -> None:
        """Step downhill until the centre stands still."""
        spline, residual, radius = self._fit(self.parameters, spacing_px)
        for _ in range(_MOST_STEPS):
            self.variance = residual @ residual / max(len(residual) - len(spline.coefficients) - 4, 1)
            cost = self._cost(residual, self.parameters)
            step = self._step(spline, residual, radius)
            for _ in range(5):
                trial = self._limited(self.parameters + step)
                fitted = self._fit(trial, spacing_px)
                if self._cost(fitted[1], trial) <= cost:
                    break
                step = step / 4
            else:
                return
            moved = np.abs(trial - self.parameters)[:2].max()
            self.parameters, (spline, residual, radius) = trial, fitted
            if moved < _TOLERANCE_PX:
                return

    def centre(self) -> Centre:
        """Centre, and its information with the gradient of the light marginalised; the start where it ran away."""
        y, x = self.parameters[:2]
        if math.hypot(y - self.start[0], x - self.start[1]) > 0.99 * REACH_DIAMETERS * self.diameter_px:
            return Centre(float(self.start[0]), float(self.start[1]), np.zeros((2, 2)))
        full = self.hessian / max(self.variance * _PIXELS_PER_RESIDUAL, 1e-12 * self.spread)
        own = full[:2, :2] - full[:2, 2:] @ np.linalg.pinv(full[2:, 2:]) @ full[2:, :2]
        return Centre(float(y), float(x), own, self.contrast, self.variance / max(self.spread, 1e-300))

    def _fit(self, parameters: np.ndarray, spacing_px: float) -> tuple[EvenSpline, np.ndarray, np.ndarray]:
        radius = self.pixels.radius_px(*parameters[:2])
        values = self.pixels.values - self.level - parameters[2:] @ self.ramps
        spline = fit_even_spline(radius, values, spacing_px, float(radius.max()))
        fitted = spline.value(radius)
        self.contrast = float(fitted.std())
        return spline, values - fitted, radius

    def _cost(self, residual: np.ndarray, parameters: np.ndarray) -> float:
        away = parameters[:2] - self.start
        return float(residual @ residual + self._pull() * (away @ self.prior @ away))

    def _pull(self) -> float:
        """Weight of the prior beside squared residuals."""
        return self.variance * _PIXELS_PER_RESIDUAL

    def _step(self, spline: EvenSpline, residual: np.ndarray, radius: np.ndarray) -> np.ndarray:
        slope = spline.slope(radius) / np.maximum(radius, 1e-9)
        jacobian = np.empty((4, len(radius)))
        jacobian[0] = slope * (self.pixels.y_px - self.parameters[0])
        jacobian[1] = slope * (self.pixels.x_px - self.parameters[1])
        jacobian[2:] = -self.ramps
        self.hessian = jacobian @ jacobian.T
        gradient = jacobian @ residual
        matrix = self.hessian.copy()
        matrix[:2, :2] += self._pull() * self.prior
        gradient[:2] += self._pull() * (self.prior @ (self.parameters[:2] - self.start))
        # What the pixels do not determine stays where it is.
        step = -np.linalg.lstsq(matrix, gradient, rcond=1e-9)[0]
        largest = np.abs(step[:2]).max()
        limit = _LARGEST_STEP_DIAMETERS * self.diameter_px
        return step if largest <= limit else step * (limit / largest)

    def _limited(self, parameters: np.ndarray) -> np.ndarray:
        away = parameters[:2] - self.start
        distance, reach = math.hypot(*away), REACH_DIAMETERS * self.diameter_px
        if distance > reach:
            parameters = parameters.copy()
            parameters[:2] = self.start + away * (reach / distance)
        return parameters


def _in_blocks(pixels: Pixels, factor: int) -> Pixels:
    """Average pixels in blocks of factor x factor."""
    row, column = (np.floor_divide(c, factor).astype(np.intp) for c in (pixels.y_px, pixels.x_px))
    row, column = row - row.min(), column - column.min()
    block = row * (column.max() + 1) + column
    counts = np.bincount(block)
    full = counts * 2 > factor**2
    y, x, v = (np.bincount(block, a)[full] / counts[full] for a in (pixels.y_px, pixels.x_px, pixels.values))
    return Pixels(y, x, v, pixels.finite_share)
