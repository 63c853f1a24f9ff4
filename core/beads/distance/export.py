"""Writing a trained ensemble as a model folder: ONNX weights, config, known profiles, log, curve and card."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from parfocal.beads.distance.calibration import calibrate
from parfocal.beads.distance.likeness import KnownProfiles, known_profiles
from parfocal.beads.distance.normalise import normalise
from parfocal.beads.distance.predict import TASK
from parfocal.registry import FORMAT_VERSION
from parfocal.training.run_folder import file_digest, write_log

if TYPE_CHECKING:
    from parfocal.beads.distance.plan import TrainingPlan

SIGN = "positive: the image plane lies above the reference focal plane (larger z)"
OPSET = 17
_START_MEMBERS = 2
History = list[list[dict[str, float]]]


def write_onnx(members: list[Any], crop_px: int, path: Path) -> None:
    """Convert Keras networks of one crop width to one ONNX network with an output (n, members), um."""
    import tensorflow as tf
    import tf2onnx

    signature = [tf.TensorSpec((None, crop_px, crop_px, 1), tf.float32, name="crops")]
    infer = tf.function(
        lambda crops: tf.concat([member(crops, training=False) for member in members], axis=1),
        input_signature=signature,
    )
    tf2onnx.convert.from_function(infer, input_signature=signature, opset=OPSET, output_path=str(path))


def write_model_folder(output: Path, members: list[Any], plan: TrainingPlan, histories: History) -> Path:
    """Write everything that a finished run leaves behind into its folder."""
    weights, profiles, start = output / "weights.onnx", output / "profiles.npz", output / "start.npz"
    write_onnx(members, plan.crop_px, weights)
    known_profiles(plan.known(), plan.crop_px, plan.limits_um, plan.settings.seed).write(profiles)
    known = KnownProfiles.read(profiles)
    _write_start(start, members)
    normalisation, count_scale = plan.settings.normalisation, plan.count_scale

    def predict(crops: np.ndarray) -> np.ndarray:
        inputs = normalise(crops, normalisation, count_scale)[..., None]
        parts = [inputs[i : i + 256] for i in range(0, len(inputs), 256)]
        return np.concatenate([np.concatenate([m(part, training=False) for m in members], axis=1) for part in parts])

    calibration = calibrate(predict, known, plan.held_back(), plan.crop_px, plan.range_um)
    config = {
        "task": TASK,
        "format_version": FORMAT_VERSION,
        "architecture": plan.settings.architecture,
        "weights": weights.name,
        "sha256": file_digest(weights),
        "profiles": profiles.name,
        "profiles_sha256": file_digest(profiles),
        "start": start.name,
        "sign": SIGN,
        "range_um": list(plan.range_um),
        "trained_range_um": list(plan.limits_um),
        "pixel_size_um": plan.train.pixel_size_um,
        "bead_diameter_um": plan.train.bead_diameter_um,
        "bead_diameter_range_um": list(plan.bead_diameter_range_um),
        "crop_px": plan.crop_px,
        "normalisation": normalisation,
        "count_scale": count_scale,
        "scale_um": plan.scale_um,
        "source": plan.source,
        "members": len(members),
        "parameters": int(members[0].count_params()),
        "calibration": calibration.as_dict(),
        "training": asdict(plan.settings),
    }
    (output / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    rows = [{"member": member, **row} for member, history in enumerate(histories, 1) for row in history]
    write_log(output / "training_log.csv", rows)
    _draw_curve(output / "training_curve.png", histories)
    (output / "card.md").write_text(_card(config, histories, len(plan.train)))
    return output


def _write_start(path: Path, members: list[Any]) -> None:
    """Keras weights of the first two members in half precision: where a fine-tuned ensemble begins."""
    arrays: dict[str, Any] = {
        f"member{i}_{j:03d}": np.asarray(array, np.float16)
        for i, member in enumerate(members[:_START_MEMBERS])
        for j, array in enumerate(member.get_weights())
    }
    np.savez_compressed(path, **arrays)


def _draw_curve(path: Path, histories: History) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.2), layout="constrained")
    loss, error = figure.subplots(1, 2)
    for number, history in enumerate(histories):
        steps = [row["step"] for row in history]
        labels = ("training", "validation") if number == 0 else (None, None)
        loss.semilogy(steps, [row["loss"] for row in history], "C0", label=labels[0])
        loss.semilogy(steps, [row["validation_loss"] for row in history], "C1", label=labels[1])
        error.semilogy(steps, [row["median_error_um"] for row in history], label=f"member {number + 1}")
    loss.set(xlabel="step", ylabel="loss")
    error.set(xlabel="step", ylabel="median error of validation crops, um")
    loss.legend()
    error.legend()
    figure.savefig(path, dpi=110)


def _card(config: dict[str, Any], histories: History, n_crops: int) -> str:
    """Describe the model; figures of an evaluation are added by hand, under Figures."""
    settings, crop, errors = config["training"], config["crop_px"], config["calibration"]["errors"]
    low, high = config["range_um"]
    smallest, largest = config["bead_diameter_range_um"]
    ends = ", ".join(f"{history[-1]['median_error_um']:.2f}" for history in histories)
    bead, shared = (f"{min(errors[key]):.2f} to {max(errors[key]):.2f}" for key in ("bead_sd_um", "field_sd_um"))
    return f"""# Bead distance model `{config["architecture"]}`

Gives the signed distance of a bright-field image from the reference focal plane, um, positive above it (larger z), from
crops of {crop} x {crop} pixels ({config["pixel_size_um"]:g} um), one bead in the middle of each.
{config["members"]} networks of {config["parameters"]:,} parameters.

- Source: {config["source"]}.
- Range: {low:g} to {high:g} um; beads of {smallest:g} to {largest:g} um. Beyond, no answer.
- Training: {n_crops:,} crops, up to {settings["steps"]} steps of {settings["batch_size"]} for each network, Adam,
  highest rate {settings["learning_rate"]:g}, seeds from {settings["seed"]} on.
- Input `{settings["normalisation"]}`, augmentation `{settings["augmentation"]}`.
- Median error of validation crops at the end, by network (those far outside the range included): {ends} um.

## Figures

On crops that were kept back, by distance: standard deviation between the beads of an image {bead} um, error that they
share {shared} um. `parfocal evaluate bead-focal-plane -o REPORT --part distance` prints the figures of the models that
ship, `parfocal calibrate-beads` those of a model that it makes.

## Limits

- It holds for the optics, condenser, wavelength and beads of its source. Three beads or more of an image are judged
  together and refused where they look otherwise; fewer are judged one by one, and other optics then pass more often.
- Simulated beads (where they are the source) are bright field by docs/bead-simulation.md; no real stack was at hand.
- The distance is that of the beads: their heights and diameters, where they differ from those of the source, shift it.
"""
