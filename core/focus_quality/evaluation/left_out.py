"""Leave-one-source-out: every source measured by a network that has not seen it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from parfocal.focus_quality.estimate import Pooling
from parfocal.focus_quality.evaluation.held_out import LEFT_OUT, TEST, Exposure, HeldOut, HeldOutImage, choose_images
from parfocal.focus_quality.evaluation.left_out_pooling import fitted_pooling, pooled_by_others, write_pooled_model
from parfocal.focus_quality.evaluation.left_out_runs import WHOLE, LeftOutRuns
from parfocal.focus_quality.evaluation.output import FocusQualityEvaluation, Rounds, claim_output, write_evaluation
from parfocal.focus_quality.evaluation.stack_scores import run_stacks
from parfocal.focus_quality.evaluation.stacks import RealStack
from parfocal.focus_quality.evaluation.synthetic import Gallery, SyntheticRun, run_synthetic
from parfocal.training.images import split_by_field

if TYPE_CHECKING:
    import pandas as pd

# Name of all runs together in the tables.
NETWORK = "network"


@dataclass(frozen=True)
class LeftOutMeasured:
    """What was measured.

    Attributes
    ----------
    averaged, foreign : SyntheticRun
        Images of sources that the network had not seen: patches averaged, and summed up as fits the other sources.
    pooling : Pooling
        What fits all of them.
    known : SyntheticRun, optional
        Other fields of sources that the network has seen, summed up so.
    stacks : tuple, optional
        The real stacks, measured by the network that has seen every source that may be trained on: no stack was.
    held_out : HeldOut
        The images, and those that were not usable.
    """

    averaged: SyntheticRun
    foreign: SyntheticRun
    pooling: Pooling
    known: Optional[SyntheticRun]
    stacks: Optional[tuple[list[RealStack], pd.DataFrame, pd.DataFrame]]
    held_out: HeldOut


def evaluate_left_out(
    runs: LeftOutRuns,
    output: Path,
    folder: str,
    entries: list[dict[str, Any]],
    missing: list[str],
    images_per_source: int,
    exposure: Exposure,
    seed: int,
) -> FocusQualityEvaluation:
    """Train the runs that are missing, measure each source by the one that has not seen it, and write the report.

    Parameters
    ----------
    runs : LeftOutRuns
    output : Path
        Folder of the report and of the network that has seen all sources (`model`); the runs may lie in it.
    folder : path
        Of the images.
    entries, missing : list
        Real stacks below it, and names of those that are not.
    images_per_source, exposure, seed
        As of `evaluate_focus_quality`.

    Raises
    ------
    ValueError
        Where there are fewer than two sources that may be trained on, or the folder holds runs of other settings.
    FileExistsError
        Where the output folder holds something else.
    """
    from parfocal.focus_quality.evaluation.left_out_report import left_out_sections, left_out_tables

    if len(runs.sources) < 2:
        raise ValueError(f"leave_one_source_out needs 2 sources that may be trained on, got {list(runs.sources)}")
    claim_output(output, own=runs.folder)
    models = {name: str(runs.model(name)) for name in (*runs.sources, WHOLE)}
    measured = _measure(runs, models, output / "model", folder, entries, images_per_source, exposure, seed)
    made = left_out_tables(measured, seed)
    report = left_out_sections(measured, made, runs.settings, missing)
    return write_evaluation(output, "Focus quality: each source left out in turn", made, report, measured.held_out)


def _measure(
    runs: LeftOutRuns,
    models: dict[str, str],
    shipped: Path,
    folder: str,
    entries: list[dict[str, Any]],
    images_per_source: int,
    exposure: Exposure,
    seed: int,
) -> LeftOutMeasured:
    rng = np.random.default_rng(seed)
    foreign = choose_images(list(runs.images), LEFT_OUT, images_per_source, rng)
    known = choose_images(split_by_field(list(runs.images))[TEST], TEST, images_per_source, rng)
    seen_by = {models[name]: _seen_by(name, foreign, runs) for name in models}
    if not foreign.images:
        raise FileNotFoundError(f"no image below {folder} can be evaluated on: all were refused")
    with Rounds() as track:
        jobs = [(model, images) for model, images in seen_by.items() if images]
        parts = [run_synthetic(i, [m], exposure, seed) for m, i in track(jobs, "sources left out")]
        averaged = _joined(parts)
        pooling = fitted_pooling(averaged, NETWORK)
        whole = [str(write_pooled_model(Path(models[WHOLE]), shipped, pooling))]
        fields = track(known.images, "known sources")
        seen = _joined([run_synthetic(fields, whole, exposure, seed)]) if known.images else None
        stacks = run_stacks(folder, track(entries, "real z-stacks"), whole) if entries else None
    held_out = HeldOut((*foreign.images, *known.images), (*foreign.refused, *known.refused))
    return LeftOutMeasured(averaged, pooled_by_others(averaged, NETWORK), pooling, seen, stacks, held_out)


def _seen_by(run: str, foreign: HeldOut, runs: LeftOutRuns) -> tuple[HeldOutImage, ...]:
    """Images that a run measures: of its source, or for the whole one of those that nobody trains on."""
    trained = set(runs.sources)
    return tuple(i for i in foreign.images if i.image.source == run or (run == WHOLE and i.image.source not in trained))


def _joined(parts: list[SyntheticRun]) -> SyntheticRun:
    """Put runs of different models together, as if they were one model's, `network`."""
    import pandas as pd

    exposures = pd.concat([part.exposures for part in parts], ignore_index=True).assign(model=NETWORK)
    metrics = pd.concat([part.metrics for part in parts], ignore_index=True)
    patches = np.concatenate([rows for part in parts for rows in part.patches.values()])
    images = np.concatenate([rows for part in parts for rows in part.distributions.values()])
    return SyntheticRun(exposures, metrics, {NETWORK: patches}, Gallery(0), {NETWORK: images})
