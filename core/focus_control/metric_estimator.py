"""An estimator without a network: the distance to focus by a focus metric, learned from one sweep of the sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from parfocal import status
from parfocal.focal_position.result import Candidate, FocalPosition
from parfocal.focus_control.metrics import check_metric, relative_sharpness
from parfocal.focus_control.search import OK, judge, peak
from parfocal.images.check import check_plane

_FEWEST_PLANES = 7
# Below so many standard deviations the two sides of focus are one peak.
_ONE_PEAK = 1.5
_N_BINS = 101


@dataclass(frozen=True, eq=False)
class MetricEstimator:
    """Tells the distance to the focal plane by the sharpness of an image, but not to which side: a callable.

    It holds for the sample, the optics and about the noise that it was learned with. A sample that changes its
    structures, such as a cell that rounds up, changes it as well.

    Attributes
    ----------
    distance_um : ndarray
        Distances to the focal plane (n,), ascending.
    sharpness : ndarray
        What the metric is there (n,), descending.
    deviation_um : float
        Scatter of the learned planes around the curve: standard deviation of a distance.
    focal_plane_um : float
        Position of the focal plane in the sweep.
    metric : str
        One of `parfocal.focus_control.metrics.FOCUS_METRICS`.
    """

    distance_um: np.ndarray
    sharpness: np.ndarray
    deviation_um: float
    focal_plane_um: float
    metric: str

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
            return FocalPosition(status.TOO_SMALL, f"{self.metric} is not defined for this image")
        if sharpness < self.sharpness[-1]:
            told = f"less sharp than at the farthest plane of the sweep, {self.distance_um[-1]:g} um from focus"
            return FocalPosition(status.OUT_OF_RANGE, told)
        # Ascending for np.interp.
        distance = float(np.interp(sharpness, self.sharpness[::-1], self.distance_um[::-1]))
        return self._answer(distance)

    def _answer(self, distance: float) -> FocalPosition:
        positions = np.linspace(*self.range_um, _N_BINS)
        width = max(self.deviation_um, positions[1] - positions[0])
        density = sum(np.exp(-0.5 * ((positions - side) / width) ** 2) for side in (distance, -distance))
        distribution = {"positions_um": positions, "probability": density / np.sum(density)}
        if distance < _ONE_PEAK * self.deviation_um:
            deviation = float(np.hypot(distance, self.deviation_um))
            peak = (Candidate(0.0, deviation, 1.0),)
            return FocalPosition(status.OK, "", (), 0.0, deviation, 1.0, peak, **distribution)
        sides = tuple(Candidate(side, self.deviation_um, 0.5) for side in (distance, -distance))
        told = f"{distance:.2f} um from focus, above or below"
        return FocalPosition(status.SIGN_UNKNOWN, told, certainty=0.5, candidates=sides, **distribution)


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
    plane = _peak(z, score)
    distance = np.abs(z - plane)
    near = np.argsort(distance, kind="stable")
    distance, score = distance[near], score[near]
    curve = _descending(score)
    # One distance for each sharpness, so that it can be read backwards.
    levels, where = np.unique(curve, return_inverse=True)
    means = np.array([distance[where == i].mean() for i in range(levels.size)])
    read = np.interp(score, levels, means)
    deviation = float(np.sqrt(np.mean((read - distance) ** 2)))
    return MetricEstimator(means[::-1], levels[::-1], max(deviation, 0.05), plane, metric)


def _peak(z: np.ndarray, score: np.ndarray) -> float:
    """Position of the peak of the sharpness (ValueError where there is none)."""
    if not np.isfinite(score).all():
        raise ValueError(
            f"{z[~np.isfinite(score)][0]:g} um of the sweep has an image that is blank, too small or not finite"
        )
    found, reason = judge(z, score)
    if found != OK:
        raise ValueError(f"the sweep must go through the focal plane: {reason}")
    return peak(z, score)


def _descending(values: np.ndarray) -> np.ndarray:
    """Nearest sequence that never rises, by least squares (pool adjacent violators)."""
    blocks: list[tuple[float, int]] = []
    for value in values:
        blocks.append((float(value), 1))
        while len(blocks) > 1 and blocks[-1][0] > blocks[-2][0]:
            (last, n), (before, m) = blocks.pop(), blocks.pop()
            blocks.append(((last * n + before * m) / (n + m), n + m))
    return np.concatenate([np.full(count, mean) for mean, count in blocks])
