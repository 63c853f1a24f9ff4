"""What a trained ensemble knows of its own errors: limits for refusing, and the error table for intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable

import numpy as np

from parfocal.beads.distance.combine import ErrorTable, error_table
from parfocal.beads.distance.crops import LabelledCrops, middle
from parfocal.beads.distance.likeness import KnownProfiles

# A limit is this quantile over good crops that took no part in training, widened by this factor.
_QUANTILE, _ROOM = 0.995, 1.3
_TOLERANCE_SHARE, _BINS = 0.06, 24
# Beads from which on their median unlikeness is judged, and the room of its limit: a median scatters less.
FEWEST_JUDGED, _FIELD_ROOM = 3, 1.2


@dataclass(frozen=True)
class Calibration:
    """Limits and errors of an ensemble.

    Parameters
    ----------
    tolerance_um : float
        Known profiles this near to an estimate are compared with the crop, um.
    member_spread_um : float
        Largest standard deviation over the members that is believed, um.
    typical_distance_um, typical_unlikeness : tuple of float
        Median difference of good crops from the known profiles at some distances: fine structure near the reference
        plane makes it larger there.
    unlikeness : float
        Largest difference that is believed, in units of the typical one.
    field_unlikeness : float
        Largest median of that over the beads of an image: beyond, optics or beads are not those of the model.
    errors : ErrorTable
        Errors of the crops that are believed.
    """

    tolerance_um: float
    member_spread_um: float
    typical_distance_um: tuple[float, ...]
    typical_unlikeness: tuple[float, ...]
    unlikeness: float
    field_unlikeness: float
    errors: ErrorTable

    def relative_unlikeness(self, unlike: np.ndarray, distance_um: np.ndarray) -> np.ndarray:
        """Differences from the known profiles (n,) in units of what is typical at their distances."""
        return unlike / np.interp(distance_um, self.typical_distance_um, self.typical_unlikeness)

    def as_dict(self) -> dict[str, Any]:
        """For `config.json`."""
        return {
            "tolerance_um": round(self.tolerance_um, 3),
            "member_spread_um": round(self.member_spread_um, 3),
            "typical_distance_um": [round(value, 3) for value in self.typical_distance_um],
            "typical_unlikeness": [round(value, 6) for value in self.typical_unlikeness],
            "unlikeness": round(self.unlikeness, 4),
            "field_unlikeness": round(self.field_unlikeness, 4),
            "errors": self.errors.as_dict(),
        }

    @classmethod
    def from_dict(cls, held: dict[str, Any]) -> Calibration:
        """Read what `as_dict` gave."""
        return cls(
            held["tolerance_um"],
            held["member_spread_um"],
            tuple(held["typical_distance_um"]),
            tuple(held["typical_unlikeness"]),
            held["unlikeness"],
            held["field_unlikeness"],
            ErrorTable.from_dict(held["errors"]),
        )


def calibrate(
    predict: Callable[[np.ndarray], np.ndarray],
    known: KnownProfiles,
    held_back: LabelledCrops,
    crop_px: int,
    range_um: tuple[float, float],
) -> Calibration:
    """Set the limits and measure the errors on crops that took no part in training.

    Parameters
    ----------
    predict : callable
        From crops (n, crop_px, crop_px) to distances (n, members), um.
    known : KnownProfiles
        Profiles of training crops.
    held_back : LabelledCrops
        Crops within the range; those of one stack at one distance are a field.
    crop_px : int
        Width the network sees.
    range_um : tuple of float
        Range that the model answers for, um.

    Raises
    ------
    ValueError
        Where `held_back` is empty.
    """
    if not len(held_back):
        raise ValueError(f"no crop that was kept back lies within {range_um[0]:g} to {range_um[1]:g} um")
    crops = middle(held_back.crops_nyx, crop_px)
    told = predict(crops)
    mean, spread = told.mean(axis=1), told.std(axis=1)
    tolerance = _TOLERANCE_SHARE * (range_um[1] - range_um[0]) / 2
    unlike = known.unlikeness(crops, mean, tolerance)
    places, typical = _typical(unlike, mean, range_um)
    relative = unlike / np.interp(mean, places, typical)
    spread_limit, unlike_limit = _ROOM * _upper(spread), _ROOM * _upper(relative)
    _, field = np.unique(np.stack([held_back.stack_index, held_back.distance_um]), axis=1, return_inverse=True)
    field = field.ravel()
    of_fields = np.array([np.median(relative[field == i]) for i in range(field.max() + 1)])
    good = (spread <= spread_limit) & (relative <= unlike_limit)
    if not good.any():  # a network that has learnt nothing: its errors are those of all crops
        good[:] = True
    errors = error_table(mean[good], held_back.distance_um[good], field[good], range_um)
    field_limit = _FIELD_ROOM * _upper(of_fields)
    return Calibration(
        tolerance, spread_limit, tuple(places.tolist()), tuple(typical.tolist()), unlike_limit, field_limit, errors
    )


def _typical(
    unlike: np.ndarray, distance_um: np.ndarray, range_um: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Median difference in 24 bins of distance; a bin with fewer than 5 crops takes that of all."""
    edges = np.linspace(*range_um, _BINS + 1)
    compared = np.isfinite(unlike)
    which = np.where(compared, np.clip(np.digitize(distance_um, edges) - 1, 0, _BINS - 1), -1)
    whole = float(np.median(unlike[compared])) if compared.any() else 1.0
    medians = [np.median(unlike[which == i]) if (which == i).sum() >= 5 else whole for i in range(_BINS)]
    return (edges[1:] + edges[:-1]) / 2, np.maximum(medians, 1e-6)


def _upper(values: np.ndarray) -> float:
    """The quantile that limits are made of, over finite values; 0 where there is none."""
    finite = values[np.isfinite(values)]
    return float(np.quantile(finite, _QUANTILE)) if len(finite) else 0.0
