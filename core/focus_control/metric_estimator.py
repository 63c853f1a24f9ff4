"""An estimator without a network: the distance to focus by a focus metric, learned from one sweep of the sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from parfocal import status
from parfocal.focal_position.result import NAN, Candidate, FocalPosition
from parfocal.focus_control.metrics import SMALLEST_PX, check_metric, relative_sharpness
from parfocal.focus_control.microscope import Microscope
from parfocal.focus_control.peak import spaced
from parfocal.focus_control.planes import take_planes
from parfocal.focus_control.settings import HoldFocus
from parfocal.focus_control.settings_checks import LIMITED
from parfocal.focus_control.sharpness_curve import descending, focal_plane, scatter, with_focus
from parfocal.focus_control.stage import StageGuard
from parfocal.images.check import check_plane

_FEWEST_PLANES = 7
# Below so many standard deviations the two sides of focus are one peak.
_ONE_PEAK = 1.5
_N_BINS = 101
# Noise alone may score 0 or less.
_LEAST_SHARPNESS = 1e-9
# Images of one plane differ by some percent, and no distance is known better than to such a share of the range.
_LEAST_SCATTER, _LEAST_DEVIATION = 0.02, 0.002


@dataclass(frozen=True, eq=False)
class MetricEstimator:
    """Tells the distance to the focal plane by the sharpness of an image, but not to which side: a callable.

    It holds for the sample, the optics and about the noise that it was learned with. A sample that changes its
    structures, such as a cell that rounds up, changes it as well.

    Attributes
    ----------
    distance_um : ndarray
        Distances to the focal plane (n,), ascending.
    log_sharpness : ndarray
        Logarithm of what the metric is there (n,), descending.
    scatter : float
        Standard deviation of the learned planes around the curve, as a logarithm: it makes a distance more uncertain
        where the curve is flat, in focus and far from it.
    focal_plane_um : float
        Position of the focal plane in the sweep.
    metric : str
        One of `parfocal.focus_control.metrics.FOCUS_METRICS`.
    planes : int
        Images that it was learned from.
    """

    distance_um: np.ndarray
    log_sharpness: np.ndarray
    scatter: float
    focal_plane_um: float
    metric: str
    planes: int

    @property
    def range_um(self) -> tuple[float, float]:
        """Range of the answers."""
        return -float(self.distance_um[-1]), float(self.distance_um[-1])

    def __call__(self, image_yx: np.ndarray) -> FocalPosition:
        """Estimate; status `sign_unknown` with a candidate on either side, `ok` where they cannot be told apart."""
        checked = check_plane(np.asarray(image_yx))
        if checked.status != status.OK:
            return FocalPosition(checked.status, checked.reason)
        sharpness = relative_sharpness(image_yx, self.metric)
        if not np.isfinite(sharpness):
            found = status.NO_CONTENT if min(np.shape(image_yx)) >= SMALLEST_PX else status.TOO_SMALL
            return FocalPosition(found, f"{self.metric} is not defined for so few counts or pixels")
        level = float(np.log(max(sharpness, _LEAST_SHARPNESS)))
        if level < self.log_sharpness[-1]:
            told = f"less sharp than at the farthest plane of the sweep, {self.distance_um[-1]:g} um from focus"
            return FocalPosition(status.OUT_OF_RANGE, told)
        # Sharper than in the sweep is in focus, and known no better than there.
        return self._answer(min(level, float(self.log_sharpness[0])))

    def _answer(self, level: float) -> FocalPosition:
        distance = self._distance(level)
        # How far the distance goes for an image that is as much sharper, or less sharp, as images of one plane differ;
        # to the side where the curve has not ended.
        farther, nearer = self._distance(level - self.scatter), self._distance(level + self.scatter)
        deviation = max(farther - distance, distance - nearer, _LEAST_DEVIATION * float(self.distance_um[-1]))
        distribution = self._distribution(distance, deviation)
        if distance < _ONE_PEAK * deviation:
            spread = float(np.hypot(distance, deviation))
            return FocalPosition(status.OK, "", (), 0.0, spread, 1.0, (Candidate(0.0, spread, 1.0),), *distribution)
        sides = tuple(Candidate(side, deviation, 0.5) for side in (distance, -distance))
        told = f"{distance:.2f} um from focus, above or below"
        return FocalPosition(status.SIGN_UNKNOWN, told, (), NAN, NAN, 0.5, sides, *distribution)

    def _distance(self, level: float) -> float:
        # Ascending for np.interp.
        return float(np.interp(level, self.log_sharpness[::-1], self.distance_um[::-1]))

    def _distribution(self, distance: float, deviation: float) -> tuple[np.ndarray, np.ndarray]:
        """Positions and probabilities of two equal peaks, which may be one."""
        positions = np.linspace(*self.range_um, _N_BINS)
        width = max(deviation, positions[1] - positions[0])
        peaks = [np.exp(-0.5 * ((positions - side) / width) ** 2) for side in (distance, -distance)]
        return positions, np.sum(peaks, axis=0) / np.sum(peaks)


def sweep_metric_estimator(microscope: Microscope, settings: HoldFocus) -> MetricEstimator:
    """Take a sweep over the search range around the present position and learn from it.

    The steps are coarse, and a quarter as long around the sharpest plane. The focus device is left in the focal plane;
    where there is none, it goes back.

    Parameters
    ----------
    microscope : Microscope
    settings : HoldFocus
        Range, step, limits and metric.

    Raises
    ------
    ValueError
        Where there is no metric, the limits exclude the present position, the setpoint lies farther from focus than
        the sweep reaches, or the sweep finds no focal plane.
    MicroscopeError
        Where an image or a move fails.
    """
    check_metric("focus_metric", settings.focus_metric)
    guard, start = StageGuard.begin(microscope, settings)
    low, high = (
        min(max(start + side * settings.search_range_um, guard.limits_um[0]), guard.limits_um[1]) for side in (-1, 1)
    )
    # No distance within the sweep is longer: what is known before it need not wait for its end.
    settings.check_range((low - high, high - low))
    try:
        planes = _coarse_and_fine(microscope, guard, settings, low, high)
        learned = _learned(planes, settings, guard)
        settings.check_range(learned.range_um)
        guard.travel_to(learned.focal_plane_um)
    except BaseException:  # an interrupt too must not leave the device at the end of a sweep
        guard.travel_to(start)
        raise
    return learned


def _coarse_and_fine(
    microscope: Microscope, guard: StageGuard, settings: HoldFocus, low: float, high: float
) -> list[tuple[float, np.ndarray]]:
    planes = take_planes(microscope, guard, spaced(low, high, settings.coarse_step_um))
    sharpness = [relative_sharpness(image, settings.focus_metric) for _, image in planes]
    # A plane without a sharpness is refused when it is learned from.
    best = planes[int(np.argmax(np.nan_to_num(sharpness, nan=-np.inf)))][0]
    near = max(low, best - 2 * settings.coarse_step_um), min(high, best + 2 * settings.coarse_step_um)
    return planes + take_planes(microscope, guard, spaced(*near, settings.coarse_step_um / 4))


def _learned(planes: list[tuple[float, np.ndarray]], settings: HoldFocus, guard: StageGuard) -> MetricEstimator:
    z = [z for z, _ in planes]
    try:
        return learn_metric_estimator([image for _, image in planes], z, settings.focus_metric)
    except ValueError as error:
        of = LIMITED[guard.by_offset]
        raise ValueError(
            f"{error}; the sweep went from {min(z):.2f} to {max(z):.2f} um: begin nearer to focus, or widen what ends"
            f" it (search_range_um, travel_um, lowest_{of}_um, highest_{of}_um)"
        ) from error


def learn_metric_estimator(images_zyx: Sequence[Any], z_um: Any, metric: str = "VollathF4") -> MetricEstimator:
    """Learn from one sweep through the focal plane.

    Parameters
    ----------
    images_zyx : sequence of array_like
        Planes (y, x), 7 at least.
    z_um : array_like
        Their positions (z,), um, in any order.
    metric : str
        Focus metric; its score over the variance of the image, so that it does not change with exposure.

    Returns
    -------
    MetricEstimator

    Raises
    ------
    ValueError
        Where there are too few planes, or the sharpness has no peak inside the sweep.
    """
    check_metric("metric", metric)
    z = np.asarray(z_um, float)
    if len(images_zyx) != z.size or z.size < _FEWEST_PLANES:
        raise ValueError(
            f"at least {_FEWEST_PLANES} planes with a z_um each are needed, got {len(images_zyx)}, {z.size}"
        )
    order = np.argsort(z)
    z = z[order]
    score = np.array([relative_sharpness(images_zyx[i], metric) for i in order])
    plane = focal_plane(z, score)
    distance = np.abs(z - plane)
    near = np.argsort(distance, kind="stable")
    distance, score = distance[near], np.log(np.maximum(score[near], _LEAST_SHARPNESS))
    curve = descending(score)
    # One distance for each level, so that the curve can be read backwards.
    levels, where = np.unique(curve, return_inverse=True)
    means = np.array([distance[where == i].mean() for i in range(levels.size)])
    means, levels = with_focus(means[::-1], levels[::-1])
    return MetricEstimator(means, levels, max(scatter(distance, score), _LEAST_SCATTER), plane, metric, z.size)
