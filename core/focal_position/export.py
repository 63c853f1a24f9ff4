"""Writing a trained focal-position network as a model folder: ONNX weights, config, known features, curve and card."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from parfocal.focal_position.fit import Fit
from parfocal.focal_position.inputs import TASK
from parfocal.focal_position.likeness import KNOWN, known_features
from parfocal.focal_position.network import pooled
from parfocal.focal_position.sampler import PlaneSampler
from parfocal.focal_position.settings import DEPTH_OF_FIELD, FocalPositionTraining
from parfocal.registry import FORMAT_VERSION
from parfocal.training.export import START, draw_curve, write_start
from parfocal.training.run_folder import file_digest, write_log

OPSET = 17
# Crops whose features are kept, and by which the limit is set; of few planes fewer.
_KNOWN_CROPS, _HELD_CROPS, _CROPS_A_PLANE = 2400, 800, 20


@dataclass(frozen=True)
class About:
    """What a model is for, as `config.json` says it.

    Attributes
    ----------
    source : str
        What it was trained on, in words.
    sign : str
        `trained`: the sign is that of the stacks. `aberration`: it holds for positive spherical aberration.
    zoom : float
        Factor by which an image is reduced; 0 for the model scale of the optics.
    extra : dict
        Further entries.
    """

    source: str
    sign: str
    zoom: float
    extra: dict[str, Any] = field(default_factory=dict)


def write_onnx(network: Any, input_px: int, path: Path) -> None:
    """Convert a Keras network of inputs (n, y, x, 1) to ONNX."""
    import tensorflow as tf
    import tf2onnx

    side = None if network.name == "default" else input_px
    signature = [tf.TensorSpec((None, side, side, 1), tf.float32, name="images")]
    infer = tf.function(lambda images: network(images, training=False), input_signature=signature)
    tf2onnx.convert.from_function(infer, input_signature=signature, opset=OPSET, output_path=str(path))


def write_model_folder(output: Path, network: Any, fit: Fit, history: list[dict[str, float]], about: About) -> Path:
    """Write everything that a finished run leaves behind."""
    settings = fit.settings
    weights = output / "weights.onnx"
    write_onnx(network, settings.input_px, weights)
    write_start(output, network)
    config = {
        "task": TASK,
        "format_version": FORMAT_VERSION,
        "architecture": settings.architecture,
        "weights": weights.name,
        "sha256": file_digest(weights),
        "start": START,
        "parameters": int(network.count_params()),
        "bins": settings.bins.as_dict(),
        "unit": settings.unit,
        "sign": about.sign,
        "zoom": about.zoom,
        "source": about.source,
        **about.extra,
        "training": asdict(settings),
    }
    if settings.architecture == "default":
        known = known_features(
            _features(network, fit.train, _KNOWN_CROPS),
            _features(network, fit.validation, _HELD_CROPS),
            settings.seed,
            same_fields=fit.train.labelled is fit.validation.labelled,
        )
        known.write(output / KNOWN)
        config["known"] = KNOWN
    (output / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    write_log(output / "training_log.csv", history)
    unit = settings.unit.replace("depth_of_field", "depths of field")
    draw_curve(output / "training_curve.png", history, "cross-entropy", "median_error", f"median error, {unit}")
    (output / "card.md").write_text(_card(config, history, settings))
    return output


def _features(network: Any, sampler: PlaneSampler, count: int) -> np.ndarray:
    """Features (n, features) of random crops, at most `count`, of steps that the training does not reach."""
    bins, size = sampler.labelled.targets.shape[1], 32
    count = min(count, _CROPS_A_PLANE * len(sampler.labelled))
    batches = [sampler.batch(10**9 + i, size)[0] for i in range(max(1, count // size))]
    return np.concatenate([pooled(np.asarray(network(batch, training=False)), bins)[1] for batch in batches])


def _card(config: dict[str, Any], history: list[dict[str, float]], settings: FocalPositionTraining) -> str:
    """Describe the model; the figures of an evaluation are added by hand."""
    unit = "depths of field" if settings.unit == DEPTH_OF_FIELD else "um"
    signs = {
        "trained": "The sign is that of the stacks it was trained on: it holds for this microscope and sample.",
        "aberration": "The sign holds for positive spherical aberration (a coverslip too thick); it must be declared.",
    }
    return f"""# Focal-position model of the network `{config["architecture"]}`

Gives an image a distribution over its signed distance from focus, {-settings.half_range:g} to {settings.half_range:g}
{unit} in {settings.bins.count} bins. {config["parameters"]:,} parameters.

- Source: {config["source"]}.
- {signs[config["sign"]]}
- Training: {settings.steps:,} batches of {settings.batch_size}, Adam, highest rate {settings.learning_rate:g}, seed
  {settings.seed}.
- Validation (stacks that were kept back, or the same where there is one only) at the end: cross-entropy
  {history[-1]["validation_loss"]:.3f}, median error {history[-1]["median_error"]:.3g} {unit}, to
  the nearest of bins of {settings.bins.width:.3g} {unit}.
"""
