"""Settings of a training run of the focus quality networks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from parfocal.focus_quality.estimate import Pooling


@dataclass(frozen=True)
class FocusQualityTraining:
    """Settings of a training run.

    Attributes
    ----------
    architecture : str
        `default` or `yang2018`.
    steps : int
        Batches in all.
    batch_size : int
        Patches a batch.
    learning_rate : float
        Highest rate of Adam; it falls to 1 percent of it along a half cosine where `decay` is set.
    decay : bool
    augment : bool
        The paper's random gain and offset.
    zoomed_copies : bool
        Train also on reduced copies of the images.
    haze : bool
        Put an uneven background behind every second patch.
    smooth_noise : bool
        Smooth the noise of every fifth patch.
    simulated_pictures : int
        Train also on as many simulated pictures, see `structures`.
    mixed_share : float
        Share of the patches to which one of another image is added: structures that no image at hand shows.
    seed : int
        Of weights, patches and noise.
    steps_per_epoch : int
        After each epoch the validation score is logged and a checkpoint is written.
    """

    architecture: str = "default"
    steps: int = 12000
    batch_size: int = 64
    learning_rate: float = 2e-3
    decay: bool = True
    augment: bool = True
    zoomed_copies: bool = True
    haze: bool = True
    smooth_noise: bool = True
    simulated_pictures: int = 240
    mixed_share: float = 0.4
    seed: int = 1
    steps_per_epoch: int = 250


# The paper: Adam at 5e-6 for a million steps on 64 replicas. With `steps` cut to what a desk machine can do, pass a
# higher learning rate: the model card says which one was used.
YANG2018 = FocusQualityTraining(
    "yang2018",
    steps=1_000_000,
    learning_rate=5e-6,
    decay=False,
    zoomed_copies=False,
    haze=False,
    smooth_noise=False,
    simulated_pictures=0,
    mixed_share=0.0,
)
# Half of what the patches say must lie within a level of what is told (docs/focus-quality-experiments.md has what other
# shares and criteria would do).
SMALLEST_SHARE_NEAR = 0.5
# By architecture: the paper's mean, and what fits sources that were left out in turn (6,000 steps each).
POOLINGS = {"yang2018": Pooling(), "default": Pooling(0.34, SMALLEST_SHARE_NEAR)}
CONFIGS = {
    "default": FocusQualityTraining(),
    "yang2018": YANG2018,
    # Nothing but the images, what `default` was before: to see what the pictures and the mixing do.
    "images_alone": FocusQualityTraining(simulated_pictures=0, mixed_share=0.0),
}


def training_settings(config: str, **changes: Any) -> FocusQualityTraining:
    """Look up a config by name and replace what was given (None leaves the config's value)."""
    if config not in CONFIGS:
        raise ValueError(f"config must be one of {sorted(CONFIGS)}, got {config!r}")
    given = {name: value for name, value in changes.items() if value is not None}
    settings = replace(CONFIGS[config], **given)
    if settings.steps < 1:
        raise ValueError(f"steps must be at least 1, got {settings.steps}")
    return settings
