"""Training of the bead distance networks, from the simulator or from labelled crops."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Optional

from parfocal.beads.distance.export import write_model_folder
from parfocal.beads.distance.fit import Fit, fit_member
from parfocal.beads.distance.normalise import NORMALISATIONS
from parfocal.beads.distance.plan import TrainingPlan, plan_labelled, plan_simulated
from parfocal.beads.distance.predict import TASK
from parfocal.beads.distance.sampler import CropSampler
from parfocal.beads.distance.settings import BeadDistanceTraining, training_settings
from parfocal.commands import Param, command
from parfocal.registry import checked_config, read_config
from parfocal.training.run_folder import claim_run_folder


@command
def train_bead_distance(
    output: Annotated[str, Param(label="Model folder to write")],
    crops: Annotated[Optional[str], Param(label="Labelled crops")] = None,
    optics: Annotated[Optional[str], Param(choices=("a2k_like", "nikon_like"), label="Simulated optics")] = None,
    config: Annotated[str, Param(choices=("default", "chalfoun2024"), label="Config")] = "default",
    start_from: Annotated[Optional[str], Param(label="Model to fine-tune")] = None,
    members: Annotated[Optional[int], Param("networks", 1, 50, label="Networks of the ensemble")] = None,
    steps: Annotated[Optional[int], Param("batches", 1, None, label="Steps")] = None,
    learning_rate: Annotated[Optional[float], Param("", 0.0, 1.0, label="Learning rate")] = None,
    normalisation: Annotated[Optional[str], Param(choices=NORMALISATIONS, label="Normalisation")] = None,
    n_crops: Annotated[Optional[int], Param("crops", 20, None, label="Crops to simulate")] = None,
    seed: Annotated[Optional[int], Param("", 0, None, label="Seed")] = None,
    resume: Annotated[bool, Param(label="Go on from the last checkpoint")] = False,
) -> Path:
    """Train an ensemble that reads the distance from the reference focal plane off crops of beads.

    Parameters
    ----------
    output : path
        Model folder to write: weights, `config.json`, `card.md`, training log and curve, and `refused.csv` with the
        crops that were left out. It must not exist yet, or hold nothing but `crops`, unless `resume` is set.
    crops : path, optional
        Labelled crops: an .npz, or a folder with `crops.npz` (crops_nyx, distance_um, stack_index, pixel_size_um,
        bead_diameter_um). Give this or `optics`.
    optics : str, optional
        Simulated optics to train for.
    config : str
        `default` (a slim residual network) or `chalfoun2024` (ResNet-18 and the recipe of the paper).
    start_from : path, optional
        Model, by name or folder, whose networks are fine-tuned instead of new ones; its architecture, crop width and
        normalisation hold.
    members : int, optional
        Networks of the ensemble, seeds `seed`, `seed` + 1, ...; 5 for `default`, 10 for `chalfoun2024`.
    steps : int, optional
        Batches for each network: 4,000 of 64 crops for `default`, at most 200,000 of 32 for `chalfoun2024`.
    learning_rate : float, optional
        Highest rate of Adam: 0.002 for `default`, 0.0001 for `chalfoun2024`.
    normalisation : str, optional
        `average_background` for `default`, `none` for `chalfoun2024`; also `z_score` and `zero_centre`.
    n_crops : int, optional
        Crops to simulate, 24,000 in both configs.
    seed : int, optional
        Of weights, order, augmentation and simulation; 1 in both configs.
    resume : bool
        Go on from the last checkpoint in `output`.

    Returns
    -------
    Path
        The model folder.

    Raises
    ------
    FileNotFoundError
        There are no labelled crops at `crops`.
    FileExistsError
        `output` holds something and `resume` is not set.
    ValueError
        Not exactly one of `crops` and `optics` is given, or the crops cannot be trained from.
    """
    if (crops is None) == (optics is None):
        raise ValueError(f"give either crops or optics, got {crops!r} and {optics!r}")
    changes = {"members": members, "steps": steps, "learning_rate": learning_rate, "n_crops": n_crops, "seed": seed}
    settings = training_settings(config, normalisation=normalisation, **changes)
    if crops is not None and settings.augmentation == "exact":
        settings = replace(settings, augmentation="relit")
    begun = None
    if start_from is not None:
        begun, held = checked_config(start_from, TASK)
        settings = replace(settings, architecture=held["architecture"], normalisation=held["normalisation"])
    folder = Path(output)
    claim_run_folder(folder, settings, resume, own=None if crops is None else Path(crops))
    plan = _plan(crops, optics, settings, begun)
    _write_refused(folder / "refused.csv", plan)
    fit = plan_fit(plan, begun)
    fitted = [fit_member(fit, member, folder) for member in range(settings.members)]
    return write_model_folder(folder, [model for model, _ in fitted], plan, [history for _, history in fitted])


def _plan(
    crops: Optional[str], optics: Optional[str], settings: BeadDistanceTraining, begun: Optional[Path]
) -> TrainingPlan:
    if crops is None:
        return plan_simulated(str(optics), settings)
    if begun is None:
        return plan_labelled(crops, settings)
    held = read_config(begun)
    plan = plan_labelled(crops, settings, held["crop_px"])
    return replace(plan, scale_um=held["scale_um"], count_scale=held["count_scale"])


def plan_fit(plan: TrainingPlan, begun: Optional[Path] = None) -> Fit:
    """What the members are fitted to: samplers of the plan, and weights to begin from."""
    settings = plan.settings
    shape = (plan.crop_px, settings.normalisation, plan.count_scale)
    train = CropSampler(plan.train, *shape, settings.seed, settings.augmentation, plan.limits_um)
    validation = CropSampler(plan.validation, *shape, limits_um=plan.limits_um)
    start = None if begun is None else begun / read_config(begun)["start"]
    return Fit(settings, train, validation, plan.scale_um, start)


def _write_refused(path: Path, plan: TrainingPlan) -> None:
    with path.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["crop", "reason"])
        writer.writerows(plan.refused)
