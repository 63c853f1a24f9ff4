"""What a command says of an image, in the words that every host puts into its tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional

import numpy as np

from parfocal.commands import command_spec
from parfocal.images.plane_stack import PlaneStack
from parfocal.status import ALREADY_RESTORED, MEANINGS

NAN = float("nan")
# Lengths by which calibrations of hosts name pixels, in um; cm and inch are those of printers.
_UNITS_UM = {"nm": 1e-3, "um": 1.0, "\u00b5m": 1.0, "\u03bcm": 1.0, "micron": 1.0, "microns": 1.0, "mm": 1e3}
# What need not be given where the calibration of the image states it.
CALIBRATED = ("pixel_size_um",)


def measured(
    command: Callable[..., Any], pixels: Any, arguments: dict[str, Any], mask_yx: Optional[np.ndarray] = None
) -> Any:
    """Result of a command; a selection of the host limits what it measures.

    A command without a mask gets the rectangle around the selection.

    Parameters
    ----------
    command : callable
    pixels : array_like
        (y, x) or (z, y, x), colours last; or a `PlaneStack`.
    arguments : dict
        Of the command, beside the image.
    mask_yx : ndarray of bool, optional
        True where something is selected.

    Raises
    ------
    ValueError, TypeError
        Where the selection leaves nothing of the image, or an argument is wrong.
    """
    if mask_yx is None:
        return command(pixels, **arguments)
    if not mask_yx.any():
        raise ValueError("the selection must lie on the image, it lies outside: choose another or none")
    if "mask_yx" in parameter_names(command):
        return command(pixels, mask_yx=mask_yx, **arguments)
    return command(_around(pixels, mask_yx), **arguments)


def measured_as_marked(
    command: Callable[..., Any], pixels: Any, arguments: dict[str, Any], mask_yx: Optional[np.ndarray], metadata: str
) -> tuple[Any, tuple[str, ...]]:
    """The same and warnings, for an image whose metadata may mark it as restored: it is measured with a warning.

    The sorter does not look at it, and gives the status `already_restored`.
    """
    from parfocal.restoration.result import RESTORED_IMAGE, is_marked_restored
    from parfocal.sorting.items import restored_before

    marked, name = is_marked_restored(metadata), command_spec(command).name
    if marked and name == "flag_defocused":
        return restored_before(pixels, metadata), ()
    warnings = (RESTORED_IMAGE,) if marked and name == "measure_image_focus" else ()
    return measured(command, pixels, arguments, mask_yx), warnings


def calibrated_um(unit: str, pixel_width: float, plane_distance: Optional[float]) -> dict[str, float]:
    """Pixel size and z step in um where a calibration states them in nm, um or mm; of a single plane no z step.

    A length of exactly 1 is what a calibration has of which nothing is known, and states nothing.
    """
    factor = _UNITS_UM.get(unit.strip())
    lengths = {"pixel_size_um": pixel_width, "z_step_um": plane_distance}
    if factor is None:
        return {}
    return {name: length * factor for name, length in lengths.items() if length is not None and length != 1}


def completed(command: Callable[..., Any], arguments: dict[str, Any], known: dict[str, float]) -> dict[str, Any]:
    """Arguments with those that the calibration of the image states.

    Raises
    ------
    ValueError
        Where the command needs what neither has.
    """
    parameters = {parameter.name: parameter for parameter in command_spec(command).parameters}
    merged = {**{name: value for name, value in known.items() if name in parameters}, **arguments}
    for parameter in parameters.values():
        if parameter.required and not parameter.param.array and parameter.name not in merged:
            hint = ", the calibration of the image states none in nm, um or mm" * (parameter.name in CALIBRATED)
            raise ValueError(f"{parameter.param.label or parameter.name} must be given{hint}")
    return merged


def outputs_of(result: Any) -> dict[str, Any]:
    """`features` of a result by name, its `status` and `reason`, and its `warnings` as one text."""
    numbers = result.numbers() if hasattr(result, "numbers") else result.features()
    metrics = result.metrics() if hasattr(result, "metrics") else {}
    answer = getattr(result, "estimate", result)
    told = {"status": answer.status, "reason": answer.reason, "warnings": " ".join(answer.warnings)}
    return {"features": {**numbers, **metrics}, **told}


def plane_outputs_of(result: Any) -> list[dict[str, Any]]:
    """The same for each plane of a stack by itself; `Sharpest` is 1 in the sharpest, instead of its index."""
    sharpest, told = result.sharpest_plane_index, []
    for index in range(len(result.planes)):
        outputs = _of_part(result.of_plane(index))
        outputs["features"]["Sharpest"] = NAN if sharpest is None else float(index == sharpest)
        told.append(outputs)
    return told


def object_outputs_of(result: Any) -> dict[int, dict[str, Any]]:
    """The same for each object by its label, in a stack where it is sharpest; empty for commands without objects."""
    return {label: _of_part(result.of_object(label)) for label in getattr(result, "objects", {})}


def _of_part(part: Any) -> dict[str, Any]:
    """Outputs without the index of the sharpest plane, which a part does not have."""
    outputs = outputs_of(part)
    known = {name: value for name, value in outputs["features"].items() if not name.startswith("SharpestPlane")}
    return {**outputs, "features": known}


def check_not_restored(name: str, title: str, metadata: str) -> None:
    """Raise ValueError where a command of this name restores, and the metadata mark the image as restored before."""
    from parfocal.restoration.result import is_marked_restored

    if name == "restore_defocus" and is_marked_restored(metadata):
        raise ValueError(f"{title}: {MEANINGS[ALREADY_RESTORED]}")


def parameter_names(command: Callable[..., Any]) -> set[str]:
    """Names of what a command takes."""
    return {parameter.name for parameter in command_spec(command).parameters}


def _around(pixels: Any, mask_yx: np.ndarray) -> Any:
    """Rectangle around a selection, of all planes."""
    rows, columns = np.flatnonzero(mask_yx.any(axis=1)), np.flatnonzero(mask_yx.any(axis=0))
    area = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    if isinstance(pixels, PlaneStack):
        return pixels.cropped(*area)
    coloured = pixels.ndim > 2 and pixels.shape[-1] in (3, 4)  # as `as_planes` has it
    return pixels[(slice(None),) * (pixels.ndim - 2 - coloured) + area]
