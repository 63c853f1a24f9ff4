"""Arguments of a command for one image: what the user gave, else what the file says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from parfocal.commands import ParameterSpec, command_spec
from parfocal.focus_quality.measure import measure_image_focus
from parfocal.images.metadata import ImageMetadata

FROM_FILE = (
    "pixel_size_um",
    "z_step_um",
    "numerical_aperture",
    "emission_wavelength_um",
    "immersion_index",
    "modality",
)


def arguments_for(
    metadata: ImageMetadata, given: dict[str, Any], command: Callable[..., Any] = measure_image_focus
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Merge what the user gave with what the file says; the user's values count.

    A value of the file that the command would refuse is left out, as is an NA above the refractive index where the
    file states no index: nothing is put in its place.

    Parameters
    ----------
    metadata : ImageMetadata
    given : dict
        Arguments of the command by name; only those that the user gave.
    command : callable
        The command; what it does not take is not read from the file.

    Returns
    -------
    arguments : dict
    warnings : tuple of str
        One for each value of the file that was left out.
    """
    arguments, warnings = dict(given), []
    for parameter in _of_files(command):
        name, value = parameter.name, getattr(metadata, parameter.name)
        if name in given or value is None:
            continue
        try:
            parameter.param.check(name, value)
        except ValueError:
            warnings.append(f"{name}_of_file_not_used")
        else:
            arguments[name] = value
    aperture, index = arguments.get("numerical_aperture"), arguments.get("immersion_index", 1.0)
    if aperture is not None and aperture > index and "numerical_aperture" not in given:
        del arguments["numerical_aperture"]
        warnings.append("numerical_aperture_of_file_not_used")
    return arguments, tuple(warnings)


def used_optics(arguments: dict[str, Any], command: Callable[..., Any] = measure_image_focus) -> dict[str, Any]:
    """Optics and kind of microscope that a command works with, its defaults included."""
    return {parameter.name: arguments.get(parameter.name, parameter.default) for parameter in _of_files(command)}


def _of_files(command: Callable[..., Any]) -> list[ParameterSpec]:
    """Parameters of a command that files may state."""
    known = {parameter.name: parameter for parameter in command_spec(command).parameters}
    return [known[name] for name in FROM_FILE if name in known]


def check_given(given: dict[str, Any], command: Callable[..., Any] = measure_image_focus) -> None:
    """Check the user's arguments, also together, before any file is opened.

    Raises
    ------
    ValueError
        Where a value is out of range, or the NA exceeds the refractive index; the message says what would be right.
    """
    spec = command_spec(command)
    for name, value in given.items():
        spec.parameter(name).param.check(name, value)
    index = given.get("immersion_index", spec.parameter("immersion_index").default)
    aperture = given.get("numerical_aperture")
    if aperture is not None and aperture > index:
        raise ValueError(
            f"numerical_aperture must be in (0, immersion_index={index}], got {aperture}: "
            "above 1 the objective works with water (immersion_index 1.33) or oil (1.515)"
        )
