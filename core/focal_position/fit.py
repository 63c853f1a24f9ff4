"""The training loop of the focal-position networks, with checkpoints."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import numpy as np

from parfocal.focal_position.network import build_network, pooled_tensor
from parfocal.focal_position.sampler import PlaneSampler
from parfocal.focal_position.settings import FocalPositionTraining, learning_rate_at
from parfocal.restoration.sampler import batches

VALIDATION_CROPS = 256
Row = dict[str, float]


@dataclass(frozen=True)
class Fit:
    """A run that is about to begin: settings, planes to train on and to validate with, and where it writes.

    Without `output` nothing is written, and the run cannot go on later.
    """

    settings: FocalPositionTraining
    train: PlaneSampler
    validation: PlaneSampler
    output: Optional[Path] = None
    start: Optional[list[np.ndarray]] = None


def run_fit(fit: Fit) -> tuple[Any, list[Row]]:
    """Run the steps that are still to do; returns the network and one row per validation."""
    import tensorflow as tf

    settings = fit.settings
    network = build_network(settings.architecture, settings.bins.count, settings.seed, settings.input_px)
    if fit.start is not None:
        network.set_weights(fit.start)
    optimizer = tf.keras.optimizers.Adam(settings.learning_rate)
    step_once = _make_step(network, optimizer, settings.bins.count)
    history: list[Row] = []
    if fit.output is None:
        return network, list(_rows(network, optimizer, step_once, fit, 0))
    checkpoint = tf.train.Checkpoint(model=network, optimizer=optimizer)
    manager = tf.train.CheckpointManager(checkpoint, str(fit.output / "checkpoints"), max_to_keep=2)
    log = fit.output / "log.jsonl"
    history = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    if history:
        step_once(*fit.train.batch(0, 2))  # makes the optimizer's slots before they are filled
        # One checkpoint a row, saved before it: a newer one belongs to steps that were not logged and are run again.
        checkpoint.restore(f"{manager.directory}/ckpt-{len(history)}").expect_partial()
    with log.open("a") as out:
        for row in _rows(network, optimizer, step_once, fit, int(history[-1]["step"]) if history else 0):
            manager.save()
            history.append(row)
            out.write(json.dumps(row) + "\n")
            out.flush()
    return network, history


def distributions(network: Any, inputs: np.ndarray, bins: int) -> np.ndarray:
    """Distributions (n, bins) that a Keras network gives for inputs (n, y, x, 1)."""
    return np.asarray(pooled_tensor(network(inputs, training=False), bins))


def _make_step(network: Any, optimizer: Any, bins: int) -> Any:
    """Compile one training step: a function of inputs and targets that returns the cross-entropy."""
    import tensorflow as tf

    @tf.function(reduce_retracing=True)
    def step(inputs: Any, targets: Any) -> Any:
        with tf.GradientTape() as tape:
            told = pooled_tensor(network(inputs, training=True), bins)
            loss = -tf.reduce_mean(tf.reduce_sum(targets * tf.math.log(told + 1e-6), axis=1))
        gradients = tape.gradient(loss, network.trainable_variables)
        optimizer.apply_gradients(zip(gradients, network.trainable_variables))
        return loss

    return step


def _rows(network: Any, optimizer: Any, step_once: Any, fit: Fit, done: int) -> Iterator[Row]:
    """Train from step `done` on; after every validation its row."""
    from rich.progress import Progress, TextColumn

    settings, size = fit.settings, fit.settings.batch_size
    held = [fit.validation.batch(i, size) for i in range(max(1, VALIDATION_CROPS // size))]
    columns = (*Progress.get_default_columns(), TextColumn("{task.fields[score]}"))
    with Progress(*columns, refresh_per_second=1) as progress:
        task = progress.add_task("training", total=settings.steps, completed=done, score="")
        losses: list[float] = []
        for step, (inputs, targets) in enumerate(batches(fit.train.batch, done, size), start=done):
            if step >= settings.steps:
                return
            optimizer.learning_rate.assign(learning_rate_at(step, settings))
            losses.append(float(step_once(inputs, targets)))
            progress.update(task, advance=1)
            if (step + 1) % settings.validation_steps == 0 or step + 1 == settings.steps:
                row = {"step": step + 1, "loss": float(np.mean(losses)), **_score(network, held, settings)}
                losses = []
                progress.update(
                    task,
                    score=f"median error {row['median_error']:g} {settings.unit}, in bins of {settings.bin_width:g}",
                )
                yield row


def _score(network: Any, held: list[tuple[np.ndarray, np.ndarray]], settings: FocalPositionTraining) -> Row:
    """Cross-entropy, and median distance between the likeliest bin and the target's nearest likely one."""
    positions = settings.bins.positions
    told = np.concatenate([distributions(network, inputs, len(positions)) for inputs, _ in held])
    targets = np.concatenate([targets for _, targets in held])
    loss = float(-np.mean((targets * np.log(told + 1e-6)).sum(axis=1)))
    apart = np.abs(positions[told.argmax(axis=1)][:, None] - positions)
    # A target with two peaks is met by either; one of an empty field by any.
    likely = targets >= 0.3 * targets.max(axis=1, keepdims=True)
    error = np.where(likely, apart, np.inf).min(axis=1)
    return {"validation_loss": loss, "median_error": float(np.median(error))}
