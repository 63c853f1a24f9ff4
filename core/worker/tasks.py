"""The tasks of the worker: commands of core on one image, and batches."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import reduce
from importlib import import_module, metadata
from pathlib import Path
from typing import Any, Optional

import numpy as np

from parfocal.answers import (
    calibrated_um,
    check_not_restored,
    completed,
    measured_as_marked,
    object_outputs_of,
    outputs_of,
    plane_outputs_of,
)
from parfocal.arguments import read_arguments
from parfocal.batch.arguments import arguments_for
from parfocal.commands import command_spec
from parfocal.images.info_text import read_info
from parfocal.images.metadata import ImageMetadata
from parfocal.progress import tell
from parfocal.worker.calls import CALL, COMMANDS, function_of, run_call
from parfocal.worker.drawings import bead_drawings_of, patches_of
from parfocal.worker.memory import read_array, write_array
from parfocal.worker.planes import Supply, pixels_of
from parfocal.worker.protocol import PROTOCOL, check_protocol

HELLO = "hello"
# Name of a batch: where it is, and the command whose arguments it takes.
BATCHES = {
    "measure_files": ("parfocal.batch", "measure_image_focus"),
    "sort_files": ("parfocal.sorting.batch", "flag_defocused"),
    "restore_files": ("parfocal.restoration.batch", "restore_defocus"),
}
# Tasks of something that goes on in the worker between them: where they are, by the beginning of their names.
SESSIONS = {"label_": "parfocal.worker.labelling", "hold_": "parfocal.fiji_bridge.scripts.held"}


def run_task(name: str, inputs: Mapping[str, Any], supply: Optional[Supply] = None) -> dict[str, Any]:
    """Run a task and give its outputs; how far it is goes to whoever listens (`parfocal.progress`).

    Of an image of which the host has only a window in memory `supply` gets the planes.

    Raises
    ------
    ValueError, TypeError, OSError, ImportError, MemoryError, ModelError
        What a person can mend; the text says how.
    """
    check_protocol(inputs)
    if name == HELLO:
        return _hello()
    if name == CALL:
        return run_call(inputs)
    if name in COMMANDS:
        return _measure(function_of(name), inputs, supply)
    if name in BATCHES:
        return _run_batch(name, dict(inputs.get("arguments") or {}))
    for beginning, home in SESSIONS.items():
        if name.startswith(beginning) and name in import_module(home).TASKS:
            outputs: dict[str, Any] = import_module(home).TASKS[name](inputs)
            return outputs
    raise ValueError(f"task must be one of {', '.join([HELLO, *COMMANDS, *BATCHES])}, got {name!r}")


def _hello() -> dict[str, Any]:
    return {
        "protocol": PROTOCOL,
        "parfocal": metadata.version("parfocal"),
        "python": platform.python_version(),
        "pid": os.getpid(),
        "tasks": [*COMMANDS, *BATCHES],
    }


def _measure(command: Callable[..., Any], inputs: Mapping[str, Any], supply: Optional[Supply]) -> dict[str, Any]:
    check_not_restored(command.__name__, str(inputs.get("title") or "image"), str(inputs.get("metadata") or ""))
    given = read_arguments(dict(inputs.get("arguments") or {}), command_spec(command))
    stated, warnings = arguments_for(_stated(inputs), given, command)
    arguments = completed(command, stated, {})
    if inputs.get("labels") is not None:
        arguments["labels_yx"] = _whole_numbers(read_array(inputs["labels"], "labels"))
    pixels = pixels_of(inputs.get("image"), supply)
    result, more = measured_as_marked(command, pixels, arguments, _mask(inputs), str(inputs.get("metadata") or ""))
    outputs = outputs_of(result)
    if inputs.get("labels") is not None:
        outputs["objects"] = object_outputs_of(result)
    outputs["warnings"] = " ".join([*filter(None, [outputs["warnings"]]), *warnings, *more])
    if inputs.get("each_plane"):
        outputs["planes"] = plane_outputs_of(result) if hasattr(result, "of_plane") else []
    if inputs.get("patches"):
        outputs.update(patches_of(result))
    if inputs.get("drawings"):
        outputs.update(bead_drawings_of(result))
    return {**outputs, "provenance": _give_back(result, inputs)}


def _stated(inputs: Mapping[str, Any]) -> ImageMetadata:
    """Optics that the image states; of lengths its calibration counts, which a person can see and set."""
    known = read_info(str(inputs.get("metadata") or ""), int(inputs.get("channel") or 0))
    calibration = inputs.get("calibration")
    if not calibration:
        return known
    distance = calibration.get("plane_distance")
    lengths: dict[str, Any] = {**calibrated_um(str(calibration["unit"]), calibration["pixel_width"], distance)}
    return replace(known, **lengths)


def _mask(inputs: Mapping[str, Any]) -> Optional[np.ndarray]:
    """What selection and mask leave together; None without either."""
    masks = [read_array(inputs[name], name) > 0 for name in ("selection", "mask") if inputs.get(name) is not None]
    return reduce(np.logical_and, masks) if masks else None


def _whole_numbers(labels: np.ndarray) -> np.ndarray:
    """Labels; as floats, which many programs write, they must be whole numbers."""
    if labels.dtype.kind != "f":
        return labels
    if not np.array_equal(labels, np.rint(labels)):
        raise ValueError("labels must be whole numbers, got fractions")
    return labels.astype(np.int64)


def _give_back(result: Any, inputs: Mapping[str, Any]) -> str:
    """Write what was restored into the memory of the host; the text that marks it, empty where nothing was."""
    if not getattr(result, "restored", False):
        return ""
    write_array(inputs["image"], "image", result.image)
    if result.uncertainty is not None:
        if not isinstance(inputs.get("uncertainty"), Mapping):
            raise ValueError("uncertainty must be given as an NDArray of Appose for what is to be written there")
        write_array(inputs["uncertainty"], "uncertainty", result.uncertainty)
    return str(result.provenance)


def _run_batch(name: str, given: dict[str, Any]) -> dict[str, Any]:
    home, command = BATCHES[name]
    folder, output = (str(given.pop(key, None) or "") for key in ("folder", "output"))
    if not Path(folder).is_dir():
        raise FileNotFoundError(f"Folder of images must be a folder, got {folder!r}")
    if not output:
        raise ValueError("Folder for results must be given")
    only_flagged = given.pop("only_flagged", None)
    more = {"only_flagged": only_flagged} if only_flagged and name == "restore_files" else {}
    arguments = read_arguments(given, command_spec(function_of(command)))
    result = getattr(import_module(home), name)([folder], output, arguments, progress=tell, **more)
    counts = {str(status): int(count) for status, count in result.table["status"].value_counts().items()}
    files = [str(path) for path in result.files]
    return {"counts": counts, "files": files, "table": files[0]}
