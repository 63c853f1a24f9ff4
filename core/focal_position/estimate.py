"""The command `estimate_focal_position`."""

from __future__ import annotations

from typing import Annotated, Any, Optional

from parfocal.commands import Param, check_arguments, command
from parfocal.focal_position.estimator import ABERRATIONS, FocalPositionEstimator, refusal_of
from parfocal.focal_position.inputs import TASK
from parfocal.focal_position.result import FocalPosition
from parfocal.focus_quality.measure import MODALITIES
from parfocal.images.planes import as_planes
from parfocal.optics.optics import known_optics
from parfocal.registry import load_model


@command
def estimate_focal_position(
    image: Annotated[Any, Param(array=True)],
    pixel_size_um: Annotated[Optional[float], Param("um", 0.001, 100.0, label="Pixel size")] = None,
    numerical_aperture: Annotated[Optional[float], Param("", 0.01, 2.0, label="Numerical aperture")] = None,
    emission_wavelength_um: Annotated[Optional[float], Param("um", 0.2, 2.0, label="Emission wavelength")] = None,
    immersion_index: Annotated[float, Param("", 1.0, 2.0, label="Refractive index of the immersion")] = 1.0,
    modality: Annotated[str, Param(choices=MODALITIES, label="Kind of microscope")] = "widefield_fluorescence",
    spherical_aberration: Annotated[str, Param(choices=ABERRATIONS, label="Spherical aberration")] = "unknown",
    saturation_level: Annotated[Optional[float], Param("counts", 0.0, None, label="Saturation level")] = None,
    model: Annotated[str, Param(label="Model")] = "default",
) -> FocalPosition:
    """Estimate from one image how far the objective is from focus, and in which direction.

    A network gives a distribution over bins of signed distance (after Wei and Roberts 2018,
    doi:10.1038/s41598-018-25458-w); one peak is an estimate, two peaks are told apart and never averaged.

    Parameters
    ----------
    image : array_like
        (y, x), integers or floats, any intensity scale; with 3 or 4 colours last the mean of red, green and blue is
        taken.
    pixel_size_um : float
        Camera pixel divided by magnification. The model that ships needs it, with aperture and wavelength; a model that
        was calibrated on your own stacks needs none of them.
    numerical_aperture : float
        Numerical aperture of the objective.
    emission_wavelength_um : float
        Wavelength of the fluorescence that is seen.
    immersion_index : float
        1.0 for air, 1.33 for water, 1.515 for oil.
    modality : str
        The model that ships is for widefield fluorescence.
    spherical_aberration : str
        For the model that ships: the sign shows only in the aberration, and is the opposite for the opposite one.
        `positive` for a coverslip (or vessel bottom) too thick, or a correction collar set too thin; `negative` for the
        reverse. `unknown`: the estimate holds both signs.
    saturation_level : float
        Count at which the camera saturates; without it a plateau at the image's own maximum is looked for.
    model : str
        Name of a shipped model or path of a model folder or package (.zip).

    Returns
    -------
    FocalPosition
        Distribution, candidates, and the estimate. Without one the numbers are NaN and `status` says why: see
        `parfocal.status`.

    Raises
    ------
    TypeError, ValueError
        Where an argument is wrong, or the optics are missing that the model needs.
    parfocal.registry.ModelError
        Where the model cannot be loaded.
    """
    check_arguments(estimate_focal_position, locals())
    planes, is_stack = as_planes(image)
    if is_stack:
        raise ValueError(f"image must be a single plane (y, x), got a stack of shape {planes.shape}")
    network = load_model(model, TASK)
    optics, _ = known_optics(emission_wavelength_um, numerical_aperture, immersion_index, pixel_size_um)
    refusal = refusal_of(network.config, modality)
    return FocalPositionEstimator(network, optics, spherical_aberration, saturation_level, refusal)(planes[0])
