"""Writing a trained sorting network as a model folder: ONNX weights, config, start weights, log, curve and card."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from parfocal.registry import FORMAT_VERSION
from parfocal.sorting.network import PAPER_INPUT_PX
from parfocal.sorting.settings import TASK, SorterTraining
from parfocal.training.export import START, draw_curve, write_start
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
    write_start(output, network)
    config = {
        "task": TASK,
        "format_version": FORMAT_VERSION,
        "architecture": settings.architecture,
        "weights": weights.name,
        "sha256": file_digest(weights),
        "start": START,
        "parameters": int(network.count_params()),
        **about,
        "training": asdict(settings),
    }
    (output / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    write_log(output / "training_log.csv", history)
    draw_curve(
        output / "training_curve.png",
        history,
        "cross-entropy",
        "accuracy",
        "accuracy on validation images",
        (0.4, 1.01),
    )
    (output / "card.md").write_text(_card(config, history, counts, further))
    return output


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
