"""From estimates per bead and member to one distance, and what is known of its error."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from parfocal.beads.outliers import without_outliers

_BINS, _LEAST_FIELDS = 8, 3
Z_95 = 1.96


@dataclass(frozen=True)
class Combined:
    """Mean over beads, then over members, and the beads that took part."""

    distance_um: float
    member_distance_um: np.ndarray
    used: np.ndarray


def combine(distance_nm: np.ndarray) -> Combined:
    """Leave out outliers over the beads for each member, average over beads, then over members (Chalfoun et al. 2024).

    Parameters
    ----------
    distance_nm : ndarray
        Distances (n, members), um; rows of NaN take no part.
    """
    kept = without_outliers(distance_nm, axis=0)
    counts = kept.sum(axis=0)
    total = np.where(kept, distance_nm, 0.0).sum(axis=0)
    means = np.where(counts > 0, total / np.maximum(counts, 1), np.nan)
    return Combined(float(means.mean()), means, kept.sum(axis=1) * 2 > kept.shape[1])


@dataclass(frozen=True)
class ErrorTable:
    """Errors on crops that took no part in training, by distance.

    Parameters
    ----------
    distance_um : tuple of float
        Middles of the bins of distance, um.
    bead_sd_um : tuple of float
        Standard deviation between beads of one image, um.
    field_sd_um : tuple of float
        Error that all beads of one image share, root mean square, um.
    """

    distance_um: tuple[float, ...]
    bead_sd_um: tuple[float, ...]
    field_sd_um: tuple[float, ...]

    def standard_error_um(self, distance_um: float, n_beads: int, bead_sd_um: float, member_sd_um: float) -> float:
        """Standard error of a mean over beads, um.

        Parameters
        ----------
        distance_um : float
            The mean.
        n_beads : int
            Beads that took part, 1 or more.
        bead_sd_um, member_sd_um : float
            Observed scatter over the beads and over the members' means; each counts where it exceeds what is known.
        """
        bead = max(bead_sd_um, float(np.interp(distance_um, self.distance_um, self.bead_sd_um)))
        shared = max(member_sd_um, float(np.interp(distance_um, self.distance_um, self.field_sd_um)))
        return float(np.hypot(bead / np.sqrt(n_beads), shared))

    def bead_error_um(self, distance_um: np.ndarray) -> np.ndarray:
        """Standard error of single beads at some distances, um."""
        bead, shared = (np.interp(distance_um, self.distance_um, sd) for sd in (self.bead_sd_um, self.field_sd_um))
        return np.hypot(bead, shared)

    def as_dict(self) -> dict[str, Any]:
        """Plain lists for `config.json`, rounded to 1 nm."""
        return {name: [round(value, 3) for value in values] for name, values in asdict(self).items()}

    @classmethod
    def from_dict(cls, held: dict[str, Any]) -> ErrorTable:
        """Read what `as_dict` gave."""
        return cls(tuple(held["distance_um"]), tuple(held["bead_sd_um"]), tuple(held["field_sd_um"]))


def error_table(
    estimate_n: np.ndarray, truth_n: np.ndarray, field_n: np.ndarray, range_um: tuple[float, float]
) -> ErrorTable:
    """Measure the error table on fields of beads with known distances, in 8 even bins over the range.

    Parameters
    ----------
    estimate_n, truth_n : ndarray
        Estimate (mean over the members) and truth of each bead, um.
    field_n : ndarray
        Which field a bead belongs to; beads of a field share the truth.
    range_um : tuple of float
        Range of distances; bins with fewer than 3 fields take the value of all.
    """
    fields, index = np.unique(field_n, return_inverse=True)
    count = np.bincount(index)
    error = estimate_n - truth_n
    mean = np.bincount(index, error) / count
    rest = np.bincount(index, (error - mean[index]) ** 2)
    place = np.bincount(index, truth_n) / count
    edges = np.linspace(*range_um, _BINS + 1)
    which = np.clip(np.digitize(place, edges) - 1, 0, _BINS - 1)
    whole = _two_parts(mean, rest, count)
    chosen = [which == i for i in range(_BINS)]
    values = [_two_parts(mean[c], rest[c], count[c]) if c.sum() >= _LEAST_FIELDS else whole for c in chosen]
    beads, shared = zip(*values)
    return ErrorTable(tuple(((edges[1:] + edges[:-1]) / 2).tolist()), beads, shared)


def _two_parts(mean: np.ndarray, rest: np.ndarray, count: np.ndarray) -> tuple[float, float]:
    """Standard deviation within fields, and the part of the fields' mean errors beyond it."""
    freedom = (count - 1).sum()
    of_means = float(np.mean(mean**2))
    within = float(rest.sum() / freedom) if freedom else of_means
    return float(np.sqrt(within)), float(np.sqrt(max(0.0, of_means - within * np.mean(1 / count))))
