"""Running the steps of a restoring network's training, with checkpoints."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional, Protocol

import numpy as np

from parfocal.restoration.losses import laplace_loss, restoration_loss, ssim
from parfocal.restoration.network import build_network
from parfocal.restoration.sampler import Batch, batches
from parfocal.restoration.settings import RestorationTraining, learning_rate_at

VALIDATION_CROPS = 96
Row = dict[str, float]


class Sampler(Protocol):
    """Random batches, the same for the same step; `crops` is how many there are in one pass."""

    crops: int

    def batch(self, step: int, size: int) -> Batch:
        """Make one batch."""


@dataclass(frozen=True)
class Fit:
    """A run that is about to begin: settings, crops to train on and to validate with, and where it writes.

    `held_out` says of the validation crops whether they are of other fields than those that are trained on.
    """

    settings: RestorationTraining
    train: Sampler
    validation: Sampler
    output: Path
    held_out: str = ""
    start: Optional[list[np.ndarray]] = None

    @property
    def steps(self) -> int:
        """Batches in all."""
        passes = self.settings.epochs * max(1, -(-self.train.crops // self.settings.batch_size))
        return self.settings.steps or passes


def run_fit(fit: Fit) -> tuple[Any, list[Row]]:
    """Run the steps that are still to do; returns the network and one row per validation."""
    import tensorflow as tf

    settings = fit.settings
    network = build_network(settings.architecture, settings.channels, settings.seed, settings.first_filters)
    if fit.start is not None:
        network.set_weights(fit.start)
    kinds = {"adam": tf.keras.optimizers.Adam, "nadam": tf.keras.optimizers.Nadam}
    optimizer = kinds[settings.optimizer](settings.learning_rate)
    train_step = _make_step(network, optimizer, settings)
    checkpoint = tf.train.Checkpoint(model=network, optimizer=optimizer)
    manager = tf.train.CheckpointManager(checkpoint, str(fit.output / "checkpoints"), max_to_keep=2)
    log = fit.output / "log.jsonl"
    history: list[Row] = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    if history:
        train_step(fit.train.batch(0, 2))  # makes the optimizer's slots before they are filled
        # One checkpoint a row, saved before it: a newer one belongs to steps that were not logged and are run again.
        checkpoint.restore(f"{manager.directory}/ckpt-{len(history)}").expect_partial()
    best = fit.output / "best.npz"
    with log.open("a") as out:
        for row in _rows(network, optimizer, train_step, fit, int(history[-1]["step"]) if history else 0):
            if settings.keep_best and row["ssim"] > max((r["ssim"] for r in history), default=-1.0):
                np.savez(best, *network.get_weights())
            manager.save()
            history.append(row)
            out.write(json.dumps(row) + "\n")
            out.flush()
    if settings.keep_best:
        with np.load(best, allow_pickle=False) as arrays:
            network.set_weights([arrays[name] for name in arrays.files])
    return network, history


def _make_step(network: Any, optimizer: Any, settings: RestorationTraining) -> Any:
    """Compile one training step: a function of a batch that returns the loss of the image."""
    import tensorflow as tf

    channels = settings.channels

    @tf.function(reduce_retracing=True)
    def step(inputs: Any, truth: Any, offset: Any, scale: Any) -> Any:
        with tf.GradientTape() as tape:
            output = network(inputs, training=True)
            restored, log_scale = (output[..., :channels] - offset) / scale, output[..., channels:]
            wanted = (truth - offset) / scale
            loss = restoration_loss(settings.loss, wanted, restored)
            total = loss
            if settings.architecture == "default":
                error = tf.stop_gradient(restored - wanted) * scale
                total += laplace_loss(error, log_scale)
        gradients = tape.gradient(total, network.trainable_variables)
        optimizer.apply_gradients(zip(gradients, network.trainable_variables))
        return loss

    return lambda batch: step(batch.inputs, batch.truth, batch.offset, batch.scale)


def _rows(network: Any, optimizer: Any, train_step: Any, fit: Fit, done: int) -> Iterator[Row]:
    """Train from step `done` on; after every validation its row."""
    from rich.progress import Progress, TextColumn

    settings, steps = fit.settings, fit.steps
    size = settings.batch_size
    held = _held(fit)
    columns = (*Progress.get_default_columns(), TextColumn("{task.fields[score]}"))
    with Progress(*columns, refresh_per_second=1) as progress:
        task = progress.add_task("training", total=steps, completed=done, score="")
        losses: list[float] = []
        for step, batch in enumerate(batches(fit.train.batch, done, size), start=done):
            if step >= steps:
                return
            optimizer.learning_rate.assign(learning_rate_at(step, settings, steps))
            losses.append(float(train_step(batch)))
            progress.update(task, advance=1)
            if (step + 1) % settings.validation_steps == 0 or step + 1 == steps:
                row = {"step": step + 1, "loss": float(np.mean(losses)), **score(network, held, settings)}
                losses = []
                progress.update(task, score=f"SSIM {row['ssim']:.3f}")
                yield row


def blurred_ssim(fit: Fit) -> float:
    """SSIM of the validation crops as the network gets them."""
    channels = fit.settings.channels
    found: list[float] = []
    for batch in _held(fit):
        width = batch.truth.shape[1]
        border = (batch.inputs.shape[1] - width) // 2
        inside = slice(border, border + width)
        shown = batch.inputs[:, inside, inside, :channels]
        found.extend(np.asarray(ssim(*((image - batch.offset) / batch.scale for image in (batch.truth, shown)))))
    return float(np.mean(found))


def _held(fit: Fit) -> list[Batch]:
    size = fit.settings.batch_size
    return [fit.validation.batch(i, size) for i in range(max(1, VALIDATION_CROPS // size))]


def score(network: Any, held: list[Batch], settings: RestorationTraining) -> Row:
    """Loss, SSIM and PSNR (data range 1) of held-out crops, means over the crops."""
    losses: list[float] = []
    likenesses: list[float] = []
    ratios: list[float] = []
    for batch in held:
        output = np.asarray(network(batch.inputs, training=False))[..., : settings.channels]
        restored, truth = ((image - batch.offset) / batch.scale for image in (output, batch.truth))
        losses.append(float(restoration_loss(settings.loss, truth, restored)))
        likenesses.extend(np.asarray(ssim(truth, restored)))
        ratios.extend(-10 * np.log10(np.mean((restored - truth) ** 2, axis=(1, 2, 3)) + 1e-12))
    return {
        "validation_loss": float(np.mean(losses)),
        "ssim": float(np.mean(likenesses)),
        "psnr": float(np.mean(ratios)),
    }
