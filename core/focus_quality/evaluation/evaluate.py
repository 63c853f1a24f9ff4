"""The command `evaluate_focus_quality`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Optional

from parfocal.commands import Param, check_arguments, command
from parfocal.focus_quality.evaluation.held_out import Exposure, HeldOut, HeldOutImage, find_held_out, find_sources
from parfocal.focus_quality.evaluation.left_out import evaluate_left_out
from parfocal.focus_quality.evaluation.left_out_runs import LeftOutRuns
from parfocal.focus_quality.evaluation.output import FocusQualityEvaluation, Rounds, claim_output, write_evaluation
from parfocal.focus_quality.evaluation.sections import Measured, sections, tables
from parfocal.focus_quality.evaluation.stack_scores import run_stacks
from parfocal.focus_quality.evaluation.stacks import find_stacks
from parfocal.focus_quality.evaluation.synthetic import model_labels, run_as_they_are, run_invariance, run_synthetic
from parfocal.focus_quality.settings import training_settings
from parfocal.registry import shipped_file


@command
def evaluate_focus_quality(
    images: Annotated[str, Param(label="Folder of in-focus images and z-stacks")],
    output: Annotated[str, Param(label="Folder for the report")],
    model: Annotated[str, Param(label="Model")] = "default",
    compare: Annotated[tuple[str, ...], Param(label="Models to compare it with")] = (),
    sources: Annotated[Optional[str], Param(label="Sources of the images (JSON)")] = None,
    stacks: Annotated[Optional[str], Param(label="Focal planes of the z-stacks (JSON)")] = None,
    images_per_source: Annotated[int, Param("images", 1, 100000, label="Images per source")] = 8,
    invariance_images_per_source: Annotated[int, Param("images", 1, 100000, label="Of these for invariance")] = 2,
    peak_electrons: Annotated[float, Param("photoelectrons", 1.0, 1e6, label="Peak signal")] = 1000.0,
    background_share: Annotated[float, Param("", 0.0, 10.0, label="Background over peak")] = 0.05,
    read_noise_electrons: Annotated[float, Param("photoelectrons", 0.0, 1000.0, label="Read noise")] = 2.0,
    seed: Annotated[int, Param("", 0, None, label="Seed")] = 0,
    leave_one_source_out: Annotated[bool, Param(label="Train without each source in turn")] = False,
    config: Annotated[
        str, Param(choices=("default", "yang2018", "images_alone"), label="Config of these runs")
    ] = "default",
    steps: Annotated[int, Param("batches", 1, None, label="Steps of each run")] = 1500,
    runs: Annotated[Optional[str], Param(label="Folder of these runs")] = None,
) -> FocusQualityEvaluation:
    """Evaluate focus quality models and the classical metrics on the same held-out images and real z-stacks.

    Tables and figures follow Yang et al. 2018, doi:10.1186/s12859-018-2087-4. Only images are used whose field or
    source took no part in training; they are blurred to all 11 levels and exposed by a stated camera. With the
    default caps a run takes a few minutes on one core.

    Parameters
    ----------
    images : str
        Folder of in-focus images, searched recursively, in which real z-stacks may lie too.
    output : str
        Folder to write; it must not exist yet or hold nothing but the folder of the runs.
    model : str
        Name of a shipped model or path of a model folder.
    compare : tuple of str
        More models, measured on the same images.
    sources : str, optional
        JSON that groups the images into sources and fields, in the form of `models/training_sources.json`. Without it
        the shipped one, if it knows any image of the folder, else each subfolder is a source and all images are used.
    stacks : str, optional
        JSON with the focal planes of the z-stacks, in the form of `models/evaluation_stacks.json`, the default.
    images_per_source : int
        Of more, as many are chosen at random under the seed.
    invariance_images_per_source : int
        As many of these are measured again under each gain and offset.
    peak_electrons : float
        Photoelectrons of the brightest structures in the sharp image.
    background_share : float
        Background as share of the peak.
    read_noise_electrons : float
        Standard deviation of the camera's read noise.
    seed : int
        Of the choice of images, the noise and the splits for the F-score.
    leave_one_source_out : bool
        Judge a recipe instead of a model: train a network without each source in turn and measure that source with it,
        real stacks and sources that may not be trained on with a network that has seen all others. `model` and
        `compare` do not go with it, and gain and offset are not looked at.
    config : str
        Recipe of these runs, as of `train_focus_quality`.
    steps : int
        Batches of each run: one small budget, so that recipes can be compared.
    runs : str, optional
        Folder in which these runs are looked for and trained; by default `runs` in the output folder. Finished ones
        are loaded, interrupted ones gone on with.

    Returns
    -------
    FocusQualityEvaluation
        The tables, the choice of images and where the report lies.

    Raises
    ------
    FileExistsError
        Where the output folder holds something.
    FileNotFoundError
        Where no image can be evaluated on.
    ValueError
        Where an argument lies outside its range or would have no effect, or a JSON file is not what it should be.
    parfocal.registry.ModelError
        Where a model cannot be loaded.
    """
    check_arguments(evaluate_focus_quality, locals())
    _check_together(leave_one_source_out, {"model": model, "compare": compare}, {"config": config, "runs": runs})
    exposure = Exposure(peak_electrons, background_share, read_noise_electrons)
    entries, missing = find_stacks(images, stacks or shipped_file("evaluation_stacks.json"))
    if leave_one_source_out:
        found, _ = find_sources(images, sources)
        left_out = LeftOutRuns(
            tuple(found), Path(runs or Path(output) / "runs"), training_settings(config, steps=steps)
        )
        return evaluate_left_out(left_out, Path(output), images, entries, missing, images_per_source, exposure, seed)
    models = list(dict.fromkeys([model, *compare]))
    _check_models(models)
    held_out = find_held_out(images, sources, images_per_source, seed)
    folder = claim_output(Path(output))
    measured = _measure(images, models, held_out, entries, exposure, invariance_images_per_source, seed)
    made = tables(measured, held_out, seed)
    title = f"Focus quality: {', '.join(measured.models)} and the classical metrics"
    return write_evaluation(folder, title, made, sections(measured, held_out, made, missing), held_out)


def _check_together(leave_one_source_out: bool, of_models: dict[str, Any], of_recipes: dict[str, Any]) -> None:
    """Refuse arguments that would have no effect."""
    idle = of_models if leave_one_source_out else of_recipes
    given = {name: value for name, value in idle.items() if value not in ("default", (), None)}
    if given:
        needed = "not be given with" if leave_one_source_out else "only be given with"
        raise ValueError(f"{' and '.join(given)} must {needed} leave_one_source_out, got {given}")


def _check_models(models: Sequence[str]) -> None:
    """Load every model now: a wrong name is told before minutes of work, not after."""
    from parfocal.focus_quality.plane import TASK
    from parfocal.registry import load_model

    for name in models:
        load_model(name, TASK)


def _measure(
    folder: str,
    models: list[str],
    held_out: HeldOut,
    entries: list[dict[str, Any]],
    exposure: Exposure,
    invariance_images: int,
    seed: int,
) -> Measured:
    few = _first_of_each_source(held_out.images, invariance_images)
    with Rounds() as track:
        as_they_are = run_as_they_are(track(held_out.images, "images as they are"), models)
        synthetic = run_synthetic(track(held_out.images, "synthetic defocus"), models, exposure, seed)
        invariance = run_invariance(track(few, "gain and offset"), models, exposure, seed)
        real = run_stacks(folder, track(entries, "real z-stacks"), models) if entries else None
    labels = list(model_labels(models).values())
    return Measured(labels, exposure, as_they_are, synthetic, invariance, real)


def _first_of_each_source(images: Sequence[HeldOutImage], count: int) -> list[HeldOutImage]:
    taken: dict[str, int] = {}
    chosen = []
    for image in images:
        source = image.image.source
        taken[source] = taken.get(source, 0) + 1
        if taken[source] <= count:
            chosen.append(image)
    return chosen
