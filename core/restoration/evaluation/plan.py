"""What every part of the evaluation needs, and what each gives back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Optional

from parfocal.report.sections import Section
from parfocal.restoration.restorers import Restorer, make_restorer
from parfocal.training.images import TrainingImage, find_training_images, split_by_field

if TYPE_CHECKING:
    import pandas as pd

SIDES = {"left_out": "sources that took no part in training", "test": "other fields of the trained sources"}


@dataclass(frozen=True)
class Plan:
    """Arguments of the command, checked; see `evaluate_restoration`."""

    images: str
    output: Path
    sources: Optional[str]
    models: tuple[str, ...]
    levels: tuple[float, ...]
    images_per_source: int
    crop_px: int
    photons: float
    sorter: str
    stacks: Optional[str]
    transfer: bool
    network: str
    first_filters: int
    steps: int
    seed: int

    def path(self, name: str) -> Path:
        """Path of a file or folder of the report; the report's own folder is made on the way."""
        self.output.mkdir(parents=True, exist_ok=True)
        return self.output / name

    def restorers(self) -> dict[str, Restorer]:
        """Load the networks, by the name of their folder."""
        return {Path(name).name: make_restorer("network", name) for name in self.models}

    def sides(self) -> dict[str, list[TrainingImage]]:
        """All images by side of the split: train, validation, test, left_out."""
        return split_by_field(find_training_images(self.images, self.sources))

    def held_out(self) -> dict[str, list[TrainingImage]]:
        """Images that took no part in training, as many of each source and stain as wanted.

        Raises
        ------
        FileNotFoundError
            Where there is none.
        """
        parts = self.sides()
        chosen = {side: _some(parts[side], self.images_per_source) for side in SIDES}
        if not any(chosen.values()):
            raise FileNotFoundError(f"no image below {self.images} is held out from training")
        return chosen


@dataclass(frozen=True)
class Found:
    """What a part found: the sections of the report, and the scores of single images."""

    sections: tuple[Section, ...]
    scores: pd.DataFrame = field(repr=False)


def _some(images: Sequence[TrainingImage], count: int) -> list[TrainingImage]:
    """The first images of each source and stain."""
    kept: list[TrainingImage] = []
    for image in images:
        same = [other for other in kept if (other.source, other.stain) == (image.source, image.stain)]
        if len(same) < count:
            kept.append(image)
    return kept
