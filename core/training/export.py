"""What trained networks leave beside their ONNX weights: weights to start from, and the curve of the training."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

import numpy as np

from parfocal.registry import ModelError

START = "start.npz"


def write_start(folder: Path, network: Any) -> None:
    """Write Keras weights in half precision: where a fine-tuned network begins."""
    arrays: dict[str, Any] = {f"{i:03d}": np.asarray(a, np.float16) for i, a in enumerate(network.get_weights())}
    np.savez_compressed(folder / START, **arrays)


def read_start(folder: Path, config: dict[str, Any]) -> list[np.ndarray]:
    """Read the weights from which a fine-tuned network begins, float32.

    Raises
    ------
    ModelError
        Where the model has none.
    """
    if "start" not in config:
        raise ModelError(f"{folder} holds no weights to go on from: give a model that parfocal train has written")
    with np.load(folder / config["start"], allow_pickle=False) as held:
        return [held[name].astype(np.float32) for name in sorted(held)]


def draw_curve(
    path: Path,
    history: list[dict[str, float]],
    loss_name: str,
    score: str,
    score_name: str,
    score_range: Optional[tuple[float, float]] = None,
) -> None:
    """Draw the losses of training and validation, and a score of the validation, against the steps."""
    from matplotlib.figure import Figure

    steps = [row["step"] for row in history]
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    losses, scores = figure.subplots(1, 2)
    losses.plot(steps, [row["loss"] for row in history], label="training")
    losses.plot(steps, [row["validation_loss"] for row in history], label="validation")
    losses.set(xlabel="step", ylabel=loss_name)
    losses.legend()
    scores.plot(steps, [row[score] for row in history])
    scores.set(xlabel="step", ylabel=score_name, ylim=score_range)
    figure.savefig(path, dpi=110)
