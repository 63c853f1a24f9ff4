"""The command `calibrate_focal_position`."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Optional, Union

import numpy as np

from parfocal.commands import Param, check_arguments, command
from parfocal.focal_position.errors import PositionErrors, position_errors
from parfocal.focal_position.estimator import FocalPositionEstimator
from parfocal.focal_position.inputs import TASK
from parfocal.focal_position.settings import FocalPositionTraining
from parfocal.focal_position.stacks import LabelledStack, read_labelled_stacks
from parfocal.registry import checked_config, load_model

NEW, SHIPPED = "new", "default"
# Planes of all stacks so far lie in the model folder, so that a calibration can go on with further stacks.
SEEN = "stacks.npz"
_VALIDATIONS = 4


@dataclass(frozen=True)
class FocalPositionCalibration:
    """What a calibration left.

    Attributes
    ----------
    output : Path
        Model folder.
    stacks : int
        Stacks that it was adapted to, those of earlier calls included.
    second_field : bool
        Whether the errors are those of a field that took no part; otherwise of a stack that did, and say little.
    errors : PositionErrors
        Errors on that field.
    text : str
        The same as a sentence.
    """

    output: Path
    stacks: int
    second_field: bool
    errors: PositionErrors = field(repr=False)
    text: str = ""


@command
def calibrate_focal_position(
    stacks: Annotated[Any, Param(array=True)],
    output: Annotated[str, Param(label="Model folder to write")],
    start_from: Annotated[str, Param(label="Model to begin from")] = SHIPPED,
    second_field: Annotated[Optional[Any], Param(array=True)] = None,
    half_range_um: Annotated[Optional[float], Param("um", 0.001, None, label="Middle of the last bin")] = None,
    zoom: Annotated[Optional[float], Param("", 0.01, 1.0, label="Reduction of the images")] = None,
    steps: Annotated[Optional[int], Param("batches", 1, None, label="Steps")] = None,
    depth_of_field_um: Annotated[Optional[float], Param("um", 0.0001, None, label="Depth of field")] = None,
    seed: Annotated[int, Param("", 0, None, label="Seed")] = 1,
) -> FocalPositionCalibration:
    """Adapt a focal-position model to a microscope and sample from one z-stack or more, in minutes on a CPU.

    Distances are in um, and the sign is that of the stacks. Called again with the written model as `start_from`,
    another `output` and further stacks it goes on: planes of the stacks so far are kept in the model folder and trained
    on beside the new ones.

    Parameters
    ----------
    stacks : sequence of LabelledStack, or path
        Stacks with their focal planes, or a folder of them as for `train_focal_position`.
    output : path
        Model folder to write; it must be empty or not exist yet.
    start_from : str
        Model, by name or folder, whose weights are adapted; `new` for weights drawn at random.
    second_field : LabelledStack, or sequence of them, optional
        Other fields, which take no part: the error is measured on them. Without any, the last of three stacks or more
        is kept back; of fewer stacks the error is that on a field that was adapted to, and the result says so.
    half_range_um : float, optional
        Middle of the last bin; by default the largest distance in the stacks, or that of a model that goes on.
    zoom : float, optional
        Factor on the pixels, best one that makes them 0.65 wavelength / NA; by default the shorter side is brought to
        1024 at most, or that of a model that goes on.
    steps : int, optional
        Batches of 16 crops: 400 by default, 800 for `new`.
    depth_of_field_um : float, optional
        For errors in depths of field.
    seed : int
        Of crops and noise.

    Returns
    -------
    FocalPositionCalibration

    Raises
    ------
    FileExistsError
        Where the output folder holds something.
    ModelError
        Where there is no model `start_from`.
    ValueError
        Where an argument is wrong, or a stack cannot be used.
    """
    check_arguments(calibrate_focal_position, locals())
    from parfocal.focal_position.export import About
    from parfocal.focal_position.seen_planes import with_seen, write_seen
    from parfocal.focal_position.training import labelled_planes, train_on, usual_zoom
    from parfocal.training.export import read_start

    check_can_begin(output, start_from)
    given = _stacks_of(stacks)
    train, judged, is_second = _sides(given, second_field)
    begun, held = (None, {}) if start_from == NEW else checked_config(start_from, TASK)
    settings = _settings(train, held, start_from, half_range_um, steps, seed)
    folder = Path(output)
    folder.mkdir(parents=True, exist_ok=True)
    factor = zoom or (held["zoom"] if held.get("sign") == "trained" else 0.0) or usual_zoom(given)
    fresh = labelled_planes(train, settings, factor)
    seen = with_seen(fresh, None if begun is None else begun / SEEN, settings)
    weights = None if begun is None else read_start(begun, held)
    count = len(np.unique(seen.stack_index))
    about = About(f"{count} z-stacks of the user, from {start_from!r}", "trained", factor, {"stacks": count})
    train_on(seen, folder, settings, about, weights)
    write_seen(folder / SEEN, seen, settings.half_range)
    estimator = FocalPositionEstimator(load_model(folder, TASK))
    errors = position_errors(estimator, judged, depth_of_field_um or math.nan)
    text = _sentence(errors, is_second, count)
    _keep_error(folder / "config.json", errors, is_second)
    with (folder / "card.md").open("a") as card:
        card.write(f"\n## Calibration\n\n{text}\n")
    return FocalPositionCalibration(folder, count, is_second, errors, text)


def check_can_begin(output: Union[str, Path], start_from: str = SHIPPED) -> None:
    """Check what a calibration needs beside stacks, before these are taken at a microscope.

    Raises
    ------
    FileExistsError
        Where the output folder holds something.
    ImportError
        Without the extra `train`.
    ModelError
        Where there is no model `start_from`.
    """
    folder = Path(output)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder} is not empty: choose another output folder")
    if start_from != NEW:
        checked_config(start_from, TASK)
    for name in ("tensorflow", "tf2onnx"):
        if find_spec(name) is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def _stacks_of(stacks: Union[Sequence[LabelledStack], LabelledStack, str, os.PathLike[str]]) -> list[LabelledStack]:
    if isinstance(stacks, LabelledStack):
        return [stacks]
    if isinstance(stacks, (str, os.PathLike)):
        return read_labelled_stacks(stacks)
    made = list(stacks)
    if not made or not all(isinstance(stack, LabelledStack) for stack in made):
        raise ValueError(f"stacks must be LabelledStacks, one or more, or a folder, got {len(made)} of something else")
    return made


def _sides(stacks: list[LabelledStack], second_field: Any) -> tuple[list[LabelledStack], list[LabelledStack], bool]:
    """Stacks to adapt to, stacks to judge on, and whether these took no part."""
    if second_field is not None:
        return stacks, _stacks_of(second_field), True
    if len(stacks) >= 3:
        return stacks[:-1], stacks[-1:], True
    return stacks, stacks[-1:], False


def _settings(
    stacks: list[LabelledStack],
    held: dict[str, Any],
    start_from: str,
    half_range_um: Optional[float],
    steps: Optional[int],
    seed: int,
) -> FocalPositionTraining:
    from parfocal.focal_position.training import stack_settings

    begun = None if start_from == NEW else start_from
    wanted = steps or (800 if begun is None else 400)
    if half_range_um is None and held.get("sign") == "trained":
        half_range_um = held["bins"]["half_range"]
    changes: dict[str, Any] = {
        "half_range": half_range_um,
        "steps": wanted,
        "seed": seed,
        "learning_rate": 2e-3 if begun is None else 1e-3,
    }
    return stack_settings(
        stacks,
        "default",
        begun,
        **changes,
        validation_steps=max(1, -(-wanted // _VALIDATIONS)),
        validation_share=0.0,
    )


def _keep_error(path: Path, errors: PositionErrors, is_second: bool) -> None:
    """Write the errors into the model, for whoever is to trust its answers; none where nothing was answered."""
    told = {"median_error_um": errors.summary()["median_um"], "p95_error_um": errors.summary()["p95_um"]}
    known = {name: round(value, 3) if math.isfinite(value) else None for name, value in told.items()}
    found = {**known, "second_field": is_second}
    path.write_text(json.dumps({**json.loads(path.read_text()), "calibration": found}, indent=2) + "\n")


def _sentence(errors: PositionErrors, is_second: bool, count: int) -> str:
    where = "on another field" if is_second else "on a field that was adapted to (no second field: this says little)"
    stacks = "1 stack" if count == 1 else f"{count} stacks"
    return f"Adapted to {stacks}. Errors {where}: {errors.sentence()}."
