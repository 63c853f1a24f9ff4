"""Reading the signed distance from the reference focal plane off crops of beads."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np

from parfocal import status
from parfocal.beads.distance.calibration import FEWEST_JUDGED, Calibration
from parfocal.beads.distance.combine import Z_95, combine
from parfocal.beads.distance.crops import middle
from parfocal.beads.distance.likeness import KnownProfiles
from parfocal.beads.distance.normalise import normalise
from parfocal.beads.distance.quality import crop_status
from parfocal.beads.distance.result import BEAD_REASONS, OUTLIER, DistanceEstimate
from parfocal.beads.distance.scale import scale_problem, to_trained_pixels
from parfocal.registry import Model, ModelError, load_model

TASK = "bead_distance"
_FEW_BEADS = 4
ModelName = Union[str, "os.PathLike[str]"]


def predict_distances(crops_nyx: np.ndarray, model: ModelName) -> np.ndarray:
    """Read the distance off each crop by each network of an ensemble, without judging the crops.

    Parameters
    ----------
    crops_nyx : ndarray
        Counts (n, y, x) at the trained pixel size, one bead in the middle of each; wider crops are cut.
    model : str or path
        Name of a shipped model (`a2k_like`, `nikon_like`), or a model folder.

    Returns
    -------
    ndarray
        (n, members), um, positive above the reference focal plane. Use `signed_distance` for an answer that is refused
        where it does not stand.
    """
    loaded = load_model(model, TASK)
    return _predict(loaded, middle(np.asarray(crops_nyx), loaded.config["crop_px"]))


def signed_distance(
    crops_nyx: np.ndarray,
    pixel_size_um: float,
    bead_diameter_um: float,
    model: ModelName,
) -> DistanceEstimate:
    """Tell how far, and to which side, an image of beads lies from the reference focal plane.

    Each network reads each crop; crops that cannot be trusted are refused; for each network outliers over the beads are
    left out (interquartile range) and the rest averaged; the result is the mean over the networks (Chalfoun et al.
    2024, doi:10.1038/s41598-024-57123-w).

    Parameters
    ----------
    crops_nyx : ndarray
        Counts (n, y, x) of one image, one bead in the middle of each, its centre within a pixel of the crop's.
    pixel_size_um : float
        Pixel size in the sample plane, um. Crops are resampled where it is 0.8 to 1.25 times the trained one.
    bead_diameter_um : float
        Nominal diameter of the beads, um.
    model : str or path
        Name of a shipped model (`a2k_like`, `nikon_like`), or a model folder.

    Returns
    -------
    DistanceEstimate
        Without an answer where the beads or pixels are not those of the model (`out_of_range`), or every crop was
        refused: beyond the range or networks that disagree (`out_of_range`), no such bead (`out_of_domain`), saturated,
        blank, not finite.

    Raises
    ------
    ValueError
        Where `crops_nyx` is no (n, y, x) array or a length is not positive.
    ModelError
        Where there is no such model.
    """
    crops = _checked(crops_nyx, pixel_size_um, bead_diameter_um)
    loaded = load_model(model, TASK)
    problem = _unsuitable(crops, pixel_size_um, bead_diameter_um, loaded.config)
    if problem:
        nothing = np.full(len(crops), np.nan)
        return DistanceEstimate(n_refused=len(crops), bead_distance_um=nothing, status=problem[0], reason=problem[1])
    found = crop_status(crops)
    told = np.full((len(crops), loaded.config["members"]), np.nan)
    unlike = np.full(len(crops), np.nan)
    usable = np.flatnonzero(found == status.OK)
    if len(usable):
        fitting = (pixel_size_um, loaded.config["pixel_size_um"], loaded.config["crop_px"])
        scaled = to_trained_pixels(crops[usable], *fitting)
        told[usable] = _predict(loaded, scaled)
        found[usable], unlike[usable] = judge(scaled, told[usable], loaded)
    return estimate(told, found, unlike, calibration_of(loaded))


def judge(crops_nyx: np.ndarray, told_nm: np.ndarray, loaded: Model) -> tuple[np.ndarray, np.ndarray]:
    """Judge crops at the model's scale by what its networks say of them (n, members).

    Returns
    -------
    found : ndarray
        (n,) `ok`, `out_of_range` or `out_of_domain`.
    unlike : ndarray
        (n,) difference from the known profiles at the distance read off, in units of the typical one; NaN where that
        distance lies beyond the range.
    """
    calibration = calibration_of(loaded)
    mean, spread = told_nm.mean(axis=1), told_nm.std(axis=1)
    low, high = loaded.config["range_um"]
    beyond = (mean < low) | (mean > high)
    apart = _known(loaded).unlikeness(crops_nyx, mean, calibration.tolerance_um)
    unlike = calibration.relative_unlikeness(apart, mean)
    found = np.full(len(mean), status.OK, dtype=object)
    found[unlike > calibration.unlikeness] = status.OUT_OF_DOMAIN
    found[beyond | (spread > calibration.member_spread_um)] = status.OUT_OF_RANGE
    return found, np.where(beyond, np.nan, unlike)


def estimate(told: np.ndarray, found: np.ndarray, unlike: np.ndarray, calibration: Calibration) -> DistanceEstimate:
    """Combine what the networks say of crops (n, members), um, with their status (n,) and unlikeness (n,)."""
    good = found == status.OK
    bead = np.where(good, np.where(good[:, None], told, 0.0).mean(axis=1), np.nan)
    refused = _why_none(found, unlike, calibration)
    if refused is not None:
        shown = tuple(str(name) for name in found)
        return DistanceEstimate(
            n_refused=len(found), bead_distance_um=bead, bead_status=shown, status=refused[0], reason=refused[1]
        )
    combined = combine(np.where(good[:, None], told, np.nan))
    used, n = combined.used, int(combined.used.sum())
    scatter = float(bead[used].std(ddof=1)) if n >= _FEW_BEADS else 0.0
    members = combined.member_distance_um
    between = float(members.std(ddof=1) / np.sqrt(len(members))) if len(members) > 1 else 0.0
    distance = combined.distance_um
    error = calibration.errors.standard_error_um(distance, n, scatter, between)
    names = np.where(good & ~used, OUTLIER, found)
    return DistanceEstimate(
        distance,
        error,
        (distance - Z_95 * error, distance + Z_95 * error),
        n,
        len(found) - n,
        bead,
        tuple(str(name) for name in names),
        members,
        warnings=_warnings(n, len(found)),
    )


def _warnings(n_used: int, n_given: int) -> tuple[str, ...]:
    found = []
    if n_used < _FEW_BEADS:
        found.append(f"{n_used} bead{'s' if n_used > 1 else ''}: an outlier cannot be told")
    if n_used * 2 < n_given:
        found.append(f"{n_given - n_used} of {n_given} crops were refused")
    return tuple(found)


def _why_none(found: np.ndarray, unlike: np.ndarray, calibration: Calibration) -> Optional[tuple[str, str]]:
    """Status and reason where an image gets no answer: no bead is left, or the beads as a whole look different."""
    if not len(found):
        return status.NO_CONTENT, "no bead was given"
    if not (found == status.OK).any():
        names, counts = np.unique(found.astype(str), return_counts=True)
        told = "; ".join(f"{count} of {len(found)} crops: {BEAD_REASONS[name]}" for name, count in zip(names, counts))
        return str(names[np.argmax(counts)]), told
    compared = unlike[~np.isnan(unlike)]
    if len(compared) >= FEWEST_JUDGED and np.median(compared) > calibration.field_unlikeness:
        reason = (
            f"the beads differ from the trained ones {np.median(compared):.1f} times as much as usual"
            f" (limit {calibration.field_unlikeness:.1f}): other optics, or other beads"
        )
        return status.OUT_OF_DOMAIN, reason
    return None


def _checked(crops_nyx: np.ndarray, pixel_size_um: float, bead_diameter_um: float) -> np.ndarray:
    crops = np.asarray(crops_nyx)
    if crops.ndim != 3 or crops.dtype.kind not in "uif":
        raise ValueError(f"crops_nyx must be numbers (n, y, x), got {crops.dtype} of shape {crops.shape}")
    for name, value in (("pixel_size_um", pixel_size_um), ("bead_diameter_um", bead_diameter_um)):
        if not 0 < value < np.inf:
            raise ValueError(f"{name} must be above 0, got {value}")
    return crops


def _unsuitable(
    crops: np.ndarray, pixel_size_um: float, bead_diameter_um: float, config: dict[str, Any]
) -> Optional[tuple[str, str]]:
    """Status and reason where the model is not for such crops at all."""
    low, high = config["bead_diameter_range_um"]
    if not low <= bead_diameter_um <= high:
        reason = f"bead_diameter_um is {bead_diameter_um:g}, the model was trained for {low:g} to {high:g}"
        return status.OUT_OF_RANGE, reason
    return scale_problem(min(crops.shape[1:]), pixel_size_um, config["pixel_size_um"], config["crop_px"])


def _predict(loaded: Model, crops: np.ndarray) -> np.ndarray:
    config = loaded.config
    if not len(crops):
        return np.empty((0, config["members"]))
    inputs = normalise(crops, config["normalisation"], config["count_scale"])[..., None]
    return loaded.predict(inputs).astype(float)


@lru_cache(maxsize=16)
def calibration_of(loaded: Model) -> Calibration:
    """Limits and errors of a loaded model."""
    return Calibration.from_dict(loaded.config["calibration"])


@lru_cache(maxsize=16)
def _known(loaded: Model) -> KnownProfiles:
    path = Path(loaded.folder) / loaded.config["profiles"]
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error}): copy the model folder again, whole") from error
    if digest != loaded.config["profiles_sha256"]:
        raise ModelError(f"{path} is damaged: its SHA-256 is {digest}")
    return KnownProfiles.read(path)
