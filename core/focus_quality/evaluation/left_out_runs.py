"""Networks that were trained without each source in turn, all on the same small budget."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from parfocal.focus_quality.dataset import BlurredImage, blur_images, training_images
from parfocal.focus_quality.estimate import Pooling
from parfocal.focus_quality.export import write_model_folder
from parfocal.focus_quality.fit import fit_network
from parfocal.focus_quality.settings import FocusQualityTraining
from parfocal.training.images import TrainingImage, accept_trained, split_by_field
from parfocal.training.run_folder import RECORD, claim_run_folder

# The run that has seen every source that may be trained on.
WHOLE = "all"


@dataclass(frozen=True)
class LeftOutRuns:
    """The runs of one leave-one-source-out evaluation; missing ones are trained when they are asked for.

    Attributes
    ----------
    images : tuple of TrainingImage
        All images with their sources.
    folder : Path
        Of the runs, each in a folder of its source's name.
    settings : FocusQualityTraining
        The same for all.
    """

    images: tuple[TrainingImage, ...]
    folder: Path
    settings: FocusQualityTraining

    @property
    def sources(self) -> tuple[str, ...]:
        """Sources that may be trained on, each of which is left out in turn."""
        return tuple(sorted({image.source for image in self.images if image.train}))

    def model(self, left_out: str) -> Path:
        """Model folder of the run without this source (`WHOLE`: without none); an interrupted run is gone on with.

        Raises
        ------
        ValueError
            Where the folder holds a run of other settings.
        """
        name = left_out.replace("/", "_")
        folder = self.folder / name
        self._check(folder)
        if not (folder / "config.json").is_file():
            claim_run_folder(folder, self.settings, resume=(folder / RECORD).is_file())
            self._train(folder, left_out)
        return folder

    @cached_property
    def _training_set(self) -> tuple[dict[str, list[TrainingImage]], list[BlurredImage], list[BlurredImage]]:
        """Accepted images by part, and those of training and validation blurred: made once for all runs."""
        parts = split_by_field(list(self.images))
        accepted = accept_trained(parts, self.folder / "refused.csv")
        train = training_images(accepted["train"], self.settings)
        return accepted, train, blur_images(accepted["validation"])

    def _train(self, folder: Path, left_out: str) -> None:
        accepted, train, validation = self._training_set
        kept = {part: [image for image in own if image.source != left_out] for part, own in accepted.items()}
        seen = [image for image in train if image.source != left_out]
        held = [image for image in validation if image.source != left_out] or seen[::10]
        model, history = fit_network(self.settings, seen, held, folder, self._title(left_out))
        write_model_folder(folder, model, self.settings, history, kept, Pooling())

    def _title(self, left_out: str) -> str:
        """Which run it is, and how many there are."""
        names = (*self.sources, WHOLE)
        told = "on all sources" if left_out == WHOLE else f"without {left_out}"
        return f"{told} ({names.index(left_out) + 1} of {len(names)})"

    def _check(self, folder: Path) -> None:
        record = folder / RECORD
        begun = json.loads(record.read_text()) if record.is_file() else asdict(self.settings)
        other = {key: begun.get(key) for key, value in asdict(self.settings).items() if begun.get(key) != value}
        if other:
            raise ValueError(
                f"runs must hold runs of the same settings, got {other} in {folder}: choose another folder"
            )
