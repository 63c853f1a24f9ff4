"""Fitting the members of an ensemble one after the other, each with its log and checkpoints."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import numpy as np

from parfocal.beads.distance.network import build_network
from parfocal.beads.distance.sampler import CropSampler
from parfocal.beads.distance.settings import BeadDistanceTraining, learning_rate_at


@dataclass(frozen=True)
class Fit:
    """What the members of an ensemble are fitted to.

    Attributes
    ----------
    settings : BeadDistanceTraining
    train, validation : CropSampler
        The members draw from `train` with their own seeds.
    scale_um : float
        What an output of 1 inside the network means, about the half width of the range.
    start : Path, optional
        Weights to begin from, as `write_model_folder` leaves them; the members take them in turn.
    """

    settings: BeadDistanceTraining
    train: CropSampler
    validation: CropSampler
    scale_um: float
    start: Optional[Path] = None

    def build(self, member: int) -> Any:
        """The network of a member before its first step."""
        settings = self.settings
        crop_px, seed = self.train.crop_px, settings.seed + member
        model = build_network(settings.architecture, crop_px, self.scale_um, seed, settings.weight_decay)
        if self.start is not None:
            model.set_weights(_start_weights(self.start, member))
        return model


def fit_member(fit: Fit, member: int, output: Path) -> tuple[Any, list[dict[str, float]]]:
    """Run the steps of one member that are still to do; returns its network and one row per validation.

    The weights are those of the end, or, where `patience` is set, of the lowest validation loss.
    """
    import tensorflow as tf

    model = fit.build(member)
    optimizer = tf.keras.optimizers.Adam(fit.settings.learning_rate)
    model.compile(optimizer=optimizer, loss=_loss(fit))
    checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer)
    folder = output / "checkpoints" / f"member{member + 1}"
    keep = fit.settings.patience + 2
    manager = tf.train.CheckpointManager(checkpoint, str(folder), max_to_keep=keep)
    log = folder / "log.jsonl"
    history = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    if history:
        model.train_on_batch(*fit.train.batch(0, 2))  # makes the optimizer's slots before they are filled
        # One checkpoint a row, saved before it: a newer one belongs to steps that were not logged and are run again.
        checkpoint.restore(f"{manager.directory}/ckpt-{len(history)}").expect_partial()
    folder.mkdir(parents=True, exist_ok=True)
    if not _ended(history, fit.settings):
        with log.open("a") as out:
            for row in _validated_steps(model, optimizer, fit, member, history):
                manager.save()
                history.append(row)
                out.write(json.dumps(row) + "\n")
                out.flush()
                if _ended(history, fit.settings):
                    break
    if fit.settings.patience:
        best = int(np.argmin([row["validation_loss"] for row in history])) + 1
        checkpoint.restore(f"{manager.directory}/ckpt-{best}").expect_partial()
    return model, history


def _start_weights(path: Path, member: int) -> list[np.ndarray]:
    with np.load(path, allow_pickle=False) as held:
        names = sorted(held)
        n_members = len({name.split("_")[0] for name in names})
        mine = [name for name in names if name.startswith(f"member{member % n_members}_")]
        return [held[name].astype(np.float32) for name in mine]


def _ended(history: list[dict[str, float]], settings: BeadDistanceTraining) -> bool:
    """All steps are done, or the validation loss was at or above its lowest value `patience` times in a row."""
    if not history:
        return False
    losses = [row["validation_loss"] for row in history]
    waited = len(losses) - 1 - int(np.argmin(losses))
    return history[-1]["step"] >= settings.steps or 0 < settings.patience <= waited


def _loss(fit: Fit) -> Any:
    """Huber's loss, or the squared error, in units of the range's half width."""
    import tensorflow as tf

    share = fit.settings.huber_share

    def loss(y_true: Any, y_pred: Any) -> Any:
        error = (tf.cast(y_true, y_pred.dtype) - y_pred) / fit.scale_um
        if not share:
            return tf.square(error)
        size = tf.abs(error)
        return tf.where(size < share, tf.square(error) / (2 * share), size - share / 2)

    return loss


def _validated_steps(
    model: Any, optimizer: Any, fit: Fit, member: int, history: list[dict[str, float]]
) -> Iterator[dict[str, float]]:
    """Train on, and yield a row of the log whenever a validation is due."""
    from rich.progress import Progress, TextColumn

    settings = fit.settings
    done = int(history[-1]["step"]) if history else 0
    sampler = fit.train.with_seed(settings.seed + member)
    per_pass = max(1, len(fit.train.crops) // settings.batch_size)
    columns = (*Progress.get_default_columns(), TextColumn("{task.fields[score]}"))
    with Progress(*columns, refresh_per_second=1) as progress:
        task = progress.add_task(f"member {member + 1}", total=settings.steps, completed=done, score="")
        losses: list[float] = []
        for step, (crops, distances) in enumerate(sampler.batches(done, settings.batch_size), start=done):
            if step >= settings.steps:
                return
            optimizer.learning_rate.assign(learning_rate_at(step, settings, per_pass))
            model.reset_metrics()  # Keras 3 would return the mean over all batches so far
            losses.append(float(model.train_on_batch(crops, distances)))
            progress.update(task, advance=1)
            if (step + 1) % settings.validation_steps == 0 or step + 1 == settings.steps:
                row = {"step": step + 1, "loss": float(np.mean(losses)), **_score(model, fit)}
                losses = []
                progress.update(task, score=f"median error {row['median_error_um']:.2f} um")
                yield row


def _score(model: Any, fit: Fit) -> dict[str, float]:
    """Loss, RMSE and median error over the validation crops."""
    sampler, size = fit.validation, 256
    n_batches = max(1, min(len(sampler.crops), 2048) // size)
    size = min(size, len(sampler.crops))
    pairs = [sampler.batch(i, size) for i in range(n_batches)]
    truth = np.concatenate([distances for _, distances in pairs])
    told = np.concatenate([np.asarray(model(crops, training=False)) for crops, _ in pairs])
    error = (told - truth)[:, 0]
    return {
        "validation_loss": float(np.mean(np.asarray(_loss(fit)(truth, told)))),
        "rmse_um": float(np.sqrt(np.mean(error**2))),
        "median_error_um": float(np.median(np.abs(error))),
    }
