"""Settings of a training run of a restoring network."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from parfocal.restoration.losses import LOSSES
from parfocal.restoration.network import ARCHITECTURES


@dataclass(frozen=True)
class RestorationTraining:
    """Settings of a training run.

    Attributes
    ----------
    architecture : str
        `default`, `xue2021` or `unet`.
    loss : str
        See `restoration_loss`.
    optimizer : str
        `adam` or `nadam`.
    steps : int
        Batches in all; 0 to count `epochs` passes instead.
    epochs : int
        Passes over the crops, where `steps` is 0.
    batch_size : int
        Crops a batch.
    crop_px : int
        Width of a crop as the loss sees it.
    learning_rate : float
        Highest rate.
    half_cosine : bool
        Let the rate fall to 1 percent along a half cosine, after 200 steps of linear start. Otherwise it stays.
    keep_best : bool
        End with the weights of the highest SSIM of the validation crops instead of the last ones.
    channels : int
        Colours that are restored together, 1 to 3; 1 for the default network, which restores each alone.
    first_filters : int
        Width of `xue2021` and `unet` at the finest scale; each coarser one is twice as wide.
    largest_level : float
        Synthetic defocus is drawn from 0 to this level.
    optics_spread : bool
        Draw the width of the diffraction pattern on the pixels too, instead of the model's alone.
    thick_share : float
        Share of crops that are shown as specimens thick enough to be defocused by many levels at once, 0 to 1.
    zoomed_copies : bool
        Train also on reduced copies of the images.
    validation_steps : int
        Steps between two validations; each writes a row of the log and a checkpoint.
    seed : int
        Of weights, crops and noise.
    """

    architecture: str = "default"
    loss: str = "ssim_4l1"
    optimizer: str = "adam"
    steps: int = 16000
    epochs: int = 0
    batch_size: int = 8
    crop_px: int = 192
    learning_rate: float = 2e-3
    half_cosine: bool = True
    keep_best: bool = False
    channels: int = 1
    first_filters: int = 64
    largest_level: float = 10.0
    optics_spread: bool = True
    thick_share: float = 0.5
    zoomed_copies: bool = True
    validation_steps: int = 500
    seed: int = 1


# Xue et al. 2021, 4.4: Nadam with default parameters, batches of 2 tiles of 388 px, 60 epochs, SSIM loss, the model of
# the highest SSIM on the validation set.
XUE2021 = RestorationTraining(
    "xue2021",
    loss="ssim",
    optimizer="nadam",
    steps=0,
    epochs=60,
    batch_size=2,
    crop_px=388,
    learning_rate=1e-3,
    half_cosine=False,
    keep_best=True,
    optics_spread=False,
    thick_share=0.0,
    zoomed_copies=False,
)
CONFIGS = {"default": RestorationTraining(), "xue2021": XUE2021, "unet": replace(XUE2021, architecture="unet")}


def training_settings(config: str, **changes: Any) -> RestorationTraining:
    """Look up a config by name and replace what was given (None leaves the config's value).

    Raises
    ------
    ValueError
        Where a name or a number is out of range; the message states what would be right, and the value.
    """
    if config not in CONFIGS:
        raise ValueError(f"config must be one of {', '.join(CONFIGS)}, got {config!r}")
    settings = replace(CONFIGS[config], **{name: value for name, value in changes.items() if value is not None})
    if settings.loss not in LOSSES:
        raise ValueError(f"loss must be one of {', '.join(LOSSES)}, got {settings.loss!r}")
    if settings.architecture not in ARCHITECTURES:
        raise ValueError(f"architecture must be one of {', '.join(ARCHITECTURES)}, got {settings.architecture!r}")
    if settings.steps < 1 and settings.epochs < 1:
        raise ValueError(f"steps or epochs must be at least 1, got {settings.steps} and {settings.epochs}")
    if settings.steps and settings.epochs:
        # What was given replaces the other.
        settings = replace(settings, epochs=0) if changes.get("epochs") is None else replace(settings, steps=0)
    if not 0 < settings.largest_level <= 10:
        raise ValueError(f"largest_level must be in (0, 10], got {settings.largest_level}")
    return settings


def learning_rate_at(step: int, settings: RestorationTraining, steps: int) -> float:
    """Rate of one step of a run of `steps`."""
    if not settings.half_cosine:
        return settings.learning_rate
    start = min(1.0, (step + 1) / 200)
    return settings.learning_rate * start * (0.01 + 0.99 * (1 + math.cos(math.pi * step / steps)) / 2)
