"""The steps of a training run: checkpoints, learning rate, validation."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from parfocal.focus_quality.dataset import BlurredImage, PatchSampler
from parfocal.focus_quality.network import INPUTS, build_network, ranked_probability_score
from parfocal.focus_quality.settings import FocusQualityTraining

VALIDATION_BATCHES = 16


def fit_network(
    settings: FocusQualityTraining,
    train: list[BlurredImage],
    validation: list[BlurredImage],
    output: Path,
    name: str = "training",
) -> tuple[Any, list[dict[str, float]]]:
    """Run the steps that are still to do, shown under a name; returns the model and one row per epoch."""
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
    sampler = PatchSampler(
        train,
        settings.seed,
        settings.augment,
        settings.haze,
        settings.smooth_noise,
        standardised,
        settings.mixed_share,
    )
    held_out = PatchSampler(validation, settings.seed + 1000, standardised=standardised)
    held = [held_out.batch(i, 64) for i in range(VALIDATION_BATCHES)]
    done = int(history[-1]["step"]) if history else 0
    with log.open("a") as out:
        for row in _epochs(model, optimizer, settings, sampler, held, done, name):
            manager.save()
            history.append(row)
            out.write(json.dumps(row) + "\n")
            out.flush()
    return model, history


def _epochs(
    model: Any,
    optimizer: Any,
    settings: FocusQualityTraining,
    sampler: PatchSampler,
    held: list,
    done: int,
    name: str,
) -> Iterator[dict[str, float]]:
    from rich.progress import Progress, TextColumn

    columns = (*Progress.get_default_columns(), TextColumn("{task.fields[score]}"))
    with Progress(*columns, refresh_per_second=1) as progress:
        task = progress.add_task(name, total=settings.steps, completed=done, score="")
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
