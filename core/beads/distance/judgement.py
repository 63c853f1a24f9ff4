"""Judging crops by what the networks say of them, one by one and all of an image together."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Optional

import numpy as np

from parfocal import status
from parfocal.beads.distance.calibration import FEWEST_JUDGED, Calibration
from parfocal.beads.distance.expectation import ExpectedProfiles, expected_profiles, field_deviation, places
from parfocal.beads.distance.likeness import KnownProfiles, radial_profiles
from parfocal.beads.distance.result import BEAD_REASONS
from parfocal.registry import Model, ModelError, shown


@dataclass(frozen=True, eq=False)
class Judgement:
    """What is held against each crop.

    Attributes
    ----------
    status : ndarray
        (n,) text: `ok`, or why the crop gives no answer.
    unlike : ndarray
        (n,) difference from the known profiles at the distance read off, in units of the typical one; NaN where that
        distance lies beyond the range, or nothing was read.
    deviation : ndarray
        (n, rings) whitened deviation from the profile expected there; NaN likewise.
    """

    status: np.ndarray
    unlike: np.ndarray
    deviation: np.ndarray

    def select(self, index: np.ndarray) -> Judgement:
        """Take some of the crops."""
        return Judgement(self.status[index], self.unlike[index], self.deviation[index])

    def among(self, status_all: np.ndarray) -> Judgement:
        """Put the crops back among those that were not judged: statuses of all (n,), those judged here being `ok`."""
        judged = status_all == status.OK
        names, unlike = status_all.copy(), np.full(len(status_all), np.nan)
        deviation = np.full((len(status_all), self.deviation.shape[1]), np.nan)
        names[judged], unlike[judged], deviation[judged] = self.status, self.unlike, self.deviation
        return Judgement(names, unlike, deviation)


def judge(crops_nyx: np.ndarray, told_nm: np.ndarray, loaded: Model) -> Judgement:
    """Judge crops at the model's scale by what its networks say of them (n, members), one by one.

    They are `ok`, `out_of_range` or `out_of_domain`.
    """
    calibration = calibration_of(loaded)
    mean, spread = told_nm.mean(axis=1), told_nm.std(axis=1)
    low, high = loaded.config["range_um"]
    beyond = (mean < low) | (mean > high)
    profiles = radial_profiles(crops_nyx)
    apart = _known(loaded).unlikeness(profiles, mean, calibration.tolerance_um)
    unlike = calibration.relative_unlikeness(apart, mean)
    found = np.full(len(mean), status.OK, dtype=object)
    found[unlike > calibration.unlikeness] = status.OUT_OF_DOMAIN
    found[beyond | (spread > calibration.member_spread_um)] = status.OUT_OF_RANGE
    deviation = np.where(beyond[:, None], np.nan, _expected(loaded).deviations(profiles, mean))
    return Judgement(found, np.where(beyond, np.nan, unlike), deviation)


def why_none(judged: Judgement, calibration: Calibration) -> Optional[tuple[str, str]]:
    """Status and reason where an image gets no answer: no bead is left, or the beads as a whole look different."""
    n = len(judged.status)
    if not n:
        return status.NO_CONTENT, "no bead was given"
    if not (judged.status == status.OK).any():
        names, counts = np.unique(judged.status.astype(str), return_counts=True)
        told = "; ".join(f"{count} of {n} crops: {BEAD_REASONS[name]}" for name, count in zip(names, counts))
        return str(names[np.argmax(counts)]), told
    compared = np.flatnonzero(~np.isnan(judged.unlike))
    n_beyond = int(((judged.status == status.OUT_OF_RANGE) & np.isnan(judged.unlike)).sum())
    if n_beyond > len(compared):
        return status.OUT_OF_RANGE, f"{n_beyond} of {n_beyond + len(compared)} beads lie beyond the range of the model"
    if len(compared) < FEWEST_JUDGED:
        return None
    unlike = float(np.median(judged.unlike[compared]))
    if unlike > calibration.field_unlikeness:
        return _other("single beads differ from the trained ones", unlike, calibration.field_unlikeness)
    together, limit = field_deviation(judged.deviation[compared]), calibration.deviation_limit(len(compared))
    if together > limit:
        return _other("all beads together differ from what is expected at this distance", together, limit)
    return None


def _other(what: str, value: float, limit: float) -> tuple[str, str]:
    reason = f"{what}, by {value:.2f} (limit {limit:.2f}): other optics, or other beads"
    return status.OUT_OF_DOMAIN, reason


@lru_cache(maxsize=16)
def calibration_of(loaded: Model) -> Calibration:
    """Limits and errors of a loaded model."""
    return Calibration.from_dict(loaded.config["calibration"])


@lru_cache(maxsize=16)
def _expected(loaded: Model) -> ExpectedProfiles:
    range_um = tuple(loaded.config["range_um"])
    error = calibration_of(loaded).errors.bead_error_um(places(range_um))
    return expected_profiles(_known(loaded), range_um, error)


@lru_cache(maxsize=16)
def _known(loaded: Model) -> KnownProfiles:
    path = Path(loaded.folder) / loaded.config["profiles"]
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelError(f"{shown(path)} cannot be read ({error}): copy the model folder again, whole") from error
    if digest != loaded.config["profiles_sha256"]:
        raise ModelError(f"{shown(path)} is damaged: its SHA-256 is {digest}")
    return KnownProfiles.read(path)
