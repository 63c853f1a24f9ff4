"""The command `measure_image_focus`."""

from __future__ import annotations

from typing import Annotated, Any, Optional

import numpy as np

from parfocal import status
from parfocal.commands import Param, check_arguments, command
from parfocal.focus_quality.dark_planes import light_above_background, refuse_dark_planes
from parfocal.focus_quality.plane import PlaneMeasurement
from parfocal.focus_quality.result import FocusEstimate, ImageFocus, PlaneFocus
from parfocal.focus_quality.scale import ModelScale
from parfocal.focus_quality.sharpest import sharpest_plane
from parfocal.images.planes import as_plane_selection, as_planes, counts_per_unit
from parfocal.optics.optics import known_optics
from parfocal.progress import steps

MODALITIES = ("widefield_fluorescence", "confocal", "light_sheet", "bright_field", "phase_contrast", "other")
RANKED = ("confocal", "light_sheet")


@command
def measure_image_focus(
    image: Annotated[Any, Param(array=True)],
    mask_yx: Annotated[Optional[Any], Param(array=True, label="Mask")] = None,
    labels_yx: Annotated[Optional[Any], Param(array=True, label="Labels of objects")] = None,
    pixel_size_um: Annotated[Optional[float], Param("um", 0.001, 100.0, label="Pixel size")] = None,
    numerical_aperture: Annotated[Optional[float], Param("", 0.01, 2.0, label="Numerical aperture")] = None,
    emission_wavelength_um: Annotated[Optional[float], Param("um", 0.2, 2.0, label="Emission wavelength")] = None,
    immersion_index: Annotated[float, Param("", 1.0, 2.0, label="Refractive index of the immersion")] = 1.0,
    z_step_um: Annotated[Optional[float], Param("um", 0.001, 1000.0, label="z step")] = None,
    modality: Annotated[str, Param(choices=MODALITIES, label="Kind of microscope")] = "widefield_fluorescence",
    black_level: Annotated[float, Param("counts", 0.0, None, label="Black level")] = 0.0,
    saturation_level: Annotated[Optional[float], Param("counts", 0.0, None, label="Saturation level")] = None,
    classical_metrics: Annotated[bool, Param(label="Classical focus metrics")] = False,
    model: Annotated[str, Param(label="Model")] = "default",
) -> ImageFocus:
    """Measure how many defocus levels an image is out of focus, and how certain that is.

    The image is cut into patches of 84 x 84 pixels; a network gives each a distribution over 11 levels, 0 sharp to 10
    worst, one depth of field apart. The image's value comes from the certainty-weighted mean of the distributions
    (Yang et al. 2018, doi:10.1186/s12859-018-2087-4), sharpened by how much the patches say together; where they
    leave the level open there is no answer. The absolute level holds for widefield fluorescence.

    Parameters
    ----------
    image : array_like
        (y, x) or (z, y, x), integers or floats, any intensity scale; with 3 or 4 colours last the mean of red, green
        and blue is taken. Also a `PlaneStack`, of which a plane at a time is in memory.
    mask_yx : array_like, optional
        True where the image is to be measured, (y, x) or (z, y, x).
    labels_yx : array_like, optional
        Objects, (y, x) or (z, y, x), 0 for background: each gets a level and a certainty of its own.
    pixel_size_um : float
        Camera pixel divided by magnification. Give it with numerical aperture and wavelength to have the image brought
        to the model's scale and the distance in um.
    numerical_aperture : float
        Numerical aperture of the objective.
    emission_wavelength_um : float
        Wavelength of the fluorescence that is seen.
    immersion_index : float
        1.0 for air, 1.33 for water, 1.515 for oil.
    z_step_um : float
        Distance between the planes of a stack.
    modality : str
        Widefield fluorescence gives an absolute level. Confocal and light-sheet planes lose light instead of blurring:
        the level is only a rank, and planes of a stack with next to no light get none. Bright field and phase contrast
        do not blur intensities: no answer.
    black_level : float
        Subtracted from the image, and what lies below cut off, before anything else.
    saturation_level : float
        Count at which the camera saturates; without it a plateau at the image's own maximum is looked for.
    classical_metrics : bool
        Compute the classical focus metrics beside the level.
    model : str
        Name of a shipped model or path of a model folder or package (.zip).

    Returns
    -------
    ImageFocus
        Estimate of the image, its planes, patches and objects. Without an answer the numbers are NaN and `status` says
        why: see `parfocal.status`.

    Raises
    ------
    TypeError, ValueError
        Where an argument is wrong; the message says what would be right, and the value.
    parfocal.registry.ModelError
        Where the model cannot be loaded.
    """
    check_arguments(measure_image_focus, locals())
    if saturation_level is not None and saturation_level <= black_level:
        raise ValueError(f"saturation_level must be above the black level {black_level:g}, got {saturation_level!r}")
    stack_zyx, is_stack = as_planes(image)
    shape_yx = stack_zyx.shape[1:]
    mask = as_plane_selection(mask_yx, "mask_yx", shape_yx, len(stack_zyx))
    mask = None if mask is None else mask.astype(bool, copy=False)  # a copy would have the size of the stack
    labels = as_plane_selection(labels_yx, "labels_yx", shape_yx, len(stack_zyx), kinds="bui")
    optics, incomplete = known_optics(emission_wavelength_um, numerical_aperture, immersion_index, pixel_size_um)
    measurement = PlaneMeasurement(
        model=model,
        scale=ModelScale.of(optics),
        black_level=black_level,
        saturation_level=saturation_level,
        classical_metrics=classical_metrics,
        counts_per_unit=counts_per_unit(image, stack_zyx, mask),
        refusal=_refusal(modality),
        is_rank=modality in RANKED,
        optics_incomplete=incomplete,
    )
    planes = tuple(
        measurement(plane, None if mask is None else mask[z], None if labels is None else labels[z])
        for z, plane in enumerate(steps(stack_zyx))
    )
    if is_stack and modality in RANKED:
        light = [light_above_background(p, None if mask is None else mask[z]) for z, p in enumerate(stack_zyx)]
        planes = refuse_dark_planes(planes, light)
    return _over_planes(planes, z_step_um if is_stack else None)


def _refusal(modality: str) -> str:
    if modality == "widefield_fluorescence" or modality in RANKED:
        return ""
    return f"{modality.replace('_', ' ')} does not blur intensities, so that no level is defined"


def _over_planes(planes: tuple[PlaneFocus, ...], z_step_um: Optional[float]) -> ImageFocus:
    levels = np.array([p.estimate.defocus_level if p.estimate.answered else np.inf for p in planes])
    if not np.isfinite(levels).any():
        return ImageFocus(_common_refusal(planes), planes)
    index = sharpest_plane(levels)
    z_um = float("nan") if z_step_um is None else index * z_step_um
    return ImageFocus(planes[index].estimate, planes, index, z_um)


def _common_refusal(planes: tuple[PlaneFocus, ...]) -> FocusEstimate:
    """Of the planes' refusals the most frequent one, the first among equals."""
    found = [plane.estimate.status for plane in planes]
    most = max(found, key=found.count)
    return next(plane.estimate for plane in planes if plane.estimate.status == most != status.OK)
