"""Settings of a training run of a focal-position network."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from parfocal.focal_position.bins import Bins
from parfocal.focal_position.network import ARCHITECTURES

DEPTH_OF_FIELD, MICROMETRE = "depth_of_field", "um"


@dataclass(frozen=True)
class FocalPositionTraining:
    """Settings of a training run.

    Attributes
    ----------
    architecture : str
        `default` or `wei2018`.
    unit : str
        Of the bins: `depth_of_field` (simulated stacks: the model scales with the optics) or `um` (real ones).
    half_range, bin_width : float
        Of the bins, in units.
    steps : int
        Batches.
    batch_size : int
    learning_rate : float
        Highest rate of Adam.
    half_cosine : bool
        100 steps (a fifth of all, where that is less) of linear start, then down to 1 percent along a half cosine;
        otherwise the rate stays.
    crop_px, downsampling : int
        For `wei2018`: width of the crops in pixels of the camera, and factor by which they are reduced.
    validation_share : float
        Share of the stacks that is kept back.
    validation_steps : int
        Steps between two validations; each writes a row of the log and a checkpoint.
    seed : int
        Of weights, crops and noise.
    """

    architecture: str = "default"
    unit: str = DEPTH_OF_FIELD
    half_range: float = 10.0
    bin_width: float = 0.5
    steps: int = 6000
    batch_size: int = 16
    learning_rate: float = 2e-3
    half_cosine: bool = True
    crop_px: int = 1000
    downsampling: int = 4
    validation_share: float = 0.1
    validation_steps: int = 500
    seed: int = 1

    @property
    def bins(self) -> Bins:
        """Classes of the network."""
        return Bins(self.half_range, self.bin_width)

    @property
    def input_px(self) -> int:
        """Side of what `wei2018` sees."""
        return self.crop_px // self.downsampling


# Wei and Roberts 2018 (doi:10.1038/s41598-018-25458-w), 2.1: Adam at 0.0001, 100,000 steps, batches of 10 to 50, crops
# of 1000 px at a half, a fourth or a tenth, bins of 1 to 5 um over +-20 um (12 um over +-300 um for Euglena, 2.8).
WEI2018 = FocalPositionTraining(
    "wei2018",
    unit=MICROMETRE,
    half_range=20.0,
    bin_width=1.0,
    steps=100_000,
    batch_size=50,
    learning_rate=1e-4,
    half_cosine=False,
    validation_share=0.2,
    validation_steps=1000,
)
CONFIGS = {"default": FocalPositionTraining(), "wei2018": WEI2018}


def training_settings(config: str, **changes: Any) -> FocalPositionTraining:
    """Look up a config by name and replace what was given (None leaves the config's value).

    Raises
    ------
    ValueError
        Where a name or a number is out of range; the message states what would be right, and the value.
    """
    if config not in CONFIGS:
        raise ValueError(f"config must be one of {', '.join(CONFIGS)}, got {config!r}")
    settings = replace(CONFIGS[config], **{name: value for name, value in changes.items() if value is not None})
    if settings.architecture not in ARCHITECTURES:
        raise ValueError(f"architecture must be one of {', '.join(ARCHITECTURES)}, got {settings.architecture!r}")
    if settings.input_px < 25:
        raise ValueError(f"crop_px / downsampling must be at least 25, got {settings.input_px}")
    if settings.bins.count < 3:
        raise ValueError(f"half_range must be at least one bin_width, got {settings.half_range:g}")
    return settings


def learning_rate_at(step: int, settings: FocalPositionTraining) -> float:
    """Rate of one step."""
    if not settings.half_cosine:
        return settings.learning_rate
    start = min(1.0, (step + 1) / min(100, max(1, settings.steps // 5)))
    return settings.learning_rate * start * (0.01 + 0.99 * (1 + math.cos(math.pi * step / settings.steps)) / 2)
