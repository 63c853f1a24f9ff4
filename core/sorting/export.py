"""Writing a trained sorting network as a model folder: ONNX weights, config, start weights, log, curve and card."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from parfocal.registry import FORMAT_VERSION, ModelError
from parfocal.sorting.network import PAPER_INPUT_PX
from parfocal.sorting.settings import TASK, SorterTraining
from parfocal.training.run_folder import file_digest, write_log

OPSET = 17


def write_onnx(network: Any, path: Path) -> None:
    """Convert a Keras network of inputs (n, y, x, 1) to ONNX."""
    import tensorflow as tf
    import tf2onnx

    side = None if network.name == "default" else PAPER_INPUT_PX
    signature = [tf.TensorSpec((None, side, side, 1), tf.float32, name="images")]
    infer = tf.function(lambda images: network(images, training=False), input_signature=signature)
    tf2onnx.convert.from_function(infer, input_signature=signature, opset=OPSET, output_path=str(path))


def write_model_folder(
    output: Path,
    network: Any,
    settings: SorterTraining,
    history: list[dict[str, float]],
    counts: dict[str, tuple[int, int]],
    about: dict[str, Any],
    further: str = "",
) -> Path:
    """Write everything that a finished run leaves behind.

    Parameters
    ----------
    output : Path
        Folder of the run.
    network : keras.Model
    settings : SorterTraining
    history : list of dict
        One row per validation.
    counts : dict
        Sharp and defocused examples of each source.
    about : dict
        What `config.json` says beyond the settings: `modalities` that the model is for (empty: whatever it was trained
        on), and `threshold`.
    further : str
        Sentences for the card.
    """
    weights = output / "weights.onnx"
    write_onnx(network, weights)
    start = output / "start.npz"
    arrays: dict[str, Any] = {f"{i:03d}": np.asarray(a, np.float16) for i, a in enumerate(network.get_weights())}
    np.savez_compressed(start, **arrays)
    config = {
        "task": TASK,
        "format_version": FORMAT_VERSION,
        "architecture": settings.architecture,
        "weights": weights.name,
        "sha256": file_digest(weights),
        "start": start.name,
        "parameters": int(network.count_params()),
        **about,
        "training": asdict(settings),
    }
    (output / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    write_log(output / "training_log.csv", history)
    _draw_curve(output / "training_curve.png", history)
    (output / "card.md").write_text(_card(config, history, counts, further))
    return output


def read_start(folder: Path, config: dict[str, Any]) -> list[np.ndarray]:
    """Read the weights from which a fine-tuned network begins (float32), as `write_model_folder` left them.

    Raises
    ------
    ModelError
        Where the model has none.
    """
    if "start" not in config:
        raise ModelError(
            f"{folder} holds no weights to go on from: give a model that parfocal train sorter has written"
        )
    with np.load(folder / config["start"], allow_pickle=False) as held:
        return [held[name].astype(np.float32) for name in sorted(held)]


def _draw_curve(path: Path, history: list[dict[str, float]]) -> None:
    from matplotlib.figure import Figure

    steps = [row["step"] for row in history]
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    loss, share = figure.subplots(1, 2)
    loss.plot(steps, [row["loss"] for row in history], label="training")
    loss.plot(steps, [row["validation_loss"] for row in history], label="validation")
    loss.set(xlabel="step", ylabel="cross-entropy")
    loss.legend()
    share.plot(steps, [row["accuracy"] for row in history])
    share.set(xlabel="step", ylabel="accuracy on validation images", ylim=(0.4, 1.01))
    figure.savefig(path, dpi=110)


def _card(
    config: dict[str, Any], history: list[dict[str, float]], counts: dict[str, tuple[int, int]], further: str
) -> str:
    """Describe the model; the figures of an evaluation are added by hand."""
    settings, last = config["training"], history[-1]
    rows = "\n".join(f"| {source} | {sharp} | {defocused} |" for source, (sharp, defocused) in counts.items())
    return f"""# Sorting model `{config["architecture"]}`

Gives an image the probability that it is defocused. {config["parameters"]:,} parameters.

- Training: {settings["epochs"]:g} passes, batches of {settings["batch_size"]}, {settings["optimizer"].upper()}, highest
  rate {settings["learning_rate"]:g}, seed {settings["seed"]}.
- Validation images at the end: loss {last["validation_loss"]:.4f}, accuracy {last["accuracy"]:.4f}.
{further}
| source | sharp examples | defocused examples |
|---|---|---|
{rows}
"""
