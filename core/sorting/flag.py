"""The command `flag_defocused`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Optional

import numpy as np

from parfocal.commands import Param, check_arguments, command
from parfocal.focus_quality.measure import MODALITIES, measure_image_focus
from parfocal.focus_quality.result import ImageFocus
from parfocal.focus_quality.scale import ModelScale
from parfocal.images.plane_stack import PlaneStack
from parfocal.images.planes import as_planes
from parfocal.optics.optics import known_optics
from parfocal.progress import steps
from parfocal.sorting.inputs import without_hot_pixels
from parfocal.sorting.members import load_sorter
from parfocal.sorting.plane import PlaneSorter
from parfocal.sorting.result import DefocusFlag


@command
def flag_defocused(
    image: Annotated[Any, Param(array=True)],
    threshold: Annotated[Optional[float], Param("", 0.0, 1.0, label="Threshold")] = None,
    pixel_size_um: Annotated[Optional[float], Param("um", 0.001, 100.0, label="Pixel size")] = None,
    numerical_aperture: Annotated[Optional[float], Param("", 0.01, 2.0, label="Numerical aperture")] = None,
    emission_wavelength_um: Annotated[Optional[float], Param("um", 0.2, 2.0, label="Emission wavelength")] = None,
    immersion_index: Annotated[float, Param("", 1.0, 2.0, label="Refractive index of the immersion")] = 1.0,
    modality: Annotated[str, Param(choices=MODALITIES, label="Kind of microscope")] = "widefield_fluorescence",
    check_level: Annotated[bool, Param(label="Hold it against the measured level")] = True,
    saturation_level: Annotated[Optional[float], Param("counts", 0.0, None, label="Saturation level")] = None,
    model: Annotated[str, Param(label="Model")] = "default",
) -> DefocusFlag:
    """Say whether an image is defocused, and how probable that is.

    A network gives the probability (after Xue et al. 2021, doi:10.1016/j.bioactmat.2021.09.018); the image is flagged
    where it lies above the threshold. The level of `measure_image_focus` is measured beside it: where the two
    contradict each other there is no answer, but the status `disagreement`.

    Parameters
    ----------
    image : array_like
        (y, x) or (z, y, x), integers or floats, any intensity scale; with 3 or 4 colours last the mean of red, green
        and blue is taken. Also a `PlaneStack`, of which a plane at a time is in memory. A stack is defocused where its
        sharpest plane is.
    threshold : float, optional
        Probability above which an image is flagged; by default the model's own, 0.55 for the one that ships.
        `threshold_for_false_alarms` chooses one from your own sharp images.
    pixel_size_um : float
        Camera pixel divided by magnification. Give it with numerical aperture and wavelength to have the image brought
        to the model's scale.
    numerical_aperture : float
        Numerical aperture of the objective.
    emission_wavelength_um : float
        Wavelength of the fluorescence that is seen.
    immersion_index : float
        1.0 for air, 1.33 for water, 1.515 for oil.
    modality : str
        The model that ships is for widefield fluorescence; one trained on your own images is for what it was trained
        on.
    check_level : bool
        Measure the level too, for kinds of microscope that have one.
    saturation_level : float
        Count at which the camera saturates; without it a plateau at the image's own maximum is looked for.
    model : str
        Name of a shipped sorting model or path of a model folder or package (.zip).

    Returns
    -------
    DefocusFlag
        Probability, flag and status of the image and of its planes. Without an answer the numbers are NaN and `status`
        says why: see `parfocal.status`.

    Raises
    ------
    TypeError, ValueError
        Where an argument is wrong; the message says what would be right, and the value.
    parfocal.registry.ModelError
        Where a model cannot be loaded.
    """
    arguments = locals()
    check_arguments(flag_defocused, arguments)
    return flag_beside_focus(None, **arguments)


def flag_beside_focus(
    focus: Optional[ImageFocus],
    image: Any,
    threshold: Optional[float],
    pixel_size_um: Optional[float],
    numerical_aperture: Optional[float],
    emission_wavelength_um: Optional[float],
    immersion_index: float,
    modality: str,
    check_level: bool,
    saturation_level: Optional[float],
    model: str,
) -> DefocusFlag:
    """Flag as `flag_defocused` does, with the same result; a focus that is known already is not measured again.

    Parameters
    ----------
    focus : ImageFocus or None
        What `measure_image_focus` with its default model and what is told of the image here has given.
    image, threshold, ...
        As of `flag_defocused`, checked already.
    """
    stack_zyx, _ = as_planes(image)
    cleaned, seen = _cleaned(image, stack_zyx)
    loaded = load_sorter(model)
    optics, incomplete = known_optics(emission_wavelength_um, numerical_aperture, immersion_index, pixel_size_um)
    allowed = loaded.config.get("modalities") or MODALITIES
    refusal = "" if modality in allowed else f"the model is for {', '.join(allowed).replace('_', ' ')}"
    sorter = PlaneSorter(loaded, ModelScale.of(optics), saturation_level, refusal, incomplete)
    found: list[Any] = [None] * len(stack_zyx)
    # Other kinds of microscope have no absolute level that could contradict anything.
    if check_level and not refusal and modality == "widefield_fluorescence":
        # Without its hot pixels, where it has any, the image is another than the one that was measured.
        measured = (focus if seen is image else None) or measure_image_focus(
            seen,
            pixel_size_um=pixel_size_um,
            numerical_aperture=numerical_aperture,
            emission_wavelength_um=emission_wavelength_um,
            immersion_index=immersion_index,
            modality=modality,
            saturation_level=saturation_level,
        )
        found = [plane.estimate for plane in measured.planes]
    own = float(loaded.config.get("threshold", 0.5))
    planes = tuple(sorter(plane, estimate, hot) for (plane, hot), estimate in zip(steps(cleaned), found))
    return DefocusFlag(planes, own if threshold is None else float(threshold))


def _cleaned(image: Any, stack_zyx: Any) -> tuple[Sequence[tuple[np.ndarray, bool]], Any]:
    """Planes without hot pixels and whether they had any, and the image without them as it is measured."""
    if isinstance(stack_zyx, PlaneStack):
        return stack_zyx.each(without_hot_pixels), stack_zyx.changed(lambda plane: without_hot_pixels(plane)[0])
    cleaned = [without_hot_pixels(plane) for plane in stack_zyx]
    hot = any(found for _, found in cleaned)
    return cleaned, np.stack([plane for plane, _ in cleaned]) if hot else image
