"""What training on from a few images of a new source makes of a sorter (Xue et al. 2021, 2.4 and figure 4)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from parfocal.registry import read_config
from parfocal.report.sections import Section
from parfocal.sorting.evaluation.left_out import left_out_images, model_digest, refusals
from parfocal.sorting.evaluation.runs import FIGURES, KeptRows, draw_figures, joined, judged_row, shown, trained_row
from parfocal.sorting.examples import Example, synthetic_examples
from parfocal.sorting.fit import Fit, without_validation
from parfocal.sorting.members import first_member
from parfocal.sorting.network import build_network
from parfocal.sorting.settings import SorterTraining, training_settings
from parfocal.training.export import read_start
from parfocal.training.images import TrainingImage

if TYPE_CHECKING:
    import pandas as pd

    from parfocal.sorting.evaluation.evaluate import Plan

SIZES = (5, 10, 20)
FEWEST_FIELDS, FEWEST_TESTED = 8, 3
REPEATS = 2
NO_TRANSFER, TRANSFER, FROM_SCRATCH = METHODS = ("no transfer", "transfer", "from scratch")

_TEXT = (
    "The model is trained on, at the rates of transfer, with 5, 10 and 20 fields of a source of which it has seen"
    " nothing, each image once sharp and once defocused; beside it the model as it is, and a network of the same kind"
    " from random weights, trained on the same exposures for as many steps at its own rates. All are judged, at a"
    " probability of 0.5, on the fields that no training of a repeat has seen."
)


@dataclass(frozen=True)
class Trial:
    """One repeat on one source: images to train on, by field in the order in which they are taken, and to judge."""

    plan: Plan
    source: str
    repeat: int
    fields: tuple[tuple[TrainingImage, ...], ...]
    tested: tuple[TrainingImage, ...]

    @cached_property
    def test(self) -> list[Example]:
        """Exposures to judge."""
        return synthetic_examples(self.tested, self.plan.exposures, self.plan.seed)

    def train(self, size: int) -> list[Example]:
        """Exposures of the first fields, one sharp and one defocused of each image."""
        images = [image for field in self.fields[:size] for image in field]
        return synthetic_examples(images, 1, self.plan.seed + 1000 * (self.repeat + 1))


def transfer_sections(plan: Plan) -> list[Section]:
    """Train on from a few fields of each source that has enough; writes `transfer.csv` and `transfer_SOURCE.png`.

    Raises
    ------
    ValueError
        Where no left-out source has enough fields.
    """
    by_source = left_out_images(plan)
    n_fields = {source: len({image.field for image in images}) for source, images in by_source.items()}
    chosen = [source for source, count in n_fields.items() if count >= FEWEST_FIELDS]
    if not chosen:
        raise ValueError(f"transfer needs a left-out source of {FEWEST_FIELDS} fields or more, got {n_fields}")
    kept = KeptRows(plan.output / "transfer.csv")
    tables = [_mean_figures(source, _source_rows(plan, source, by_source[source], kept)) for source in chosen]
    left = [f"{source} ({count})" for source, count in n_fields.items() if source not in chosen]
    about = f" Repeats with other fields, weights and noise: {REPEATS}, of which these are the means.{_budget(plan)}"
    about += f" Too few fields for this: {', '.join(left)}." if left else ""
    figures = [f"transfer_{source}.png" for source in chosen]
    for source, name, table in zip(chosen, figures, tables):
        draw_figures(plan.output / name, table, "method", "fields", source)
    return [
        Section("Transfer", _TEXT + about + refusals(plan, by_source), (_side_by_side(joined(tables)),), tuple(figures))
    ]


def _budget(plan: Plan) -> str:
    settings = _settings(plan, True, 0)
    return (
        f" Budget: {settings.epochs:g} passes, batches of {settings.batch_size}, transfer at a rate of"
        f" {settings.learning_rate:g}, halved every {settings.halve_every:g} passes."
    )


def _source_rows(plan: Plan, source: str, images: list[TrainingImage], kept: KeptRows) -> list[pd.DataFrame]:
    rows = []
    for repeat in range(REPEATS):
        trial = _trial(plan, source, images, repeat)
        for size in _sizes(images):
            rows += [_run(trial, size, method, kept) for method in METHODS]
    return rows


def _sizes(images: list[TrainingImage]) -> list[int]:
    n_fields = len({image.field for image in images})
    return [size for size in SIZES if size <= n_fields - FEWEST_TESTED]


def _trial(plan: Plan, source: str, images: list[TrainingImage], repeat: int) -> Trial:
    names = sorted({image.field for image in images})
    order = np.random.default_rng([plan.seed, 80, repeat]).permutation(len(names))
    fields = [tuple(image for image in images if image.field == names[i]) for i in order]
    most = max(_sizes(images))
    return Trial(plan, source, repeat, tuple(fields[:most]), tuple(i for field in fields[most:] for i in field))


def _run(trial: Trial, size: int, method: str, kept: KeptRows) -> pd.DataFrame:
    """Take or make the row of one network on one repeat."""
    plan = trial.plan
    run = {"source": trial.source, "repeat": trial.repeat, "size": size, "method": method, "epochs": plan.epochs}
    run.update(model=model_digest(plan.model), tested=len(trial.tested), exposures=plan.exposures, seed=plan.seed)

    def make() -> list[dict[str, Any]]:
        title = f"{trial.source}, {size} fields, {method}, repeat {trial.repeat + 1}"
        told = {"source": trial.source, "method": method, "fields": size, "test exposures": len(trial.test)}
        return [{**told, **_figures(trial, size, method, title)}]

    return kept.rows(run, make)


def _figures(trial: Trial, size: int, method: str, title: str) -> dict[str, float]:
    settings = _settings(trial.plan, method != FROM_SCRATCH, trial.repeat)
    if method == NO_TRANSFER:
        network = build_network(settings.architecture)
        network.set_weights(_start(trial.plan))
        return {"steps": 0, **judged_row(network, trial.test)}
    train = trial.train(size)
    start = _start(trial.plan) if method == TRANSFER else None
    return trained_row(Fit(settings, train, shown(train), start), trial.test, title)


def _settings(plan: Plan, transfer: bool, repeat: int) -> SorterTraining:
    """Settings of both trainings, which last equally long."""
    architecture = read_config(first_member(plan.model))["architecture"]
    epochs = training_settings(architecture, True, epochs=plan.epochs).epochs
    return without_validation(training_settings(architecture, transfer, epochs=epochs, seed=repeat + 1))


def _start(plan: Plan) -> list[np.ndarray]:
    folder = first_member(plan.model)
    return read_start(folder, read_config(folder))


def _mean_figures(source: str, rows: list[pd.DataFrame]) -> pd.DataFrame:
    """Means over the repeats, one row for each number of fields and method."""
    columns = ["steps", "test exposures", *FIGURES]
    means = joined(rows).groupby(["fields", "method"], sort=False)[columns].mean().reset_index()
    means.insert(0, "source", source)
    return means


def _side_by_side(means: pd.DataFrame) -> pd.DataFrame:
    """Put the methods into columns: a row for each source and number of fields."""
    import pandas as pd

    rows = []
    for (source, fields), own in means.groupby(["source", "fields"], sort=False):
        by_method = own.set_index("method")
        told = {"source": source, "fields": fields, "steps": int(own["steps"].max())}
        told["test exposures"] = int(own["test exposures"].iloc[0])
        scores = {f"{score}, {name}": by_method.loc[name, score] for score in FIGURES for name in METHODS}
        rows.append({**told, **scores})
    return pd.DataFrame(rows)
