"""Training of the focus quality networks."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Optional

import numpy as np

from parfocal.commands import Param, command
from parfocal.focus_quality.dataset import BlurredImage, PatchSampler, blur_images
from parfocal.focus_quality.export import write_model_folder
from parfocal.focus_quality.network import INPUTS, build_network, ranked_probability_score
from parfocal.training.images import accept_images, find_training_images, split_by_field
from parfocal.training.run_folder import claim_run_folder

VALIDATION_BATCHES = 16


@dataclass(frozen=True)
class FocusQualityTraining:
    """Settings of a training run.

    Attributes
    ----------
    architecture : str
        `default` or `yang2018`.
    steps : int
        Batches in all.
    batch_size : int
        Patches a batch.
    learning_rate : float
        Highest rate of Adam; it falls to 1 percent of it along a half cosine where `decay` is set.
    decay : bool
    augment : bool
        The paper's random gain and offset.
    zoomed_copies : bool
        Train also on reduced copies of the images.
    haze : bool
        Put an uneven background behind every second patch.
    smooth_noise : bool
        Smooth the noise of every fifth patch.
    seed : int
        Of weights, patches and noise.
    steps_per_epoch : int
        After each epoch the validation score is logged and a checkpoint is written.
    """

    architecture: str = "default"
    steps: int = 12000
    batch_size: int = 64
    learning_rate: float = 2e-3
    decay: bool = True
    augment: bool = True
    zoomed_copies: bool = True
    haze: bool = True
    smooth_noise: bool = True
    seed: int = 1
    steps_per_epoch: int = 250


# The paper: Adam at 5e-6 for a million steps on 64 replicas. With `steps` cut to what a desk machine can do, pass a
# higher learning rate: the model card says which one was used.
YANG2018 = FocusQualityTraining(
    "yang2018",
    steps=1_000_000,
    learning_rate=5e-6,
    decay=False,
    zoomed_copies=False,
    haze=False,
    smooth_noise=False,
)
CONFIGS = {"default": FocusQualityTraining(), "yang2018": YANG2018}


@command
def train_focus_quality(
    images: Annotated[str, Param(label="Folder of in-focus images")],
    output: Annotated[str, Param(label="Model folder to write")],
    config: Annotated[str, Param(choices=("default", "yang2018"), label="Config")] = "default",
    sources: Annotated[Optional[str], Param(label="Sources of the images (JSON)")] = None,
    steps: Annotated[Optional[int], Param("batches", 1, None, label="Steps")] = None,
    learning_rate: Annotated[Optional[float], Param("", 0.0, 1.0, label="Learning rate")] = None,
    augment: Annotated[Optional[bool], Param(label="Random gain and offset")] = None,
    seed: Annotated[Optional[int], Param("", 0, None, label="Seed")] = None,
    resume: Annotated[bool, Param(label="Go on from the last checkpoint")] = False,
) -> Path:
    """Train a focus quality network from a folder of in-focus images and write a model folder.

    Parameters
    ----------
    images : path
        Folder of in-focus images, searched recursively. Unreadable, blank, small or blurred ones are refused and
        listed in `refused.csv`.
    output : path
        Model folder to write: weights, `config.json`, `card.md`, training log and curve. It must not exist yet, unless
        `resume` is set.
    config : str
        `default` or `yang2018`.
    sources : path, optional
        JSON that groups the images into sources and fields; without it each subfolder is a source.
    steps : int, optional
        Batches of 64 patches; by default the config's: 12,000 for `default`, 1,000,000 for `yang2018`.
    learning_rate : float, optional
        Highest rate of Adam; by default the config's: 0.002 for `default`, 0.000005 for `yang2018`.
    augment : bool, optional
        Change gain (0.2 to 5) and offset (1 to 1000) at random, as the paper does; both configs do.
    seed : int, optional
        Of weights, patches and noise; 1 in both configs.
    resume : bool
        Go on from the last checkpoint in `output`. Without dropout (`default`) the weights are those of a run that was
        never interrupted; the dropout of `yang2018` starts its random numbers anew.

    Returns
    -------
    Path
        The model folder.

    Raises
    ------
    FileNotFoundError
        No image is left to train from.
    FileExistsError
        `output` holds something and `resume` is not set.
    """
    settings = training_settings(config, steps=steps, learning_rate=learning_rate, augment=augment, seed=seed)
    parts = split_by_field(find_training_images(images, sources))
    folder = Path(output)
    claim_run_folder(folder, settings, resume)
    accepted = accept_images({name: parts[name] for name in ("train", "validation")}, folder / "refused.csv")
    if not accepted["train"]:
        raise FileNotFoundError(f"no image in {images} can be trained from; see {folder / 'refused.csv'}")
    validation = accepted["validation"] or accepted["train"][::10]
    train = blur_images(accepted["train"], settings.zoomed_copies, settings.seed)
    model, history = _fit(settings, train, blur_images(validation), folder)
    return write_model_folder(folder, model, settings, history, accepted)


def training_settings(config: str, **changes: Any) -> FocusQualityTraining:
    """Look up a config by name and replace what was given (None leaves the config's value)."""
    if config not in CONFIGS:
        raise ValueError(f"config must be one of {sorted(CONFIGS)}, got {config!r}")
    given = {name: value for name, value in changes.items() if value is not None}
    settings = replace(CONFIGS[config], **given)
    if settings.steps < 1:
        raise ValueError(f"steps must be at least 1, got {settings.steps}")
    return settings


def _fit(
    settings: FocusQualityTraining, train: list[BlurredImage], validation: list[BlurredImage], output: Path
) -> tuple[Any, list[dict[str, float]]]:
    """Run the steps that are still to do; returns the model and one row per epoch."""
    import tensorflow as tf

    model = build_network(settings.architecture, settings.seed)
    optimizer = tf.keras.optimizers.Adam(settings.learning_rate)
    model.compile(optimizer=optimizer, loss=ranked_probability_score)
    checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer)
    manager = tf.train.CheckpointManager(checkpoint, str(output / "checkpoints"), max_to_keep=2)
    log = output / "log.jsonl"
    history = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    if history:
        model.train_on_batch(*PatchSampler(train, 0).batch(0, 2))  # makes the optimizer's slots before they are filled
        # One checkpoint a row, saved before it: a newer one belongs to an epoch that was not logged and is run again.
        checkpoint.restore(f"{manager.directory}/ckpt-{len(history)}").expect_partial()
    standardised = INPUTS[settings.architecture] == "standardised"
    sampler = PatchSampler(train, settings.seed, settings.augment, settings.haze, settings.smooth_noise, standardised)
    held_out = PatchSampler(validation, settings.seed + 1000, standardised=standardised)
    held = [held_out.batch(i, 64) for i in range(VALIDATION_BATCHES)]
    done = int(history[-1]["step"]) if history else 0
    with log.open("a") as out:
        for row in _epochs(model, optimizer, settings, sampler, held, done):
            manager.save()
            history.append(row)
            out.write(json.dumps(row) + "\n")
            out.flush()
    return model, history


def _epochs(
    model: Any, optimizer: Any, settings: FocusQualityTraining, sampler: PatchSampler, held: list, done: int
) -> Iterator[dict[str, float]]:
    from rich.progress import Progress, TextColumn

    columns = (*Progress.get_default_columns(), TextColumn("{task.fields[score]}"))
    with Progress(*columns, refresh_per_second=1) as progress:
        task = progress.add_task("training", total=settings.steps, completed=done, score="")
        losses: list[float] = []
        for step, (patches, targets) in enumerate(sampler.batches(done, settings.batch_size), start=done):
            if step >= settings.steps:
                return
            optimizer.learning_rate.assign(learning_rate_at(step, settings))
            model.reset_metrics()  # Keras 3 would return the mean over all batches so far
            losses.append(float(model.train_on_batch(patches, targets)))
            progress.update(task, advance=1)
            if (step + 1) % settings.steps_per_epoch == 0 or step + 1 == settings.steps:
                row = {
                    "step": step + 1,
                    "loss": float(np.mean(losses[-settings.steps_per_epoch :])),
                    **_score(model, held),
                }
                progress.update(task, score=f"within one level {row['within_one']:.3f}")
                yield row


def learning_rate_at(step: int, settings: FocusQualityTraining) -> float:
    """Rate of one step: 200 steps of linear start, then a half cosine down to 1 percent, or constant."""
    start = min(1.0, (step + 1) / 200)
    if not settings.decay:
        return settings.learning_rate * start
    fall = 0.01 + 0.99 * (1 + math.cos(math.pi * step / settings.steps)) / 2
    return settings.learning_rate * start * fall


def _score(model: Any, held: list[tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
    """Score held-out patches: loss over all, levels over those that show something."""
    targets = np.concatenate([target for _, target in held])
    predicted = np.concatenate([np.asarray(model(patches, training=False)) for patches, _ in held])
    loss = float(np.mean(np.asarray(ranked_probability_score(targets, predicted))))
    told = targets.max(axis=1) > 0.5
    error = np.abs(predicted.argmax(axis=1) - targets.argmax(axis=1))[told]
    return {"validation_loss": loss, "exact": float(np.mean(error == 0)), "within_one": float(np.mean(error <= 1))}
