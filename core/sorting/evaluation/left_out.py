"""A sorter on sources that took no part in its training: alone, as the whole command, with a threshold of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from parfocal.registry import model_folder, read_config
from parfocal.report.sections import Section
from parfocal.sorting.evaluation import left_out_tables as tables
from parfocal.sorting.evaluation.runs import KeptRows, joined
from parfocal.sorting.examples import Example, folds, synthetic_examples
from parfocal.sorting.flag import flag_defocused
from parfocal.sorting.settings import TASK
from parfocal.training.images import TrainingImage, accept_images

if TYPE_CHECKING:
    import pandas as pd

    from parfocal.sorting.evaluation.evaluate import Plan

ALL = "all"
# Counts of a 16-bit camera: bright structures lie at BLACK + SPAN, and 20 times as bright ones are not cut off.
BLACK, SPAN = 1000.0, 3000.0

_TEXT = (
    "Sources of which the model has seen nothing, exposed as 16-bit counts and judged by `flag_defocused`. First the"
    " sorter alone: every exposure is answered, at the model's threshold. Then the whole command, which holds the"
    " sorter against the measured level and gives no answer where the two contradict each other or the image is no"
    " good; its figures, but for the first three columns, are over what it answered."
)
_BESIDE_TEXT = (
    "AUC of the sorter alone, of the level of MeasureImageFocus (an exposure without a level ranks on the wrong side;"
    " then only where there is a level), and of the classical metric that does best on these very exposures, which"
    " flatters it. Below, the share that the sorter alone flags, by true level (whole levels, rounded down)."
)
_OWN_TEXT = (
    "What a user can do: `threshold_for_false_alarms` at 5 percent from the sharp images of one half of a source's"
    " fields, judged by the whole command, then the other half sorted with it, and the halves the other way round."
    " Shares are over the answered exposures of both halves; `promised` is the rate of false alarms that so few sharp"
    " images can promise."
)


def held_out_sections(plan: Plan) -> list[Section]:
    """Judge the sources that were left out; writes `held_out.csv`, a row for each exposure."""
    by_source = left_out_images(plan)
    kept = KeptRows(plan.output / "held_out.csv")
    found = {source: _judged(plan, source, images, kept) for source, images in by_source.items()}
    found = {**found, ALL: joined(list(found.values()))}
    halves = {source: part for source, part in found.items() if source != ALL and part["half"].nunique() == 2}
    single = [source for source in by_source if source not in halves]
    about = f" {len(found[ALL])} exposures of {sum(map(len, by_source.values()))} images.{refusals(plan, by_source)}"
    without = f" Left out, since all is one field: {', '.join(single)}." if single else ""
    alone, command = tables.by_source(found, tables.alone), tables.by_source(found, tables.command)
    beside = (tables.by_source(found, tables.beside), tables.by_level(found))
    own = (tables.by_source(halves, tables.own_threshold),) if halves else ()
    return [
        Section("Left-out sources", _TEXT + about, (alone, command)),
        Section("Beside the level and the classical metrics", _BESIDE_TEXT, beside),
        Section("A threshold from one's own sharp images", _OWN_TEXT + without, own),
    ]


def left_out_images(plan: Plan) -> dict[str, list[TrainingImage]]:
    """Images of the left-out sources that can serve as in focus, by source.

    Raises
    ------
    ValueError
        Where there is none.
    """
    images = accept_images({"left_out": plan.images["left_out"]}, plan.output / "refused_left_out.csv")["left_out"]
    if not images:
        raise ValueError('sources must name one with "train": false that has images in focus, found none')
    return {name: [i for i in images if i.source == name] for name in sorted({image.source for image in images})}


def refusals(plan: Plan, by_source: dict[str, list[TrainingImage]]) -> str:
    """Say how many images of the left-out sources took no part."""
    missing = len(plan.images["left_out"]) - sum(map(len, by_source.values()))
    reason = "cannot be read or are not in focus, by the criterion for training images (`refused_left_out.csv`)"
    return f" {missing} more {reason}." if missing else ""


def model_digest(name: str) -> str:
    """Beginning of the SHA-256 of a model's weights: scores of another one must not be taken for its own."""
    return str(read_config(model_folder(name, TASK))["sha256"])[:12]


def as_counts(pixels_yx: np.ndarray) -> np.ndarray:
    """Show an example as the counts of a 16-bit camera (uint16)."""
    counts = np.rint(BLACK + SPAN * pixels_yx.astype(np.float32))
    return np.clip(counts, 0, np.iinfo(np.uint16).max).astype(np.uint16)


def _judged(plan: Plan, source: str, images: list[TrainingImage], kept: KeptRows) -> pd.DataFrame:
    run = {"source": source, "model": model_digest(plan.model), "images": len(images)}

    def judge() -> list[dict[str, Any]]:
        examples = synthetic_examples(images, plan.exposures, plan.seed)
        return [{**_row(e, plan.model), "half": int(half)} for e, half in zip(examples, folds(examples, 2))]

    return kept.rows({**run, "exposures": plan.exposures, "seed": plan.seed}, judge)


def _row(example: Example, model: str) -> dict[str, Any]:
    """What the sorter alone, the whole command and the classical metrics say of an exposure."""
    from parfocal.focus_quality.classical import classical_metrics

    counts = as_counts(example.pixels)
    alone = flag_defocused(counts, check_level=False, model=model)
    whole = flag_defocused(counts, model=model)
    return {
        "source": example.source,
        "image": example.name,
        "field": example.field,
        "level": example.level,
        "defocused": example.defocused,
        "probability": alone.probability,
        "threshold": alone.threshold,
        "answer": whole.probability,
        "status": whole.status,
        "measured_level": whole.main_plane.defocus_level,
        **classical_metrics(counts),
    }
