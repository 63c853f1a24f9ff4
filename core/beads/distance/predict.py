"""Reading the signed distance from the reference focal plane off crops of beads."""

from __future__ import annotations

import os
from typing import Any, Optional, Union

import numpy as np

from parfocal import status
from parfocal.beads.distance.calibration import FEWEST_JUDGED, Calibration
from parfocal.beads.distance.combine import Z_95, combine
from parfocal.beads.distance.crops import middle
from parfocal.beads.distance.judgement import Judgement, calibration_of, judge, why_none
from parfocal.beads.distance.normalise import normalise
from parfocal.beads.distance.quality import crop_status
from parfocal.beads.distance.result import OUTLIER, DistanceEstimate
from parfocal.beads.distance.scale import scale_problem, to_trained_pixels
from parfocal.registry import Model, load_model

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
        blank, not finite; or where three crops or more, taken together, look like beads of other optics
        (`out_of_domain`).

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
    usable = np.flatnonzero(found == status.OK)
    scaled = to_trained_pixels(crops[usable], pixel_size_um, loaded.config["pixel_size_um"], loaded.config["crop_px"])
    told[usable] = _predict(loaded, scaled)
    return estimate(told, judge(scaled, told[usable], loaded).among(found), calibration_of(loaded))


def estimate(told: np.ndarray, judged: Judgement, calibration: Calibration) -> DistanceEstimate:
    """Combine what the networks say of the crops of an image (n, members), um, as they are judged."""
    found, good = judged.status, judged.status == status.OK
    bead = np.where(good, np.where(good[:, None], told, 0.0).mean(axis=1), np.nan)
    refused = why_none(judged, calibration)
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
        untold = (
            "an outlier cannot be told" if n_used >= FEWEST_JUDGED else "neither outliers nor other optics can be told"
        )
        found.append(f"{n_used} bead{'s' if n_used > 1 else ''}: {untold}")
    if n_used * 2 < n_given:
        found.append(f"{n_given - n_used} of {n_given} crops were refused")
    return tuple(found)


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
