"""The training loop of the sorting networks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Optional

import numpy as np

from parfocal.restoration.sampler import batches
from parfocal.sorting.examples import Example
from parfocal.sorting.network import PAPER_INPUT_PX, build_network, logits
from parfocal.sorting.sampler import ExampleSampler, validation_inputs
from parfocal.sorting.settings import SorterTraining, learning_rate_at

Row = dict[str, float]


@dataclass(frozen=True)
class Fit:
    """A run that is about to begin: settings, examples to train on and to validate with, weights to start from.

    `input_px` is the side of what the paper's networks take.
    """

    settings: SorterTraining
    train: Sequence[Example]
    validation: Sequence[Example]
    start: Optional[list[np.ndarray]] = None
    input_px: int = PAPER_INPUT_PX


def run_fit(fit: Fit, title: str = "training") -> tuple[Any, list[Row]]:
    """Train a network; returns it and one row for each pass (of `default`: for each sixth of the run)."""
    import tensorflow as tf

    settings = fit.settings
    network = build_network(settings.architecture, settings.seed, fit.input_px)
    if fit.start is not None:
        network.set_weights(fit.start)
    kinds = {
        "adam": lambda: tf.keras.optimizers.Adam(settings.learning_rate),
        "sgd": lambda: tf.keras.optimizers.SGD(settings.learning_rate, momentum=0.9),
    }
    optimizer = kinds[settings.optimizer]()
    best: Optional[list[np.ndarray]] = None
    history: list[Row] = []
    for row in _rows(network, optimizer, fit, title):
        if settings.keep_best and row["validation_loss"] <= min((r["validation_loss"] for r in history), default=1e9):
            best = network.get_weights()
        history.append(row)
    if best is not None:
        network.set_weights(best)
    return network, history


def probabilities(network: Any, examples: Sequence[Example]) -> np.ndarray:
    """Probability of defocus of whole examples, (n,); of several squares of one image the mean."""
    import tensorflow as tf

    infer = tf.function(lambda inputs: logits(network, inputs, training=False), reduce_retracing=True)
    found = []
    for inputs in validation_inputs(examples, network.name, network.input_shape[1]):
        logit = np.asarray(infer(inputs), np.float64)
        found.append(float(np.mean(1 / (1 + np.exp(-logit)))))
    return np.array(found)


def _rows(network: Any, optimizer: Any, fit: Fit, title: str) -> Iterator[Row]:
    from rich.progress import Progress, TextColumn

    settings = fit.settings
    sampler = ExampleSampler(fit.train, settings.architecture, settings.seed, settings.turned, fit.input_px)
    per_pass = -(-sampler.count // settings.batch_size)
    steps = max(1, round(settings.epochs * per_pass))
    every = max(1, steps // 6) if settings.architecture == "default" else per_pass
    step_once = _make_step(network, optimizer)
    columns = (*Progress.get_default_columns(), TextColumn("{task.fields[score]}"))
    with Progress(*columns, refresh_per_second=1) as progress:
        task = progress.add_task(title, total=steps, score="")
        losses: list[float] = []
        for step, (inputs, labels) in enumerate(batches(sampler.batch, 0, settings.batch_size)):
            if step >= steps:
                return
            optimizer.learning_rate.assign(learning_rate_at(step, settings, steps, per_pass))
            losses.append(float(step_once(inputs, labels)))
            progress.update(task, advance=1)
            if (step + 1) % every == 0 or step + 1 == steps:
                row = {"step": step + 1, "loss": float(np.mean(losses)), **_score(network, fit.validation)}
                losses = []
                progress.update(task, score=f"accuracy {row['accuracy']:.3f}")
                yield row


def _make_step(network: Any, optimizer: Any) -> Any:
    """Compile one training step: a function of inputs and labels that returns the loss."""
    import tensorflow as tf

    @tf.function(reduce_retracing=True)
    def step(inputs: Any, labels: Any) -> Any:
        with tf.GradientTape() as tape:
            found = logits(network, inputs, training=True)
            loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, found))
        gradients = tape.gradient(loss, network.trainable_variables)
        optimizer.apply_gradients(zip(gradients, network.trainable_variables))
        return loss

    return step


def _score(network: Any, examples: Sequence[Example]) -> Row:
    """Loss and accuracy of whole examples."""
    told = probabilities(network, examples)
    truth = np.array([example.defocused for example in examples])
    right = np.clip(np.where(truth, told, 1 - told), 1e-7, 1)
    return {"validation_loss": float(-np.mean(np.log(right))), "accuracy": float(np.mean((told > 0.5) == truth))}


def without_validation(settings: SorterTraining) -> SorterTraining:
    """Settings of a run in cross-validation, which ends with its last weights (Xue et al. 2021, 4.4)."""
    return replace(settings, keep_best=False)
