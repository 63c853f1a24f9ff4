"""Writing a trained focus quality network as a model folder: ONNX weights, config and training curve."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from parfocal.focus_quality.estimate import Pooling
from parfocal.focus_quality.network import INPUTS, N_LEVELS, PATCH_SIZE_PX
from parfocal.registry import FORMAT_VERSION
from parfocal.training.images import TrainingImage
from parfocal.training.run_folder import file_digest, write_log

if TYPE_CHECKING:
    from parfocal.focus_quality.settings import FocusQualityTraining

OPSET = 17


def write_onnx(model: Any, path: Path) -> None:
    """Convert a Keras model of patches (n, 84, 84, 1) to ONNX, the same file from either generation of Keras."""
    import tensorflow as tf
    import tf2onnx

    signature = [tf.TensorSpec((None, PATCH_SIZE_PX, PATCH_SIZE_PX, 1), tf.float32, name="patches")]
    infer = tf.function(lambda patches: model(patches, training=False), input_signature=signature)
    tf2onnx.convert.from_function(infer, input_signature=signature, opset=OPSET, output_path=str(path))


def write_model_folder(
    output: Path,
    model: Any,
    settings: FocusQualityTraining,
    history: list[dict[str, float]],
    images: dict[str, list[TrainingImage]],
    pooling: Pooling,
) -> Path:
    """Write weights, config, log, curve and card of a finished run into its folder."""
    weights = output / "weights.onnx"
    write_onnx(model, weights)
    config = {
        "task": "focus_quality",
        "format_version": FORMAT_VERSION,
        "architecture": settings.architecture,
        "weights": weights.name,
        "sha256": file_digest(weights),
        "input": INPUTS[settings.architecture],
        "patch_size_px": PATCH_SIZE_PX,
        "n_levels": N_LEVELS,
        "level_spacing_um": 2.0,
        "optics": {
            "pixel_size_um": 0.65,
            "numerical_aperture": 0.5,
            "emission_wavelength_um": 0.5,
            "immersion_index": 1.0,
        },
        "psf": "Born-Wolf, scalar, integrated over pixels",
        "pooling": asdict(pooling),
        "parameters": int(model.count_params()),
        "training": asdict(settings),
    }
    (output / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    write_log(output / "training_log.csv", history)
    _draw_curve(output / "training_curve.png", history)
    (output / "card.md").write_text(_card(config, history, images))
    return output


def _draw_curve(path: Path, history: list[dict[str, float]]) -> None:
    from matplotlib.figure import Figure

    steps = [row["step"] for row in history]
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    loss, share = figure.subplots(1, 2)
    loss.plot(steps, [row["loss"] for row in history], label="training")
    loss.plot(steps, [row["validation_loss"] for row in history], label="validation")
    loss.set(xlabel="step", ylabel="ranked probability score")
    loss.legend()
    share.plot(steps, [row["exact"] for row in history], label="exact")
    share.plot(steps, [row["within_one"] for row in history], label="within one level")
    share.set(xlabel="step", ylabel="share of noisy validation patches", ylim=(0, 1))
    share.legend()
    figure.savefig(path, dpi=110)


def _card(config: dict[str, Any], history: list[dict[str, float]], images: dict[str, list[TrainingImage]]) -> str:
    """Describe the model; `parfocal evaluate focus-quality` adds the figures on held-out images."""
    settings = config["training"]
    last = history[-1]
    held = "other fields of the same sources" if images["validation"] else "from training images, there were no others"
    sources = sorted({image.source for image in images["train"]})
    counts = {source: sum(image.source == source for image in images["train"]) for source in sources}
    rows = "\n".join(f"| {source} | {count} |" for source, count in counts.items())
    return f"""# Focus quality model `{config["architecture"]}`

Gives each patch of 84 x 84 pixels a distribution over 11 defocus levels, 0 sharp to 10 worst, one depth of field apart
(2 um at NA 0.5, 500 nm, 0.65 um a pixel). {config["parameters"]:,} parameters.

- Training: {settings["steps"]} steps of {settings["batch_size"]} patches, Adam, highest rate
  {settings["learning_rate"]:g}, ranked probability score, seed {settings["seed"]}.
- Noisy validation patches ({held}) at the end: loss {last["validation_loss"]:.3f}, exact
  {last["exact"]:.3f}, within one level {last["within_one"]:.3f}.
- How the patches of an image are summed up stands in `config.json` (`pooling`). It is not fitted to these images:
  `parfocal evaluate focus-quality --leave-one-source-out` leaves a model for which it is.
- Limits: widefield fluorescence. Confocal and light-sheet planes get a rank, bright field and phase contrast no answer.

| source | training images |
|---|---|
{rows}
"""
