"""Studies of the paper: crop against resize, and the size of the training set (Xue et al. 2021, figures 3 and S4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Callable

import numpy as np

from parfocal.report.sections import Section
from parfocal.sorting.evaluation.runs import KeptRows, draw_figures, joined, shown, trained_row
from parfocal.sorting.examples import Example, folds, synthetic_examples
from parfocal.sorting.fit import Fit, without_validation
from parfocal.sorting.inputs import paper_inputs
from parfocal.sorting.network import PAPER_CROP_PX
from parfocal.sorting.settings import SorterTraining, training_settings
from parfocal.training.images import TrainingImage, read_gray

if TYPE_CHECKING:
    import pandas as pd

    from parfocal.sorting.evaluation.evaluate import Plan

SIDES_PX = (67, 134, 268)
# The paper cuts and resizes 536 px; images that are smaller by more than this would be enlarged.
SMALLEST_PX = 512
NETWORKS = ("xue2021", "default")
SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
# On two cores a pass costs minutes; the paper's 50 passes over 7560 images are 100 to 300 times as many steps.
PASSES = 3.0

_RESOLUTION_TEXT = (
    "The paper's network, whose input is either the middle of the image or the whole of it resized, at the same number"
    " of pixels. Trained on all folds but the first and judged on that at a probability of 0.5. Images of"
    " {smallest} px and more, of which a square of up to {crop} px is shown: {train} exposures of {fields} fields to"
    " train on, {test} of other fields to judge. Budget: {passes:g} passes each, of 50 in the paper; a network that"
    " would gain from more of them is not at its best here."
)
_SIZE_TEXT = (
    "Networks trained on a part of the fields, whole fields and the smaller parts within the larger, and judged on the"
    " fold that no training saw, at a probability of 0.5: {test} exposures. All trainings of a network take the same"
    " number of steps, {passes:g} passes over the whole, with the rates lowered at the same steps: a smaller part is"
    " gone through more often. The config has 50 passes for xue2021, 24 for default."
)


@dataclass(frozen=True)
class Study:
    """Settings of one network, examples to train on and to judge, and what has been found so far."""

    plan: Plan
    kept: KeptRows
    settings: SorterTraining
    train: list[Example]
    test: list[Example]

    def row(self, told: dict[str, Any], fit: Callable[[], tuple[Fit, list[Example]]], title: str) -> pd.DataFrame:
        """Take or make the row of one run, which `told` tells from the others; `fit` gives it and what to judge."""
        plan, settings = self.plan, self.settings
        run = {"network": settings.architecture, "epochs": settings.epochs, "exposures": plan.exposures, **told}
        run.update(train=len(self.train), test=len(self.test), folds=plan.folds, seed=plan.seed)

        def make() -> list[dict[str, Any]]:
            prepared, test = fit()
            return [{**told, **trained_row(prepared, test, title)}]

        return self.kept.rows(run, make)


def resolution_sections(plan: Plan) -> list[Section]:
    """Train the paper's network on cut and on resized images; writes `resolution.csv` and `resolution.png`.

    Raises
    ------
    ValueError
        Where no image is large enough.
    """
    images = [image for image in plan.images["trained"] if min(read_gray(image.path).shape) >= SMALLEST_PX]
    if not images:
        raise ValueError(f"the resolution study needs images of {SMALLEST_PX} px or more in both directions, got none")
    settings = _settings(plan, "xue2021")
    train, test = _split(plan, images, between=False)
    study = Study(plan, KeptRows(plan.output / "resolution.csv"), settings, train, test)
    table = joined([_at_side(study, approach, side) for approach in ("crop", "resize") for side in SIDES_PX])
    draw_figures(plan.output / "resolution.png", table, "approach", "side in px", "xue2021")
    numbers = {"train": len(train), "fields": len(_fields(train)), "test": len(test), "passes": settings.epochs}
    text = _RESOLUTION_TEXT.format(smallest=SMALLEST_PX, crop=PAPER_CROP_PX, **numbers)
    return [Section("Crop against resize", text, (table,), ("resolution.png",))]


def size_sections(plan: Plan) -> list[Section]:
    """Train networks on parts of the fields; writes `training_size.csv` and `training_size.png`."""
    kept = KeptRows(plan.output / "training_size.csv")
    train, test = _split(plan, plan.images["trained"], between=True)
    fields = _fields(train)
    order = np.random.default_rng([plan.seed, 60]).permutation(len(fields))
    parts = [{fields[i] for i in order[: max(1, round(share * len(fields)))]} for share in SHARES]
    rows = []
    for settings in (_settings(plan, name) for name in NETWORKS):
        own = [example for example in train if settings.between or not example.between]
        study = Study(plan, kept, settings, own, test)
        rows += [_on_part(study, chosen) for chosen in parts]
    table = joined(rows)
    draw_figures(plan.output / "training_size.png", table, "network", "fields")
    text = _SIZE_TEXT.format(test=len(test), passes=_settings(plan, NETWORKS[0]).epochs)
    return [Section("Training size", text, (table,), ("training_size.png",))]


def middle(image_yx: np.ndarray, side_px: int) -> np.ndarray:
    """Cut a square out of the middle, smaller where the image is."""
    side = min(side_px, *image_yx.shape)
    y, x = ((length - side) // 2 for length in image_yx.shape)
    return image_yx[y : y + side, x : x + side]


def _settings(plan: Plan, network: str) -> SorterTraining:
    return without_validation(training_settings(network, epochs=PASSES if plan.epochs is None else plan.epochs))


def _split(plan: Plan, images: Sequence[TrainingImage], between: bool) -> tuple[list[Example], list[Example]]:
    """Expose images, to train on and, those of the first fold, to judge."""
    examples = synthetic_examples(images, plan.exposures, plan.seed, between)
    fold = folds(examples, plan.folds)
    train = [example for example, number in zip(examples, fold) if number]
    return train, [example for example, number in zip(examples, fold) if not number and not example.between]


def _fields(examples: Sequence[Example]) -> list[tuple[str, str]]:
    return sorted({(example.source, example.field) for example in examples})


def _at_side(study: Study, approach: str, side_px: int) -> pd.DataFrame:
    """Train on images that are cut, or resized, to squares of a side."""
    seen_px = side_px if approach == "crop" else PAPER_CROP_PX

    def fit() -> tuple[Fit, list[Example]]:
        train, test = (
            [replace(example, pixels=middle(example.pixels, seen_px)) for example in part]
            for part in (study.train, study.test)
        )
        return Fit(study.settings, train, shown(train), input_px=side_px), test

    return study.row({"approach": approach, "side in px": side_px}, fit, f"xue2021, {approach}, {side_px} px")


def _on_part(study: Study, chosen: set[tuple[str, str]]) -> pd.DataFrame:
    """Train on the examples of some of the fields."""
    part = [example for example in study.train if (example.source, example.field) in chosen]
    name = study.settings.architecture

    def fit() -> tuple[Fit, list[Example]]:
        return Fit(_as_many_steps(study.settings, study.train, part), part, shown(part)), study.test

    told = {"network": name, "fields": len(chosen), "training exposures": len(part)}
    return study.row(told, fit, f"{name}, {len(chosen)} fields")


def _as_many_steps(settings: SorterTraining, train: Sequence[Example], part: Sequence[Example]) -> SorterTraining:
    """Settings with which a part of the examples is trained on for as many steps, at the same rates, as all of them."""
    whole, own = (_steps_per_pass(examples, settings) for examples in (train, part))
    steps = max(1, round(settings.epochs * whole))
    return replace(settings, epochs=steps / own, halve_every=settings.halve_every * whole / own)


def _steps_per_pass(examples: Sequence[Example], settings: SorterTraining) -> int:
    is_default = settings.architecture == "default"
    count = len(examples) if is_default else sum(len(paper_inputs(example.pixels)) for example in examples)
    return -(-count // settings.batch_size)
