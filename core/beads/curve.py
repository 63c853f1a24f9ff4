"""The smooth curve of one feature over z and its extremum, with what the planes say of its error."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from parfocal.beads.planes import FeaturePlanes
from parfocal.beads.smoothing import SmoothingSpline

# A fit with this share of the parameters shows the errors that planes have in common for all beads, which the fit
# itself may follow; one with the second share shows by how much smoothing moves the extremum. Both were chosen so that
# intervals cover over peak shapes, samplings, stage errors and 1 to 20 beads.
_SHARE_FOR_RESIDUALS = 0.85
_SHARE_FOR_SMOOTHING_BIAS = 0.7
_LEAST_PARAMETERS = 3.2
# The curve passes the highest median within so many times the noise, or this share of its height.
_PEAK_TOLERANCE_NOISE = 3.0
_PEAK_TOLERANCE_HEIGHT = 0.1
# An extremum has to stand out from the curve's median by this many standard errors of the curve.
_LEAST_SIGNAL_TO_NOISE = 5.0
# The part of the slope's curve around its minimum is taken by itself where it has this many planes.
_LEAST_PLANES_OF_BRANCH = 7
# Of a plateau all planes lie within this share of the height.
_FLAT = 1e-3
# Neighbouring planes farther apart than this many usual steps have excluded ones between them.
_WIDE_GAP = 1.5
_DEVIATION_PER_MAD = 1.4826

AT_END = "extremum_at_end_of_stack"


@dataclass(frozen=True)
class CurveFit:
    """Smoothing spline of one feature over the planes around its extremum. The extremum is a maximum of sign * feature.

    Attributes
    ----------
    planes : FeaturePlanes
    sign : int
        1 where the maximum of the feature is looked for, -1 where its minimum is.
    spline : SmoothingSpline
    smoother : ndarray
        (n, n) from medians to smoothed values.
    strength : float
        Of the smoothing.
    baseline : float
        Median of sign * feature over all usable planes.
    noise : float
        Standard error of a plane's median: by the scatter of the beads, of a single bead by that of its planes.
    """

    planes: FeaturePlanes
    sign: int
    spline: SmoothingSpline
    smoother: np.ndarray
    strength: float
    baseline: float
    noise: float

    @cached_property
    def smoothed(self) -> np.ndarray:
        """(n,) smoothed sign * feature."""
        return self.smoother @ (self.sign * self.planes.median)

    @cached_property
    def _top(self) -> tuple[float, float]:
        z, height = self.spline.maximum(self.smoothed[None])
        return float(z[0]), float(height[0])

    @cached_property
    def plateau_um(self) -> tuple[float, float] | None:
        """First and last z of three or more neighbouring planes with the highest median: a clipped curve."""
        values = self.sign * self.planes.median
        highest = int(np.argmax(values))
        flat = values >= values[highest] - _FLAT * (values[highest] - self.baseline)
        first, last = run_around(flat, highest)
        return (float(self.planes.z_um[first]), float(self.planes.z_um[last])) if last - first >= 2 else None

    @property
    def extremum_um(self) -> float:
        """Place of the global extremum; of a plateau its middle."""
        return self._top[0] if self.plateau_um is None else sum(self.plateau_um) / 2

    @property
    def height(self) -> float:
        """How far the extremum stands out from the median of the curve."""
        return self._top[1] - self.baseline

    def share_of_height(self, z_um: float) -> float:
        """Height of the curve at z against that at the extremum, from the median of the curve; 0 outside."""
        if not self.planes.z_um[0] <= z_um <= self.planes.z_um[-1]:
            return 0.0
        return float((self.spline.curve(self.smoothed)(z_um) - self.baseline) / self.height)

    def extrema_um(self, medians: np.ndarray) -> np.ndarray:
        """Extrema (k,) of other medians (k, n) of the same planes with the same smoothing."""
        return self.spline.maximum((self.sign * medians) @ self.smoother.T)[0]

    @cached_property
    def residuals(self) -> tuple[np.ndarray, float]:
        """Errors of planes (n,) that all beads have in common, and their freedom: what a stiffer curve leaves."""
        stiff = self.spline.smoother(self._stiffer(_SHARE_FOR_RESIDUALS))
        freedom = max(len(self.planes) - float(np.trace(stiff)), 1.0)
        values = self.sign * self.planes.median
        residuals = (values - stiff @ values) * np.sqrt(len(self.planes) / freedom)
        if np.median(self.planes.n_beads) < 2:
            return residuals, freedom
        # The scatter of the beads is drawn by itself: here only what is left beside it.
        power = float(np.mean(residuals**2))
        left = max(0.0, 1.0 - self.noise**2 / power) if power > 0 else 0.0
        return residuals * np.sqrt(left), freedom

    @cached_property
    def smoothing_bias_um(self) -> float:
        """How far the extremum moves where the curve is smoothed more; of a plateau half of its width."""
        if self.plateau_um is not None:
            return (self.plateau_um[1] - self.plateau_um[0]) / 2
        stiff = self.spline.smoother(self._stiffer(_SHARE_FOR_SMOOTHING_BIAS))
        z = self.spline.maximum((stiff @ (self.sign * self.planes.median))[None])[0]
        return abs(float(z[0]) - self._top[0])

    def _stiffer(self, share: float) -> float:
        parameters = max(share * float(np.trace(self.smoother)), _LEAST_PARAMETERS)
        return max(self.spline.strength_for(parameters), self.strength)

    @cached_property
    def signal_to_noise(self) -> float:
        """Height of the extremum against the standard error of the smooth curve there."""
        nearest = int(np.argmin(np.abs(self.planes.z_um - self.extremum_um)))
        error = self.noise * np.sqrt(np.sum(self.smoother[nearest] ** 2))
        if self.height <= 1e-9 * np.max(np.abs(self.planes.median)):
            return 0.0
        return float(self.height / error) if error > 0 else np.inf

    def reason_for_no_extremum(self) -> str:
        """Say that nothing stands out, or nothing where something does."""
        if self.signal_to_noise >= _LEAST_SIGNAL_TO_NOISE:
            return ""
        return (
            f"no extremum stands out: {self.signal_to_noise:.1f} times the noise of the curve,"
            f" at least {_LEAST_SIGNAL_TO_NOISE:g} are needed"
        )

    def warnings(self) -> tuple[str, ...]:
        """What makes the extremum doubtful."""
        z, planes = self.extremum_um, self.planes
        index = int(np.clip(np.searchsorted(planes.z_um, z), 1, len(planes) - 1))
        below, above = planes.z_um[index - 1], planes.z_um[index]
        found = []
        if below in planes.stack_ends_um or above in planes.stack_ends_um:
            found.append(AT_END)
        elif index in (1, len(planes) - 1) or (
            planes.n_excluded and above - below > _WIDE_GAP * np.median(np.diff(planes.z_um))
        ):
            found.append("extremum_beside_excluded_planes")
        if self.plateau_um is not None:
            found.append("plateau_at_extremum")
        return tuple(found)


def fit_curve(planes: FeaturePlanes, is_slope: bool) -> CurveFit:
    """Fit the curve of one feature; the extremum of the slope is a minimum, that of the centre intensity a maximum.

    Parameters
    ----------
    planes : FeaturePlanes
        At least 4 planes.
    is_slope : bool
        True for the steepest slope. That feature changes its sign from one plane to the next where another edge of the
        bead becomes the steeper one, often close to its minimum. Where the minimum is negative, positive values are
        therefore set to 0, and of seven or more planes the unbroken run of negative ones is taken by itself.
    """
    sign = -1 if is_slope else 1
    noise = _noise(planes)
    if is_slope:
        planes = without_other_edge(planes)
    baseline = float(np.median(sign * planes.median))
    if is_slope:
        planes = _negative_branch(planes)
    spline = SmoothingSpline(planes.z_um, planes.n_beads.astype(float))
    highest = int(np.argmax(sign * planes.median))
    height = sign * planes.median[highest] - baseline
    tolerance = max(_PEAK_TOLERANCE_NOISE * noise, _PEAK_TOLERANCE_HEIGHT * height)
    strength = spline.choose_strength(sign * planes.median, highest, tolerance)
    return CurveFit(planes, sign, spline, spline.smoother(strength), strength, baseline, noise)


def _noise(planes: FeaturePlanes) -> float:
    if np.median(planes.n_beads) < 2:
        return _noise_of_one_bead(planes.z_um, planes.median)
    # Beads of different brightness are no noise: each is first scaled to the median.
    known = np.isfinite(planes.values_bz)
    values = np.where(known, planes.values_bz, 0.0)
    model = known * planes.median
    scale = (values * model).sum(axis=1) / np.maximum((model**2).sum(axis=1), np.finfo(float).tiny)
    scatter = np.where(known, np.abs(values - scale[:, None] * model), np.nan)
    deviation = _DEVIATION_PER_MAD * np.nanmedian(scatter, axis=0)
    error = deviation * np.sqrt(np.pi / 2 / np.maximum(planes.n_beads - 1, 1))
    return float(np.median(error))


def _noise_of_one_bead(z_um: np.ndarray, values: np.ndarray) -> float:
    """Distance of a plane's value from the straight line between its neighbours, which a narrow peak hardly raises."""
    share = (z_um[1:-1] - z_um[:-2]) / (z_um[2:] - z_um[:-2])
    off = values[1:-1] - (1 - share) * values[:-2] - share * values[2:]
    return float(np.median(np.abs(off) / np.sqrt(1 + share**2 + (1 - share) ** 2))) * _DEVIATION_PER_MAD


def without_other_edge(planes: FeaturePlanes) -> FeaturePlanes:
    """Set positive slopes to 0 where the smallest is negative: they are those of another edge of the bead."""
    if planes.median.min(initial=0.0) >= 0:
        return planes
    return replace(planes, values_bz=np.minimum(planes.values_bz, 0.0), median=np.minimum(planes.median, 0.0))


def _negative_branch(planes: FeaturePlanes) -> FeaturePlanes:
    if planes.median.min() >= 0:
        return planes
    first, last = run_around(planes.median < 0, int(np.argmin(planes.median)))
    if last - first + 1 < _LEAST_PLANES_OF_BRANCH:
        return planes
    part = slice(first, last + 1)
    return replace(
        planes,
        z_um=planes.z_um[part],
        values_bz=planes.values_bz[:, part],
        median=planes.median[part],
        n_beads=planes.n_beads[part],
    )


def run_around(inside: np.ndarray, index: int) -> tuple[int, int]:
    """First and last index of the unbroken run of True that holds `index`."""
    outside = np.flatnonzero(~inside)
    before, after = outside[outside < index], outside[outside > index]
    return int(before[-1]) + 1 if len(before) else 0, int(after[0]) - 1 if len(after) else len(inside) - 1
