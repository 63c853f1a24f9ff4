"""Settings of a training run of the distance network."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Optional

from parfocal.beads.distance.network import ARCHITECTURES
from parfocal.beads.distance.normalise import NORMALISATIONS


@dataclass(frozen=True)
class BeadDistanceTraining:
    """Settings of a training run.

    Attributes
    ----------
    architecture : str
        `default` or `chalfoun2024`.
    members : int
        Networks of the ensemble; their seeds are `seed`, `seed` + 1, ...
    steps : int
        Batches for each member, at most.
    batch_size : int
        Crops a batch.
    learning_rate : float
        Highest rate of Adam.
    half_cosine : bool
        Let the rate fall to 1 percent along a half cosine over `steps`, after 200 steps of linear start. Otherwise it
        is multiplied by 0.9 every 15 passes over the crops.
    weight_decay : float
        Factor of the sum of squared convolution and dense weights in the loss (L2 regularisation).
    huber_share : float
        Error, as a share of the range's half width, from which on the loss grows linearly; 0 for the squared error.
    augmentation : str
        `exact`, `relit` or `chalfoun2024`, see `CropSampler`.
    normalisation : str
        `average_background`, `none`, `zero_centre` or `z_score`.
    validation_share : float
        Share of the crops (of the stacks, where there are several) that takes no part in training.
    validation_steps : int
        Steps between two validations; each writes a row of the log and a checkpoint.
    patience : int
        Validations without a new lowest loss after which a member ends; 0 for never.
    n_crops : int
        Crops to simulate, where the simulator is trained from.
    seed : int
        Of weights, order, augmentation and simulation.
    """

    architecture: str = "default"
    members: int = 5
    steps: int = 4000
    batch_size: int = 64
    learning_rate: float = 2e-3
    half_cosine: bool = True
    weight_decay: float = 0.0
    huber_share: float = 0.03
    augmentation: str = "exact"
    normalisation: str = "average_background"
    validation_share: float = 0.1
    validation_steps: int = 500
    patience: int = 0
    n_crops: int = 24000
    seed: int = 1


# Chalfoun et al. 2024, sections Training and Hyper-parameters optimization; the paper names no number of steps.
CHALFOUN2024 = BeadDistanceTraining(
    "chalfoun2024",
    members=10,
    steps=200_000,
    batch_size=32,
    learning_rate=1e-4,
    half_cosine=False,
    weight_decay=5e-4,
    huber_share=0.0,
    augmentation="chalfoun2024",
    normalisation="none",
    validation_share=0.2,
    validation_steps=2000,
    patience=10,
)
CONFIGS = {"default": BeadDistanceTraining(), "chalfoun2024": CHALFOUN2024}
_DROP, _DROP_PASSES = 0.9, 15


def training_settings(config: str, **changes: Any) -> BeadDistanceTraining:
    """Look up a config by name and replace what was given (None leaves the config's value)."""
    if config not in CONFIGS:
        raise ValueError(f"config must be one of {sorted(CONFIGS)}, got {config!r}")
    settings = replace(CONFIGS[config], **{name: value for name, value in changes.items() if value is not None})
    for name in ("members", "steps", "batch_size", "n_crops"):
        if getattr(settings, name) < 1:
            raise ValueError(f"{name} must be at least 1, got {getattr(settings, name)}")
    if settings.normalisation not in NORMALISATIONS or settings.architecture not in ARCHITECTURES:
        raise ValueError(f"normalisation must be one of {', '.join(NORMALISATIONS)}, got {settings.normalisation!r}")
    return settings


def learning_rate_at(step: int, settings: BeadDistanceTraining, steps_per_pass: Optional[int] = None) -> float:
    """Rate of one step; `steps_per_pass` is needed where it drops with the passes over the crops."""
    if not settings.half_cosine:
        return settings.learning_rate * _DROP ** (step // max(1, steps_per_pass or 1) // _DROP_PASSES)
    start = min(1.0, (step + 1) / 200)
    return settings.learning_rate * start * (0.01 + 0.99 * (1 + math.cos(math.pi * step / settings.steps)) / 2)
