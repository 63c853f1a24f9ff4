"""Models and classical metrics run over synthetic defocus of held-out images, and over the images as they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from parfocal.focus_quality.classical import classical_metrics
from parfocal.focus_quality.evaluation.held_out import Exposure, HeldOutImage
from parfocal.focus_quality.measure import measure_image_focus
from parfocal.focus_quality.result import FocusEstimate, ImageFocus
from parfocal.focus_quality.synthesis import apply_gain_and_offset

if TYPE_CHECKING:
    import pandas as pd

GAINS = (0.2, 0.5, 2.0, 5.0)
OFFSETS = (1.0, 10.0, 100.0, 1000.0)
# Columns of the table of patches.
PATCH_COLUMNS = ("true_level", "predicted_level", "confidence", "certainty")
CERTAINTY_ROWS = 5


@dataclass(frozen=True)
class GalleryPatch:
    """A patch picked for the gallery, and the level it was blurred to."""

    image_yx: np.ndarray
    true_level: int


@dataclass
class Gallery:
    """One random patch for each predicted level and fifth of the certainty, whatever number comes by.

    Attributes
    ----------
    cells : dict
        Patch by (predicted level, fifth of the certainty, 0 lowest).
    """

    seed: int
    cells: dict[tuple[int, int], GalleryPatch] = field(default_factory=dict)
    _seen: dict[tuple[int, int], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(self.seed)

    def offer(self, counts_yx: np.ndarray, focus: ImageFocus, true_level: int) -> None:
        """Let the patches of one measured image take part in the draw."""
        patches = focus.planes[0].patches
        if patches is None:
            return
        rows = np.minimum((patches.certainty * CERTAINTY_ROWS).astype(int), CERTAINTY_ROWS - 1)
        size = round(patches.size_px)
        for corner, probabilities, row in zip(patches.corners_yx.astype(int), patches.probabilities, rows):
            cell = (int(probabilities.argmax()), int(row))
            self._seen[cell] = self._seen.get(cell, 0) + 1
            if self._rng.random() * self._seen[cell] < 1:
                y, x = corner
                self.cells[cell] = GalleryPatch(counts_yx[y : y + size, x : x + size].copy(), true_level)


@dataclass(frozen=True)
class SyntheticRun:
    """What was measured on synthetic defocus.

    Attributes
    ----------
    exposures : DataFrame
        A row for each exposure and model: image, source, stain, field, part, true_level, model, and the answer.
    metrics : DataFrame
        A row for each exposure: the same keys, and a column for each classical metric.
    patches : dict
        By model, (n, 4) in the order of `PATCH_COLUMNS`.
    gallery : Gallery
        Patches of the first model.
    distributions : dict
        By model, (n, 11) of the images, in the order of its rows in `exposures`; NaN where there is no answer.
    """

    exposures: pd.DataFrame
    metrics: pd.DataFrame
    patches: dict[str, np.ndarray]
    gallery: Gallery
    distributions: dict[str, np.ndarray]


def model_labels(models: Sequence[str]) -> dict[str, str]:
    """Short, distinct names for the tables, by model name or path: the last part, or all where two share it."""
    last = [Path(model).name for model in models]
    return {model: name if last.count(name) == 1 else model for model, name in zip(models, last)}


def run_synthetic(
    images: Iterable[HeldOutImage], models: Sequence[str], exposure: Exposure, seed: int = 0
) -> SyntheticRun:
    """Measure every image at all 11 levels with every model and classical metric."""
    import pandas as pd

    labels = model_labels(models)
    answers: list[dict[str, Any]] = []
    metrics: list[dict[str, Any]] = []
    patches: dict[str, list[np.ndarray]] = {label: [] for label in labels.values()}
    distributions: dict[str, list[np.ndarray]] = {label: [] for label in labels.values()}
    gallery = Gallery(seed)
    for held_out in images:
        for level, counts in held_out.exposures(exposure, seed):
            keys = {**image_keys(held_out), "true_level": level}
            metrics.append({**keys, **classical_metrics(counts)})
            for model, label in labels.items():
                focus = measure_image_focus(counts, model=model)
                answers.append({**keys, "model": label, **answer(focus.estimate)})
                patches[label].append(_patch_rows(focus, level))
                distributions[label].append(focus.estimate.probabilities)
                if model == models[0]:
                    gallery.offer(counts, focus, level)
    joined = {label: np.concatenate(rows) for label, rows in patches.items()}
    stacked = {label: np.stack(rows) for label, rows in distributions.items()}
    return SyntheticRun(pd.DataFrame(answers), pd.DataFrame(metrics), joined, gallery, stacked)


def run_invariance(
    images: Iterable[HeldOutImage], models: Sequence[str], exposure: Exposure, seed: int = 0
) -> pd.DataFrame:
    """Measure images at all levels under each gain and each offset: a row for each exposure, condition and model."""
    import pandas as pd

    rows = []
    for held_out in images:
        for level, counts in held_out.exposures(exposure, seed):
            for condition, (gain, offset) in conditions().items():
                changed = np.rint(apply_gain_and_offset(counts, gain, offset)).astype(np.uint16)
                for model, label in model_labels(models).items():
                    found = answer(measure_image_focus(changed, model=model).estimate)
                    keys = {**image_keys(held_out), "true_level": level}
                    rows.append({**keys, "condition": condition, "model": label, **found})
    return pd.DataFrame(rows)


def run_as_they_are(images: Iterable[HeldOutImage], models: Sequence[str]) -> pd.DataFrame:
    """Measure the in-focus images without any blur or noise added: a row for each image and model."""
    import pandas as pd

    rows = []
    for held_out in images:
        pixels = held_out.read()
        for model, label in model_labels(models).items():
            estimate = measure_image_focus(pixels, model=model).estimate
            rows.append({**image_keys(held_out), "model": label, **answer(estimate), "reason": estimate.reason})
    return pd.DataFrame(rows)


def conditions() -> dict[str, tuple[float, float]]:
    """Gain and offset by name; the first one changes nothing."""
    found = {"as exposed": (1.0, 0.0)}
    found.update({f"gain {gain:g}": (gain, 0.0) for gain in GAINS})
    found.update({f"offset {offset:g}": (1.0, offset) for offset in OFFSETS})
    return found


def image_keys(held_out: HeldOutImage) -> dict[str, Any]:
    """Columns that name an image."""
    image = held_out.image
    keys = {"image": image.path.name, "source": image.source, "stain": image.stain}
    return {**keys, "field": held_out.field, "part": held_out.part}


def answer(estimate: FocusEstimate) -> dict[str, Any]:
    """Columns of an estimate; `confidence` is the probability of the predicted level."""
    return {
        "defocus_level": estimate.defocus_level,
        "predicted_level": estimate.predicted_level,
        "certainty": estimate.certainty,
        "mean_certainty": estimate.mean_certainty,
        "effective_patches": estimate.effective_patches,
        "confidence": float(np.max(estimate.probabilities)),
        "status": estimate.status,
    }


def _patch_rows(focus: ImageFocus, level: int) -> np.ndarray:
    patches = focus.planes[0].patches
    if patches is None:
        return np.empty((0, len(PATCH_COLUMNS)))
    p = patches.probabilities
    return np.column_stack([np.full(len(p), level), p.argmax(axis=1), p.max(axis=1), patches.certainty])
