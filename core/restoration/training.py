"""The command `train_restorer`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Optional

from parfocal.commands import Param, check_arguments, command
from parfocal.optics.optics import Optics
from parfocal.registry import checked_config
from parfocal.restoration.dataset import find_pairs, read_pairs, read_scenes, split_pairs
from parfocal.restoration.export import write_model_folder
from parfocal.restoration.fit import Fit, blurred_ssim, run_fit
from parfocal.restoration.inputs import TASK
from parfocal.restoration.losses import LOSSES
from parfocal.restoration.network import ARCHITECTURES
from parfocal.restoration.sampler import PairSampler, SyntheticSampler
from parfocal.restoration.settings import RestorationTraining, training_settings
from parfocal.training.export import read_start
from parfocal.training.images import TrainingImage, accept_trained, find_training_images, split_by_field
from parfocal.training.run_folder import claim_run_folder

_OTHER_FIELDS = "they are of fields that were not trained on"
_SAME_FIELDS = "there were too few fields to keep one back: they are of fields that were trained on, and prove nothing"


@command
def train_restorer(
    images: Annotated[str, Param(label="Folder of in-focus images")],
    output: Annotated[str, Param(label="Model folder to write")],
    defocused: Annotated[Optional[str], Param(label="Folder of the same fields defocused")] = None,
    config: Annotated[str, Param(choices=ARCHITECTURES, label="Config")] = "default",
    sources: Annotated[Optional[str], Param(label="Sources of the images (JSON)")] = None,
    start_from: Annotated[Optional[str], Param(label="Model to go on from")] = None,
    steps: Annotated[Optional[int], Param("batches", 1, None, label="Steps")] = None,
    epochs: Annotated[Optional[int], Param("passes", 1, None, label="Passes")] = None,
    learning_rate: Annotated[Optional[float], Param("", 0.0, 1.0, label="Learning rate")] = None,
    loss: Annotated[Optional[str], Param(choices=LOSSES, label="Loss")] = None,
    channels: Annotated[Optional[int], Param("", 1, 3, label="Colours restored together")] = None,
    first_filters: Annotated[Optional[int], Param("", 2, 128, label="Filters at the finest scale")] = None,
    largest_level: Annotated[Optional[float], Param("levels", 0.25, 10.0, label="Largest defocus level")] = None,
    pixel_size_um: Annotated[float, Param("um", 0.001, 100.0, label="Pixel size")] = 0.65,
    numerical_aperture: Annotated[float, Param("", 0.01, 2.0, label="Numerical aperture")] = 0.5,
    emission_wavelength_um: Annotated[float, Param("um", 0.2, 2.0, label="Emission wavelength")] = 0.5,
    immersion_index: Annotated[float, Param("", 1.0, 2.0, label="Refractive index of the immersion")] = 1.0,
    seed: Annotated[Optional[int], Param("", 0, None, label="Seed")] = None,
    resume: Annotated[bool, Param(label="Go on from the last checkpoint")] = False,
) -> Path:
    """Train a restoring network from pairs, or from in-focus images by synthetic defocus, and write a model folder.

    Parameters
    ----------
    images : path
        Folder of in-focus images, searched recursively. Without `defocused`, unreadable, blank, small or blurred ones
        are refused and listed in `refused.csv`, and the rest is blurred to random levels and exposed with random noise.
    output : path
        Model folder to write. It must not exist yet, unless `resume` is set.
    defocused : path, optional
        Folder with the defocused partners of `images`, of the same file names and sizes, registered; several of a field
        in subfolders.
    config : str
        `default`, `xue2021` (ResUNet and the recipe of the paper) or `unet` (the paper's comparison).
    sources : path, optional
        JSON that groups in-focus images into sources and fields; without it each subfolder is a source.
    start_from : path, optional
        Model, by name or folder, whose weights are trained on (transfer learning); its architecture, channels and
        filters hold, and the learning rate is a tenth of the config's unless given.
    steps : int, optional
        Batches: 16,000 for `default`.
    epochs : int, optional
        Passes over the crops, instead of steps: 60 for `xue2021` and `unet`.
    learning_rate : float, optional
        Highest rate: 0.002 (Adam) for `default`, 0.001 (Nadam) for `xue2021` and `unet`.
    loss : str, optional
        `ssim` (1 - SSIM; `xue2021` and `unet`), `l1`, `l1_100ssim` (L1 + 100 (1 - SSIM), the paper's combination) or
        `ssim_4l1` (1 - SSIM + 4 L1; `default`).
    channels : int, optional
        Colours that `xue2021` and `unet` restore together, 1 or 3. The default network restores each alone.
    first_filters : int, optional
        Width of `xue2021` and `unet` at the finest scale; 64 in the paper.
    largest_level : float, optional
        Synthetic defocus goes from level 0 to this; 10 in all configs.
    pixel_size_um : float
        Camera pixel divided by magnification, of pairs. Synthetic defocus has optics of its own.
    numerical_aperture : float
        Of the objective, for pairs.
    emission_wavelength_um : float
        Wavelength of the fluorescence that is seen, for pairs.
    immersion_index : float
        1.0 for air, 1.33 for water, 1.515 for oil; for pairs.
    seed : int, optional
        Of weights, crops and noise; 1 in all configs.
    resume : bool
        Go on from the last checkpoint in `output`.

    Returns
    -------
    Path
        The model folder.

    Raises
    ------
    FileNotFoundError
        A folder is missing, or no image is left to train from.
    FileExistsError
        `output` holds something and `resume` is not set.
    ValueError
        An argument is wrong, or the images of the two folders do not pair; the message says which.
    parfocal.registry.ModelError
        There is no model `start_from`, or it is for something else.
    """
    check_arguments(train_restorer, locals())
    changes: dict[str, Any] = {"steps": steps, "epochs": epochs, "learning_rate": learning_rate, "loss": loss}
    changes.update(channels=channels, first_filters=first_filters, largest_level=largest_level, seed=seed)
    settings = training_settings(config, **changes)
    begun = None if start_from is None else checked_config(start_from, TASK)
    if begun is not None:
        settings = _transferred(settings, begun[1], learning_rate)
    optics = Optics(emission_wavelength_um, numerical_aperture, immersion_index, pixel_size_um)
    pairs = None if defocused is None else find_pairs(images, defocused)
    parts = split_by_field(find_training_images(images, sources)) if pairs is None else {}
    folder = Path(output)
    claim_run_folder(folder, settings, resume)
    if pairs is None:
        fit, counts = _plan_synthetic(parts, settings, folder)
    else:
        fit, counts = _plan_pairs(pairs, settings, folder, optics)
    if begun is not None:
        fit = replace(fit, start=read_start(*begun))
    network, history = run_fit(fit)
    validated = f"SSIM {blurred_ssim(fit):.3f} before they are restored; {fit.held_out}"
    begun_from = "" if start_from is None else f" Trained on from the model `{start_from}`."
    return write_model_folder(folder, network, settings, history, counts, optics, validated, begun_from)


def _transferred(
    settings: RestorationTraining, held: dict[str, Any], learning_rate: Optional[float]
) -> RestorationTraining:
    """Settings under the architecture of the model that is trained on, at a lower rate."""
    rate = settings.learning_rate / 10 if learning_rate is None else learning_rate
    filters = held["training"]["first_filters"]
    return replace(
        settings,
        architecture=held["architecture"],
        channels=held["channels"],
        first_filters=filters,
        learning_rate=rate,
        crop_px=held["training"]["crop_px"],
    )


def _plan_synthetic(
    parts: dict[str, list[TrainingImage]], settings: RestorationTraining, folder: Path
) -> tuple[Fit, dict[str, int]]:
    accepted = accept_trained(parts, folder / "refused.csv")
    if not accepted["train"]:
        raise FileNotFoundError(f"no image can be trained from; see {folder / 'refused.csv'}")
    held, known = accepted["validation"], _OTHER_FIELDS
    if not held:
        held, known = accepted["train"][::10], _SAME_FIELDS
    train = read_scenes(accepted["train"], settings.channels, settings.zoomed_copies, settings.seed)
    validation = read_scenes(held, settings.channels)
    samplers = [
        SyntheticSampler(scenes, settings, seed)
        for scenes, seed in ((train, settings.seed), (validation, settings.seed + 1000))
    ]
    return Fit(settings, samplers[0], samplers[1], folder, known), _count([image.source for image in accepted["train"]])


def _plan_pairs(
    pairs: Sequence[Any], settings: RestorationTraining, folder: Path, optics: Optics
) -> tuple[Fit, dict[str, int]]:
    train, validation = split_pairs(pairs)
    known = _SAME_FIELDS if train == validation else _OTHER_FIELDS
    samplers = [
        PairSampler(read_pairs(side, settings.channels, optics), settings.architecture, settings.crop_px, seed, optics)
        for side, seed in ((train, settings.seed), (validation, settings.seed + 1000))
    ]
    return Fit(settings, samplers[0], samplers[1], folder, known), _count(
        [pair.defocused.parent.name for pair in train]
    )


def _count(names: Sequence[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))
