"""What a training run is made of: crops, range, crop width, and the crops kept back for calibration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional

import numpy as np

from parfocal.beads.distance.crops import LabelledCrops, read_labelled_crops, split_by_stack
from parfocal.beads.distance.quality import crop_status
from parfocal.beads.distance.sampler import relit_fields
from parfocal.beads.distance.settings import BeadDistanceTraining
from parfocal.beads.distance.simulated import (
    OPTICS,
    RIM_SHARE,
    SimulatedOptics,
    Variation,
    appearances,
    simulated_fields,
    training_crops,
)
from parfocal.status import OK

# A network of labelled crops answers for the middle of its range: at the ends it has seen one side only.
_INNER_SHARE = 0.96
FEWEST_CROPS = 20
_DIAMETER_SPREAD = 0.05
_COARSE_PIXEL_UM = 1.0
_CALIBRATION_FIELDS, _CALIBRATION_BEADS, _CALIBRATION_DIAMETERS = 320, 6, 12


@dataclass(frozen=True, eq=False)
class TrainingPlan:
    """Everything a run needs.

    Attributes
    ----------
    settings : BeadDistanceTraining
    train, validation : LabelledCrops
    held_back : callable
        Gives crops within the range that took no part in training, for the calibration.
    known : callable
        Gives crops whose radial profiles are to be known.
    range_um : tuple of float
        What the model will answer for, um.
    limits_um : tuple of float
        Labels beyond are set to these; they lie outside `range_um`.
    crop_px : int
        Width the network sees.
    count_scale : float
        See `normalise`.
    scale_um : float
        What an output of 1 inside the network means.
    bead_diameter_range_um : tuple of float
    source : str
        Where the crops are from, for the card.
    refused : tuple of (int, str)
        Crops that were left out, by index, and why.
    """

    settings: BeadDistanceTraining
    train: LabelledCrops
    validation: LabelledCrops
    held_back: Callable[[], LabelledCrops]
    known: Callable[[], LabelledCrops]
    range_um: tuple[float, float]
    limits_um: tuple[float, float]
    crop_px: int
    count_scale: float
    scale_um: float
    bead_diameter_range_um: tuple[float, float]
    source: str
    refused: tuple[tuple[int, str], ...] = ()


def plan_simulated(name: str, settings: BeadDistanceTraining) -> TrainingPlan:
    """Plan a run on simulated crops of one of the presets in `OPTICS`."""
    optics = OPTICS[name]
    train, validation = split_by_stack(
        training_crops(optics, settings.n_crops, settings.seed), settings.validation_share, settings.seed
    )
    low, high = optics.range_um
    half = (high - low) / 2
    return TrainingPlan(
        settings,
        train,
        validation,
        lambda: calibration_fields(optics, settings.seed + 1000),
        lambda: train,
        optics.range_um,
        (low - RIM_SHARE * half, high + RIM_SHARE * half),
        optics.preset.crop_px,
        float(optics.preset.camera.max_count),
        half,
        optics.diameters_um,
        f"simulated beads, optics `{name}`",
    )


def plan_labelled(path: str, settings: BeadDistanceTraining, crop_px: Optional[int] = None) -> TrainingPlan:
    """Plan a run on labelled crops: their range of distances, less a little at each end, is what it answers for.

    Limits, errors and known profiles are those of the crops in several lights: a few stacks show only their own.

    Raises
    ------
    ValueError
        Where fewer than 20 crops are usable or all are at one distance.
    """
    crops = read_labelled_crops(path)
    found = crop_status(crops.crops_nyx)
    good = crops.select(found == OK)
    if len(good) < FEWEST_CROPS or np.ptp(good.distance_um) == 0:
        raise ValueError(
            f"at least {FEWEST_CROPS} usable crops at different distances are needed, {path} holds {len(good)}"
        )
    train, validation = split_by_stack(good, settings.validation_share, settings.seed)
    low, high = float(good.distance_um.min()), float(good.distance_um.max())
    half, middle_um = (high - low) / 2, (high + low) / 2
    inner = (middle_um - _INNER_SHARE * half, middle_um + _INNER_SHARE * half)
    nominal = crops.bead_diameter_um
    return TrainingPlan(
        settings,
        train,
        validation,
        lambda: relit_fields(_inside(validation, inner), settings.seed),
        lambda: relit_fields(train, settings.seed),
        inner,
        (low, high),
        crop_px or min(usual_crop_px(crops.pixel_size_um), crops.size_px),
        float(np.max(crops.crops_nyx)),
        half,
        (nominal * (1 - _DIAMETER_SPREAD), nominal * (1 + _DIAMETER_SPREAD)),
        f"labelled crops `{Path(path).name}`",
        tuple((int(i), str(found[i])) for i in np.flatnonzero(found != OK)),
    )


def usual_crop_px(pixel_size_um: float) -> int:
    """Width that new networks see: 64 pixels, 128 of small ones (Chalfoun et al. 2024)."""
    return 64 if pixel_size_um >= _COARSE_PIXEL_UM else 128


def calibration_fields(optics: SimulatedOptics, seed: int) -> LabelledCrops:
    """Simulated fields of six beads within the range, of other diameters than those trained from."""
    rng = np.random.default_rng([seed, 60])
    looks = appearances(optics, _CALIBRATION_DIAMETERS, seed)
    distance = rng.uniform(*optics.range_um, _CALIBRATION_FIELDS)
    return simulated_fields(optics, looks, distance, rng, Variation(beads_per_field=_CALIBRATION_BEADS), margin_px=0)


def _inside(crops: LabelledCrops, range_um: tuple[float, float]) -> LabelledCrops:
    return crops.select((crops.distance_um >= range_um[0]) & (crops.distance_um <= range_um[1]))
