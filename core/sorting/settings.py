"""Settings of a training run of a sorting network."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from parfocal.sorting.network import ARCHITECTURES

TASK = "sorting"


@dataclass(frozen=True)
class SorterTraining:
    """Settings of a training run.

    Attributes
    ----------
    architecture : str
        `default`, `xue2021` or `resnet50v2`.
    epochs : float
        Passes over the examples; parts of a pass count.
    batch_size : int
        Examples a batch.
    optimizer : str
        `adam` or `sgd` (momentum 0.9).
    learning_rate : float
        Highest rate.
    schedule : str
        `half_cosine`: 100 steps of linear start, then down to 1 percent. `halved`: by half every `halve_every` passes.
    halve_every : float
        Passes, for `halved`; where other passes are asked for than the config's, they change in proportion.
    keep_best : bool
        End with the weights of the lowest loss on the validation examples instead of the last ones.
    turned : bool
        Turn and flip the examples at random.
    between : bool
        Train also on synthetic exposures between sharp and defocused, whose probability to be learned lies between 0
        and 1: a soft image in focus, which looks like them, is then not taken for defocused.
    seed : int
        Of weights, examples and noise.
    """

    architecture: str = "default"
    epochs: float = 16
    batch_size: int = 16
    optimizer: str = "adam"
    learning_rate: float = 2e-3
    schedule: str = "half_cosine"
    halve_every: float = 5
    keep_best: bool = False
    turned: bool = True
    between: bool = True
    seed: int = 1


# Xue et al. 2021 (doi:10.1016/j.bioactmat.2021.09.018), 4.4: SGD with momentum 0.9, rate 0.001 halved every 5 passes,
# batches of 4, 50 passes, the weights of the lowest validation loss; the same for its ResNet50V2.
XUE2021 = SorterTraining(
    "xue2021",
    epochs=50,
    batch_size=4,
    optimizer="sgd",
    learning_rate=1e-3,
    schedule="halved",
    keep_best=True,
    turned=False,
    between=False,
)
CONFIGS = {
    "default": SorterTraining(),
    "xue2021": XUE2021,
    "resnet50v2": replace(XUE2021, architecture="resnet50v2"),
}
# Transfer, in the paper: rate 0.0002, halved after 25 of 50 passes.
TRANSFER: dict[str, Any] = {"learning_rate": 2e-4, "schedule": "halved", "halve_every": 25.0, "epochs": 50.0}


def training_settings(config: str, transfer: bool = False, **changes: Any) -> SorterTraining:
    """Look up a config by name, for transfer or not, and replace what was given (None leaves the config's value).

    Raises
    ------
    ValueError
        Where a name or a number is out of range; the message states what would be right, and the value.
    """
    if config not in CONFIGS:
        raise ValueError(f"config must be one of {', '.join(CONFIGS)}, got {config!r}")
    settings = replace(CONFIGS[config], **TRANSFER) if transfer else CONFIGS[config]
    given = {name: value for name, value in changes.items() if value is not None}
    # A shorter run goes through the whole schedule all the same.
    given.setdefault("halve_every", settings.halve_every * given.get("epochs", settings.epochs) / settings.epochs)
    settings = replace(settings, **given)
    if settings.architecture not in ARCHITECTURES:
        raise ValueError(f"architecture must be one of {', '.join(ARCHITECTURES)}, got {settings.architecture!r}")
    if settings.epochs <= 0:
        raise ValueError(f"epochs must be above 0, got {settings.epochs}")
    return settings


def learning_rate_at(step: int, settings: SorterTraining, steps: int, steps_per_epoch: int) -> float:
    """Rate of one step of a run of `steps`."""
    if settings.schedule == "halved":
        return settings.learning_rate * 0.5 ** int(step / steps_per_epoch / settings.halve_every)
    start = min(1.0, (step + 1) / 100)
    return settings.learning_rate * start * (0.01 + 0.99 * (1 + math.cos(math.pi * step / steps)) / 2)
