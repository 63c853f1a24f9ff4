"""Arguments of `measure_image_focus` for one image: what the user gave, else what the file says."""

from __future__ import annotations

from typing import Any

from parfocal.commands import command_spec
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


def arguments_for(metadata: ImageMetadata, given: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Merge what the user gave with what the file says; the user's values count.

    A value of the file that the command would refuse is left out, as is an NA above the refractive index where the
    file states no index: nothing is put in its place.

    Parameters
    ----------
    metadata : ImageMetadata
    given : dict
        Arguments of `measure_image_focus` by name; only those that the user gave.

    Returns
    -------
    arguments : dict
    warnings : tuple of str
        One for each value of the file that was left out.
    """
    spec = command_spec(measure_image_focus)
    arguments, warnings = dict(given), []
    for name in FROM_FILE:
        value = getattr(metadata, name)
        if name in given or value is None:
            continue
        try:
            spec.parameter(name).param.check(name, value)
        except ValueError:
            warnings.append(f"{name}_of_file_not_used")
        else:
            arguments[name] = value
    aperture, index = arguments.get("numerical_aperture"), arguments.get("immersion_index", 1.0)
    if aperture is not None and aperture > index and "numerical_aperture" not in given:
        del arguments["numerical_aperture"]
        warnings.append("numerical_aperture_of_file_not_used")
    return arguments, tuple(warnings)


def used_optics(arguments: dict[str, Any]) -> dict[str, Any]:
    """Optics and kind of microscope that an image is measured with, the command's defaults included."""
    spec = command_spec(measure_image_focus)
    return {name: arguments.get(name, spec.parameter(name).default) for name in FROM_FILE}


def check_given(given: dict[str, Any]) -> None:
    """Check the user's arguments, also together, before any file is opened.

    Raises
    ------
    ValueError
        Where a value is out of range, or the NA exceeds the refractive index; the message says what would be right.
    """
    spec = command_spec(measure_image_focus)
    for name, value in given.items():
        spec.parameter(name).param.check(name, value)
    index = given.get("immersion_index", spec.parameter("immersion_index").default)
    aperture = given.get("numerical_aperture")
    if aperture is not None and aperture > index:
        raise ValueError(
            f"numerical_aperture must be in (0, immersion_index={index}], got {aperture}: "
            "above 1 the objective works with water (immersion_index 1.33) or oil (1.515)"
        )
