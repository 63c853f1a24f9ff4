"""Writing a trained restoring network as a model folder: ONNX weights, config, start weights, log, curve and card."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from parfocal.optics.optics import Optics
from parfocal.registry import FORMAT_VERSION
from parfocal.restoration.enlarging import with_plain_enlargements
from parfocal.restoration.inputs import TASK
from parfocal.restoration.kernels import BANK, KERNEL_PX
from parfocal.restoration.network import on_squares
from parfocal.restoration.settings import RestorationTraining
from parfocal.restoration.squares import PIXELS
from parfocal.training.export import START, draw_curve, write_start
from parfocal.training.run_folder import file_digest, write_log

OPSET = 17


def write_onnx(network: Any, path: Path) -> None:
    """Convert a Keras network (n, y, x, planes) to ONNX, planes first in and out; the default network on squares."""
    import onnx
    import tensorflow as tf
    import tf2onnx

    def planes_first(planes: Any) -> Any:
        restored = network(tf.transpose(planes, [0, 2, 3, 1]), training=False)
        return tf.transpose(restored, [0, 3, 1, 2])

    is_default = network.name == "default"
    planes = network.input_shape[-1] * (PIXELS if is_default else 1)
    signature = [tf.TensorSpec((None, planes, None, None), tf.float32, name="planes")]
    infer = tf.function(on_squares(network) if is_default else planes_first, input_signature=signature)
    model, _ = tf2onnx.convert.from_function(infer, input_signature=signature, opset=OPSET)
    onnx.save(with_plain_enlargements(model) if is_default else model, str(path))


def write_model_folder(
    output: Path,
    network: Any,
    settings: RestorationTraining,
    history: list[dict[str, float]],
    counts: dict[str, int],
    optics: Optics,
    validated: str,
    begun_from: str = "",
) -> Path:
    """Write everything that a finished run leaves behind.

    Parameters
    ----------
    output : Path
        Folder of the run.
    network : keras.Model
    settings : RestorationTraining
    history : list of dict
        One row per validation.
    counts : dict
        Training images (or pairs) of each source, for the card.
    optics : Optics
        Optics of the images that were trained on.
    validated : str
        What the validation crops are of, and the SSIM that they have before restoring, for the card.
    begun_from : str
        Sentence for the card that names the model that was trained on.
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
        "channels": settings.channels,
        "largest_level": settings.largest_level,
        "optics": asdict(optics),
        "bank": {"filters": BANK, "kernel_px": KERNEL_PX} if settings.architecture == "default" else None,
        "parameters": int(network.count_params()),
        "training": asdict(settings),
    }
    (output / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    write_log(output / "training_log.csv", history)
    draw_curve(output / "training_curve.png", history, "loss", "ssim", "SSIM of validation crops")
    (output / "card.md").write_text(_card(config, history, counts, validated, begun_from))
    return output


def _card(
    config: dict[str, Any], history: list[dict[str, float]], counts: dict[str, int], validated: str, begun_from: str
) -> str:
    """Describe the model; the figures of an evaluation are added by hand."""
    settings, last = config["training"], history[-1]
    length = f"{settings['steps']} steps" if settings["steps"] else f"{settings['epochs']} passes"
    rows = "\n".join(f"| {source} | {count} |" for source, count in counts.items())
    return f"""# Restoration model `{config["architecture"]}`

Restores defocused images, {config["channels"]} channel(s) at a time. {config["parameters"]:,} parameters.
Restored images are not for the quantification of intensity or texture.

- Training: {length} of {settings["batch_size"]} crops of {settings["crop_px"]} px, loss `{settings["loss"]}`,
  {settings["optimizer"].title()}, highest rate {settings["learning_rate"]:g}, seed {settings["seed"]}.{begun_from}
- Range: defocus levels up to {config["largest_level"]:g}, as `measure_image_focus` counts them.
- Validation crops at the end: SSIM {last["ssim"]:.3f}, PSNR {last["psnr"]:.1f} dB; {validated}.

| source | training images |
|---|---|
{rows}
"""
