"""What a trained ensemble knows of its own errors: limits for refusing, and the error table for intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable

import numpy as np

from parfocal.beads.distance.combine import ErrorTable, error_table
from parfocal.beads.distance.crops import LabelledCrops, middle
from parfocal.beads.distance.expectation import expected_profiles, field_deviation, places
from parfocal.beads.distance.likeness import KnownProfiles, radial_profiles

# A limit is this quantile over good crops that took no part in training, widened by this factor.
_QUANTILE, _ROOM = 0.995, 1.3
_TOLERANCE_SHARE, _BINS = 0.06, 24
# Beads from which on they are judged together, and the room of the two limits for that: a median scatters less.
FEWEST_JUDGED, _MEDIAN_ROOM, _TOGETHER_ROOM = 3, 1.2, 1.1


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
    field_deviation : float
        Largest deviation of the beads of an image, taken together, from the profile expected at their distance (see
        `field_deviation` in `expectation`), for images of `field_beads` beads or more.
    field_beads : int
        Beads of the images that this was measured on; with fewer the limit grows as the noise does.
    errors : ErrorTable
        Errors of the crops that are believed.
    """

    tolerance_um: float
    member_spread_um: float
    typical_distance_um: tuple[float, ...]
    typical_unlikeness: tuple[float, ...]
    unlikeness: float
    field_unlikeness: float
    field_deviation: float
    field_beads: int
    errors: ErrorTable

    def relative_unlikeness(self, unlike: np.ndarray, distance_um: np.ndarray) -> np.ndarray:
        """Differences from the known profiles (n,) in units of what is typical at their distances."""
        return unlike / np.interp(distance_um, self.typical_distance_um, self.typical_unlikeness)

    def deviation_limit(self, n_beads: int) -> float:
        """Largest `field_deviation` that is believed for so many beads."""
        return self.field_deviation * _room_for(n_beads, self.field_beads)

    def as_dict(self) -> dict[str, Any]:
        """For `config.json`."""
        return {
            "tolerance_um": round(self.tolerance_um, 3),
            "member_spread_um": round(self.member_spread_um, 3),
            "typical_distance_um": [round(value, 3) for value in self.typical_distance_um],
            "typical_unlikeness": [round(value, 6) for value in self.typical_unlikeness],
            "unlikeness": round(self.unlikeness, 4),
            "field_unlikeness": round(self.field_unlikeness, 4),
            "field_deviation": round(self.field_deviation, 4),
            "field_beads": self.field_beads,
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
            held["field_deviation"],
            held["field_beads"],
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
    told, profiles = predict(crops), radial_profiles(crops)
    mean, spread = told.mean(axis=1), told.std(axis=1)
    tolerance = _TOLERANCE_SHARE * (range_um[1] - range_um[0]) / 2
    unlike = known.unlikeness(profiles, mean, tolerance)
    distances, typical = _typical(unlike, mean, range_um)
    relative = unlike / np.interp(mean, distances, typical)
    spread_limit, unlike_limit = _ROOM * _upper(spread), _ROOM * _upper(relative)
    field = _fields(held_back)
    good = (spread <= spread_limit) & (relative <= unlike_limit)
    if not good.any():  # a network that has learnt nothing: its errors are those of all crops
        good[:] = True
    errors = error_table(mean[good], held_back.distance_um[good], field[good], range_um)
    deviations = expected_profiles(known, range_um, errors.bead_error_um(places(range_um))).deviations(profiles, mean)
    groups = [np.flatnonzero(field == i) for i in np.unique(field)]
    usual = int(np.median([len(group) for group in groups]))
    together = [field_deviation(deviations[group]) / _room_for(len(group), usual) for group in groups]
    return Calibration(
        tolerance,
        spread_limit,
        tuple(distances.tolist()),
        tuple(typical.tolist()),
        unlike_limit,
        _MEDIAN_ROOM * _upper(np.array([np.median(relative[group]) for group in groups])),
        _TOGETHER_ROOM * _upper(np.array(together)),
        usual,
        errors,
    )


def _room_for(n_beads: int, usual: int) -> float:
    """How much more the beads of an image may deviate, taken together, where there are fewer than usual."""
    return float(np.sqrt(max(1.0, usual / n_beads)))


def _fields(crops: LabelledCrops) -> np.ndarray:
    """Number of each crop's field (n,): those of one stack at one distance."""
    return np.unique(np.stack([crops.stack_index, crops.distance_um]), axis=1, return_inverse=True)[1].ravel()


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
