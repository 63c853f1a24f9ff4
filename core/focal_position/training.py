"""The command `train_focal_position`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Optional

import numpy as np

from parfocal.commands import Param, check_arguments, command
from parfocal.focal_position.bins import Bins
from parfocal.focal_position.export import About, write_model_folder
from parfocal.focal_position.fit import Fit, run_fit
from parfocal.focal_position.inputs import TASK, means, reduced
from parfocal.focal_position.labelled import LabelledPlanes, split_by_stack
from parfocal.focal_position.network import ARCHITECTURES
from parfocal.focal_position.sampler import CROP_PX, PlaneSampler
from parfocal.focal_position.settings import DEPTH_OF_FIELD, MICROMETRE, FocalPositionTraining, training_settings
from parfocal.focal_position.simulation.planes import NUMERICAL_APERTURES, SimulationPlan, simulated_planes
from parfocal.focal_position.stacks import LabelledStack, read_labelled_stacks
from parfocal.registry import checked_config
from parfocal.training.export import read_start
from parfocal.training.run_folder import claim_run_folder

# Images with a longer shorter side are reduced to it: the rest of the resolution is not worth its time.
LARGEST_SIDE_PX = 1024
# Between planes farther apart than the bins nothing is known: targets are as wide as this share of their distance, so
# that those of neighbours meet, where single bins would teach the network a comb.
_SPACING_SHARE = 0.4


@command
def train_focal_position(
    output: Annotated[str, Param(label="Model folder to write")],
    stacks: Annotated[Optional[str], Param(label="Folder of z-stacks")] = None,
    listed: Annotated[Optional[str], Param(label="Focal planes of the stacks (JSON or CSV)")] = None,
    simulated: Annotated[Optional[int], Param("stacks", 2, None, label="Stacks to simulate")] = None,
    config: Annotated[str, Param(choices=ARCHITECTURES, label="Config")] = "default",
    start_from: Annotated[Optional[str], Param(label="Model to go on from")] = None,
    half_range: Annotated[Optional[float], Param("", 0.001, None, label="Middle of the last bin")] = None,
    bin_width: Annotated[Optional[float], Param("", 0.0001, None, label="Width of a bin")] = None,
    zoom: Annotated[Optional[float], Param("", 0.01, 1.0, label="Reduction of the images")] = None,
    crop_px: Annotated[Optional[int], Param("px", 25, None, label="Width of the crops")] = None,
    downsampling: Annotated[Optional[int], Param("", 1, 50, label="Down-sampling of the crops")] = None,
    steps: Annotated[Optional[int], Param("batches", 1, None, label="Steps")] = None,
    batch_size: Annotated[Optional[int], Param("planes", 1, 1000, label="Batch size")] = None,
    learning_rate: Annotated[Optional[float], Param("", 0.0, 1.0, label="Learning rate")] = None,
    seed: Annotated[Optional[int], Param("", 0, None, label="Seed")] = None,
    resume: Annotated[bool, Param(label="Go on from the last checkpoint")] = False,
) -> Path:
    """Train a network that reads the signed distance from focus off one image, and write a model folder.

    Parameters
    ----------
    output : path
        Model folder to write. It must not exist yet, unless `resume` is set.
    stacks : path, optional
        Folder of multi-page TIFF files, each with a table `<name>_planes.csv` (column z_um). Give this or `simulated`.
    listed : path, optional
        Focal planes of the stacks, JSON or CSV with columns `file` and `focal_z_um`; by default `focal_planes.json` or
        `focal_planes.csv` in the folder. Whole stacks are kept back for the validation.
    simulated : int, optional
        Number of stacks to simulate; distances are then in depths of field, and `default` only.
    config : str
        `default` or `wei2018` (the network and recipe of Wei and Roberts 2018, doi:10.1038/s41598-018-25458-w).
    start_from : path, optional
        Model, by name or folder, whose weights are trained on; it keeps its number of bins, in um over the range of
        real stacks, and the learning rate is then a fourth of the config's unless given.
    half_range : float, optional
        Middle of the last bin: um for real stacks (default: the largest distance in them; 20 for `wei2018`), depths of
        field for simulated ones (default: 10).
    bin_width : float, optional
        In the same unit; a twentieth of the range by default, 1 um for `wei2018`.
    zoom : float, optional
        Factor on the pixels of real images for `default`; by default the shorter side is brought to 1024 at most.
    crop_px : int, optional
        Width of the crops of `wei2018`: 1000.
    downsampling : int, optional
        Factor by which its crops are reduced: 4 (2 and 10 in the paper too).
    steps : int, optional
        Batches: 6,000 for `default`, 100,000 for `wei2018`.
    batch_size : int, optional
        16 for `default`, 50 for `wei2018`.
    learning_rate : float, optional
        Highest rate of Adam: 0.002 for `default`, 0.0001 for `wei2018`.
    seed : int, optional
        Of weights, crops, noise and simulation; 1 in both configs.
    resume : bool
        Go on from the last checkpoint in `output`.

    Returns
    -------
    Path
        The model folder.

    Raises
    ------
    FileNotFoundError
        There are no stacks, or no list of their focal planes.
    FileExistsError
        `output` holds something and `resume` is not set.
    ImportError
        `simulated` without psfmodels.
    ValueError
        An argument is wrong, or a stack cannot be trained from; the message says which.
    """
    check_arguments(train_focal_position, locals())
    if (stacks is None) == (simulated is None):
        raise ValueError(f"give either stacks or simulated, got {stacks!r} and {simulated!r}")
    changes: dict[str, Any] = {"half_range": half_range, "bin_width": bin_width, "crop_px": crop_px, "seed": seed}
    changes.update(downsampling=downsampling, steps=steps, batch_size=batch_size, learning_rate=learning_rate)
    if simulated is not None:
        settings = training_settings(config, **changes)
        _check_simulated(settings, start_from)
        claim_run_folder(Path(output), settings, resume)
        labelled = simulated_planes(SimulationPlan(stacks=simulated), settings.bins, settings.seed)
        return train_on(labelled, Path(output), settings, _simulated_about(simulated), _start_weights(start_from))
    read = read_labelled_stacks(str(stacks), listed)
    settings = stack_settings(read, config, start_from, **changes)
    claim_run_folder(Path(output), settings, resume)
    factor = zoom or usual_zoom(read)
    about = About(f"{len(read)} z-stacks in {Path(str(stacks)).name}", "trained", factor)
    planes = labelled_planes(read, settings, factor)
    return train_on(planes, Path(output), settings, about, _start_weights(start_from))


def train_on(
    labelled: LabelledPlanes,
    output: Path,
    settings: FocalPositionTraining,
    about: About,
    start: Optional[list[np.ndarray]] = None,
) -> Path:
    """Train a network on planes that are in memory, and write the model folder."""
    train, validation = split_by_stack(labelled, settings.validation_share, settings.seed)
    crop = settings.input_px if settings.architecture == "wei2018" else CROP_PX
    samplers = [
        PlaneSampler(side, settings.architecture, seed, crop)
        for side, seed in ((train, settings.seed), (validation, settings.seed + 1000))
    ]
    fit = Fit(settings, samplers[0], samplers[1], output, start)
    network, history = run_fit(fit)
    return write_model_folder(output, network, fit, history, about)


def stack_settings(
    stacks: Sequence[LabelledStack], config: str, start_from: Optional[str] = None, **changes: Any
) -> FocalPositionTraining:
    """Settings for real stacks: bins in um over their range, or as many as the model has that is trained on.

    Raises
    ------
    ValueError
        Where an argument is wrong, or no plane lies away from focus.
    """
    given = {name: value for name, value in changes.items() if value is not None}
    if start_from is not None:
        _, held = checked_config(start_from, TASK)
        config, kept = held["architecture"], held["training"]
        given = {"crop_px": kept["crop_px"], "downsampling": kept["downsampling"], **given}
    if config == "default":
        largest = max(float(np.abs(stack.defocus_um).max()) for stack in stacks)
        if largest <= 0:
            raise ValueError("the stacks must hold planes out of focus, all lie at the focal plane")
        half = float(given.setdefault("half_range", round(largest, 3)))
        given.setdefault("bin_width", half / 20)
    settings = replace(training_settings(config, **given), unit=MICROMETRE)
    if start_from is None:
        return settings
    count = round(2 * held["bins"]["half_range"] / held["bins"]["width"]) + 1
    rate = given.get("learning_rate", settings.learning_rate / 4)
    return replace(settings, bin_width=settings.half_range / (count // 2), learning_rate=rate)


def labelled_planes(stacks: Sequence[LabelledStack], settings: FocalPositionTraining, zoom: float) -> LabelledPlanes:
    """Planes of real stacks within the range of the bins, at the scale that the network sees.

    Raises
    ------
    ValueError
        Where a stack is smaller than a crop of `wei2018`.
    """
    bins, planes, defocus, index = settings.bins, [], [], []
    deviation = _SPACING_SHARE * float(np.median([np.median(np.diff(np.sort(stack.z_um))) for stack in stacks]))
    for number, stack in enumerate(stacks):
        if settings.architecture == "wei2018" and min(stack.stack_zyx.shape[1:]) < settings.crop_px:
            size = min(stack.stack_zyx.shape[1:])
            raise ValueError(f"crop_px must be at most the size of the images, {stack.name} has {size} px")
        for plane, distance in zip(stack.stack_zyx, stack.defocus_um):
            if abs(distance) > bins.half_range + bins.width:
                continue
            wei = settings.architecture == "wei2018"
            planes.append(means(plane, settings.downsampling) if wei else reduced(plane, zoom))
            defocus.append(float(distance))
            index.append(number)
    distances = np.array(defocus)
    return LabelledPlanes(planes, bins.targets(distances, deviation), distances, np.array(index), clean=False)


def usual_zoom(stacks: Sequence[LabelledStack]) -> float:
    """Factor that brings the shorter side of the images to 1024 pixels at most."""
    return min(1.0, LARGEST_SIDE_PX / max(min(stack.stack_zyx.shape[1:]) for stack in stacks))


def _check_simulated(settings: FocalPositionTraining, start_from: Optional[str]) -> None:
    if settings.unit != DEPTH_OF_FIELD or settings.architecture != "default":
        raise ValueError(f"config must be default for simulated stacks, got {settings.architecture!r}")
    if start_from is None:
        return
    held = Bins.from_dict(checked_config(start_from, TASK)[1]["bins"])
    if held != settings.bins:
        raise ValueError(f"the bins must be those of start_from, {held}, got {settings.bins}")


def _simulated_about(count: int) -> About:
    apertures = [min(NUMERICAL_APERTURES), max(NUMERICAL_APERTURES)]
    source = (
        f"{count} simulated stacks of nuclei, cells, puncta, beads and fibres, widefield fluorescence, air objectives "
        f"of NA {apertures[0]:g} to {apertures[1]:g} behind coverslips that are right or too thick (W040 up to 1.4 "
        "wavelengths)"
    )
    return About(source, "aberration", 0.0, {"numerical_aperture": apertures, "largest_immersion_index": 1.1})


def _start_weights(start_from: Optional[str]) -> Optional[list[np.ndarray]]:
    if start_from is None:
        return None
    return read_start(*checked_config(start_from, TASK))
