"""Small networks that the studies train: one sampler for every kind of defocus, runs that can be taken up again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Callable

import numpy as np

from parfocal.restoration.comparison import by_networks, rows_of
from parfocal.restoration.dataset import Scene, image_level, read_scenes
from parfocal.restoration.evaluation.exposures import Exposure, Kernels, born_wolf_kernels, resized, shown_through
from parfocal.restoration.evaluation.plan import Plan
from parfocal.restoration.fit import Fit, Sampler, run_fit
from parfocal.restoration.inputs import context_px, network_input
from parfocal.restoration.network import on_squares
from parfocal.restoration.restorers import DefaultNetwork, PaperNetwork, Restorer
from parfocal.restoration.sampler import Batch, Sample, crops_of, group_weights, measured_level, random_crop
from parfocal.restoration.settings import CONFIGS, RestorationTraining, training_settings
from parfocal.restoration.synthesis import PSF_PX, expose
from parfocal.training.images import TrainingImage, accept_images
from parfocal.training.run_folder import RECORD

# Crops smaller than those of the paper and of the default network, so that a few hundred steps take minutes.
CROP_PX = {"default": 128, "xue2021": 132, "unet": 132}
BATCH_SIZE = 2
# That of the default network, whatever the config says: in a few hundred steps SSIM alone teaches some networks nothing
# and others much, by chance (see `losses`).
LOSS = CONFIGS["default"].loss
_LEVEL_STEP, _LARGEST_LEVEL = 0.25, 10.0
Draw = Callable[[np.random.Generator], Kernels]


def random_level(rng: np.random.Generator) -> float:
    """Draw a level between 0 and 10, in steps of 0.25."""
    return _LEVEL_STEP * int(rng.integers(round(_LARGEST_LEVEL / _LEVEL_STEP) + 1))


def random_born_wolf(rng: np.random.Generator) -> Kernels:
    """Draw the kernels of a level under the model's optics."""
    return born_wolf_kernels(random_level(rng))


class StudySampler:
    """Random crops of in-focus images, shown through random kernels and exposed; the same for the same seed and step.

    Parameters
    ----------
    scenes : sequence of Scene
    architecture : str
    seed : int
    draw : callable
        Draws the kernels of a crop.
    """

    def __init__(self, scenes: Sequence[Scene], architecture: str, seed: int, draw: Draw = random_born_wolf) -> None:
        self.scenes, self.architecture, self.seed, self.draw = scenes, architecture, seed, draw
        self.crops = sum(crops_of(scene.pixels, CROP_PX[architecture]) for scene in scenes)
        self.weights = group_weights([scene.group for scene in scenes])

    def batch(self, step: int, size: int) -> Batch:
        """Make one batch."""
        rng = np.random.default_rng([self.seed, 52, step])
        chosen = rng.choice(len(self.scenes), size, p=self.weights)
        return Batch.of([self._sample(self.scenes[index], rng) for index in chosen])

    def _sample(self, scene: Scene, rng: np.random.Generator) -> Sample:
        kernels = self.draw(rng)
        margin, width = context_px(self.architecture), CROP_PX[self.architecture]
        crop = random_crop(scene.pixels, width, margin + PSF_PX // 2, rng)[..., 0]
        focused, defocused = shown_through(crop, kernels)
        exposed = expose(defocused[..., None], rng)
        inputs = network_input(self.architecture, exposed, measured_level(kernels.level, rng), kernels.optics)
        end = margin + width
        return Sample(inputs, focused[margin:end, margin:end, None].astype(np.float32), offset=0.0, scale=1.0)


class TurnsSampler:
    """Batches of several samplers in turn."""

    def __init__(self, samplers: Sequence[Sampler]) -> None:
        self.samplers = samplers
        self.crops = sum(sampler.crops for sampler in samplers)

    def batch(self, step: int, size: int) -> Batch:
        """Make one batch."""
        return self.samplers[step % len(self.samplers)].batch(step, size)


class KerasModel:
    """A network in training's own form, behind the face of a loaded model."""

    def __init__(self, folder: Path, network: Any, settings: RestorationTraining) -> None:
        self.folder, self._network = folder, network
        self._run = on_squares(network) if settings.architecture == "default" else self._planes_first
        self.config = {"largest_level": _LARGEST_LEVEL, "channels": 1, "architecture": settings.architecture}

    def predict(self, batch: np.ndarray) -> np.ndarray:
        """Run the network over a batch (n, planes, y, x), float32."""
        return np.asarray(self._run(batch))

    def _planes_first(self, batch: np.ndarray) -> np.ndarray:
        return np.moveaxis(np.asarray(self._network(np.moveaxis(batch, 1, -1), training=False)), -1, 1)


def study_settings(plan: Plan, **changes: Any) -> RestorationTraining:
    """Settings of one small network: its config but for the loss, at the budget of the plan, last weights kept."""
    settings = training_settings(plan.network, steps=plan.steps, first_filters=plan.first_filters, seed=plan.seed + 1)
    small = {"crop_px": CROP_PX[plan.network], "batch_size": BATCH_SIZE, "validation_steps": plan.steps, "loss": LOSS}
    small["thick_share"] = 0.0
    return replace(settings, keep_best=False, **{**small, **changes})


def trained(plan: Plan, name: str, train: Sampler, validation: Sampler, **changes: Any) -> Restorer:
    """Train a small network, or take it from where an earlier run has left it (`networks/<name>`).

    Raises
    ------
    ValueError
        Where the earlier run had other settings.
    """
    from rich.console import Console

    settings = study_settings(plan, **changes)
    folder = _run_folder(plan.path(f"networks/{name}"), settings)
    Console().print(f"network {name}: {settings.steps} steps", highlight=False)
    network, _ = run_fit(Fit(settings, train, validation, folder))
    model = KerasModel(folder, network, settings)
    return DefaultNetwork(model) if settings.architecture == "default" else PaperNetwork(model)


def _run_folder(folder: Path, settings: RestorationTraining) -> Path:
    """Make the folder of a run, or find that it holds one of the same settings."""
    record, wanted = folder / RECORD, json.dumps(asdict(settings), indent=2) + "\n"
    if record.exists() and record.read_text() != wanted:
        raise ValueError(f"{folder} was trained with other settings: choose another output folder")
    folder.mkdir(parents=True, exist_ok=True)
    record.write_text(wanted)
    return folder


def scored(one: Exposure, restorers: dict[str, Restorer], about: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows of the table for an exposure: the networks and the blurred image."""
    found = by_networks(one.blurred, restorers, _level(one, restorers), one.kernels.optics)
    return rows_of({"blurred": one.blurred, **found}, one.truth, {**one.about, **about})


def _level(one: Exposure, restorers: dict[str, Restorer]) -> float:
    needed = any(restorer.needs_level for restorer in restorers.values())
    return image_level(one.blurred, one.kernels.optics) if needed else one.level


@dataclass(frozen=True)
class StudyImages:
    """In-focus images that the studies train on: `train` (with their scenes) and `validation`."""

    images: tuple[TrainingImage, ...]
    train: tuple[Scene, ...]
    validation: tuple[Scene, ...]

    def zoomed(self, zoom: float) -> StudyImages:
        """Return the same images resized by a factor."""
        train, validation = (
            tuple(Scene(resized(s.pixels[..., 0], zoom)[..., None].astype(np.float16), s.group) for s in scenes)
            for scenes in (self.train, self.validation)
        )
        return replace(self, train=train, validation=validation)


def study_images(plan: Plan) -> StudyImages:
    """Read the images to train on.

    Raises
    ------
    FileNotFoundError
        Where there is none.
    """
    sides = plan.sides()
    wanted = {name: sides[name] for name in ("train", "validation")}
    accepted = accept_images(wanted, plan.path("refused.csv"))
    train = accepted["train"]
    if not train:
        raise FileNotFoundError(f"no image below {plan.images} can be trained from; see {plan.path('refused.csv')}")
    return StudyImages(
        tuple(train), tuple(read_scenes(train)), tuple(read_scenes(accepted["validation"] or train[::10]))
    )


def budget_text(plan: Plan) -> str:
    """Say what was spent on each network, and what that can show."""
    settings = study_settings(plan)
    return (
        f"Each network is `{plan.network}` with {plan.first_filters} filters at the finest scale, trained for"
        f" {plan.steps} steps of {settings.batch_size} crops of {settings.crop_px} px, rate {settings.learning_rate:g},"
        f" loss `{LOSS}` where nothing else is said, the same seed:"
        f" {plan.steps * settings.batch_size} crops, where the paper's network of 64 filters sees some"
        " 350,000 of 388 px. At such a budget a difference shows what is learned first; it says little of what networks"
        " that have been trained to the end would reach, and differences of about 0.01 in SSIM may be those of a seed."
        " Scores are of held-out images, after the affine of least squares."
    )
