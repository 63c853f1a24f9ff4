"""How far beads lie from the profile that is expected at their distance, in units of how good beads scatter about it.

A single crop hides a small difference of the optics in its noise. All beads of an image share it: the median of their
whitened deviations keeps it and loses the noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from parfocal.beads.distance.likeness import KnownProfiles

_NODES, _NEAREST = 200, 200
_SHRINKAGE, _LEAST_VARIANCE = 0.05, 1e-10


@dataclass(frozen=True, eq=False)
class ExpectedProfiles:
    """Mean profile and its scatter at even distances over a range.

    Parameters
    ----------
    distance_um : ndarray
        (nodes,), um, even.
    width_um : ndarray
        (nodes,) largest distance from the node that its curve was fitted to, um.
    curve : ndarray
        (nodes, 3, rings) coefficients of 1, w, w**2 with w the distance from the node over its width.
    whiten : ndarray
        (nodes, rings, rings): deviations times this have variance 1 and no correlation.
    """

    distance_um: np.ndarray
    width_um: np.ndarray
    curve: np.ndarray
    whiten: np.ndarray

    def deviations(self, profiles: np.ndarray, distance_um: np.ndarray) -> np.ndarray:
        """Whitened deviations (n, rings) of profiles from those expected at their distances (n,)."""
        first, step = self.distance_um[0], self.distance_um[1] - self.distance_um[0]
        node = np.clip(np.rint((distance_um - first) / step), 0, len(self.distance_um) - 1).astype(int)
        away = np.clip((distance_um - self.distance_um[node]) / self.width_um[node], -1, 1)
        expected = np.einsum("nk,nkr->nr", _powers(away), self.curve[node])
        return np.einsum("nr,nrq->nq", profiles - expected, self.whiten[node])


def expected_profiles(
    known: KnownProfiles, range_um: tuple[float, float], distance_error_um: np.ndarray
) -> ExpectedProfiles:
    """Fit a parabola in the distance to the known profiles about each of 200 places of a range.

    Parameters
    ----------
    known : KnownProfiles
        At true distances.
    range_um : tuple of float
        First and last place, um.
    distance_error_um : ndarray
        (200,) standard error of the distances that profiles will be given with, um: it adds to the scatter along the
        curve.
    """
    order = np.argsort(known.distance_um)
    distance, profiles = known.distance_um[order].astype(float), known.profiles[order].astype(float)
    nodes, n = places(range_um), min(_NEAREST, len(distance))
    start = np.clip(np.searchsorted(distance, nodes) - n // 2, 0, len(distance) - n)
    fitted = [
        _fit(distance[i : i + n] - node, profiles[i : i + n], error)
        for node, i, error in zip(nodes, start, distance_error_um)
    ]
    widths, curves, whiten = zip(*fitted)
    return ExpectedProfiles(nodes, np.array(widths), np.array(curves), np.array(whiten))


def places(range_um: tuple[float, float]) -> np.ndarray:
    """The 200 even places of a range, um."""
    return np.linspace(*range_um, _NODES)


def field_deviation(deviations: np.ndarray) -> float:
    """Root mean square over the rings of the median over the beads (n, rings), n 1 or more."""
    return float(np.sqrt(np.mean(np.median(deviations, axis=0) ** 2)))


def _fit(away_um: np.ndarray, profiles: np.ndarray, error_um: float) -> tuple[float, np.ndarray, np.ndarray]:
    """Width, curve and whitening matrix about one place."""
    width = max(float(np.abs(away_um).max()), 1e-9)
    powers = _powers(away_um / width)
    curve = np.linalg.lstsq(powers, profiles, rcond=None)[0]
    left = profiles - powers @ curve
    slope = curve[1] / width
    scatter = left.T @ left / len(left)
    scatter += np.diag(_SHRINKAGE * np.diag(scatter) + _LEAST_VARIANCE) + np.outer(slope, slope) * error_um**2
    return width, curve, np.linalg.inv(np.linalg.cholesky(scatter)).T


def _powers(away: np.ndarray) -> np.ndarray:
    return np.stack([np.ones_like(away), away, away**2], axis=1)
