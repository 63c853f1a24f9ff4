"""The command `restore_defocus`."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import version
from typing import Annotated, Any, Optional

import numpy as np

from parfocal.commands import Param, check_arguments, command
from parfocal.focus_quality.measure import MODALITIES, measure_image_focus
from parfocal.focus_quality.result import ImageFocus
from parfocal.images.planes import as_planes
from parfocal.optics.optics import MODEL_OPTICS, known_optics
from parfocal.progress import steps
from parfocal.restoration.plane import PlaneRestorer
from parfocal.restoration.restorers import METHODS, make_restorer
from parfocal.restoration.result import PlaneRestoration, Restoration, provenance_text

# Of 24 images in focus none was measured at 2.5 or more (soft ones come near it); at level 3 all were.
SMALLEST_LEVEL = 2.5


@command
def restore_defocus(
    image: Annotated[Any, Param(array=True)],
    pixel_size_um: Annotated[Optional[float], Param("um", 0.001, 100.0, label="Pixel size")] = None,
    numerical_aperture: Annotated[Optional[float], Param("", 0.01, 2.0, label="Numerical aperture")] = None,
    emission_wavelength_um: Annotated[Optional[float], Param("um", 0.2, 2.0, label="Emission wavelength")] = None,
    immersion_index: Annotated[float, Param("", 1.0, 2.0, label="Refractive index of the immersion")] = 1.0,
    modality: Annotated[str, Param(choices=MODALITIES, label="Kind of microscope")] = "widefield_fluorescence",
    method: Annotated[str, Param(choices=METHODS, label="Method")] = "network",
    model: Annotated[str, Param(label="Model")] = "default",
    check_focus: Annotated[bool, Param(label="Measure the focus first")] = True,
    smallest_level: Annotated[float, Param("levels", 0.0, 10.0, label="Restore from this level on")] = SMALLEST_LEVEL,
    defocus_level: Annotated[Optional[float], Param("levels", 0.0, None, label="Defocus level")] = None,
    iterations: Annotated[int, Param("", 1, 1000, label="Iterations of Richardson-Lucy")] = 30,
    uncertainty: Annotated[bool, Param(label="Uncertainty image")] = False,
    saturation_level: Annotated[Optional[float], Param("counts", 0.0, None, label="Saturation level")] = None,
) -> Restoration:
    """Restore a defocused image as the microscope would have shown it in focus, as far as that is possible.

    Sharp planes and planes that cannot be restored come out as they went in. Shape, type and intensity scale are those
    of the input; the total intensity of a restored plane changes by 0.1 percent at most. A restored image is not for
    the quantification of intensity or texture (Xue et al. 2021, doi:10.1016/j.bioactmat.2021.09.018).

    Parameters
    ----------
    image : array_like
        (y, x) or (z, y, x), or either with 3 or 4 colours last (a fourth, alpha, is passed on); integers or floats.
        Stacks are restored plane by plane.
    pixel_size_um : float
        Camera pixel divided by magnification. Without pixel size, numerical aperture and wavelength the model's optics
        are taken (0.65 um, NA 0.5, 0.5 um), with the warning `optics_assumed`.
    numerical_aperture : float
        Numerical aperture of the objective.
    emission_wavelength_um : float
        Wavelength of the fluorescence that is seen.
    immersion_index : float
        1.0 for air, 1.33 for water, 1.515 for oil.
    modality : str
        The default model restores widefield fluorescence, for which alone a level is measured.
    method : str
        `network`, or by scikit-image: `richardson_lucy` with the Born-Wolf PSF of the level, `richardson_lucy_gaussian`
        with the Gaussian PSF nearest to it, `wiener` (unsupervised, PSF of the level).
    model : str
        Name of a shipped restoration model or path of a model folder or package (.zip), for `network`.
    check_focus : bool
        Measure the focus first, and restore only what lies from `smallest_level` up to the level before the worst;
        levels from 10 on cannot be told apart. Without it everything is restored, by methods that need no level
        (`xue2021` and `unet` models of one's own, for other kinds of images) or with a given one.
    smallest_level : float
        Planes below count as sharp and are left alone.
    defocus_level : float, optional
        Level of the whole image, in blur of the image's own pixels (3.08 px each), where it is known; it is then not
        measured, and nothing counts as sharp.
    iterations : int
        Of Richardson-Lucy.
    uncertainty : bool
        Give the standard deviation of the error to be expected at each pixel, for `network`; four times the time.
    saturation_level : float
        Count at which the camera saturates; without it a plateau at the image's own maximum is looked for.

    Returns
    -------
    Restoration
        The image, what was done to each plane, and the text that marks it as restored.

    Raises
    ------
    TypeError, ValueError
        Where an argument is wrong; the message says what would be right, and the value.
    parfocal.registry.ModelError
        Where a model cannot be loaded.
    """
    arguments = locals()
    check_arguments(restore_defocus, arguments)
    return restore_beside_focus(None, **arguments)


def restore_beside_focus(
    focus: Optional[ImageFocus],
    image: Any,
    pixel_size_um: Optional[float],
    numerical_aperture: Optional[float],
    emission_wavelength_um: Optional[float],
    immersion_index: float,
    modality: str,
    method: str,
    model: str,
    check_focus: bool,
    smallest_level: float,
    defocus_level: Optional[float],
    iterations: int,
    uncertainty: bool,
    saturation_level: Optional[float],
) -> Restoration:
    """Restore as `restore_defocus` does, with the same result; a focus that is known already is not measured again.

    Parameters
    ----------
    focus : ImageFocus or None
        What `measure_image_focus` with its default model and what is told of the image here has given.
    image, pixel_size_um, ...
        As of `restore_defocus`, checked already.
    """
    if uncertainty and method != "network":
        raise ValueError(f"uncertainty is given by method network alone, got {method!r}")
    planes_zyxc, n_colours = _as_colour_planes(image)
    optics, _ = known_optics(emission_wavelength_um, numerical_aperture, immersion_index, pixel_size_um)
    method_restorer = make_restorer(method, model, iterations)
    if method_restorer.needs_level and not check_focus and defocus_level is None:
        raise ValueError(f"{method_restorer.name} needs a level: set check_focus or give defocus_level")
    restorer = PlaneRestorer(
        restorer=method_restorer,
        optics=optics or MODEL_OPTICS,
        optics_assumed=optics is None,
        smallest_level=smallest_level,
        defocus_level=defocus_level,
        uncertainty=uncertainty,
        saturation_level=saturation_level,
    )
    found: list[Any] = [None] * len(planes_zyxc)
    if check_focus and defocus_level is None:
        measured = focus or measure_image_focus(
            image,
            pixel_size_um=pixel_size_um,
            numerical_aperture=numerical_aperture,
            emission_wavelength_um=emission_wavelength_um,
            immersion_index=immersion_index,
            modality=modality,
            saturation_level=saturation_level,
        )
        found = [plane.estimate for plane in measured.planes]
    return _over_planes(np.asarray(image), planes_zyxc, n_colours, restorer, found)


@lru_cache(maxsize=1)
def _version() -> str:
    """Version of the package; looking it up reads its metadata."""
    return version("parfocal")


def _as_colour_planes(image: Any) -> tuple[np.ndarray, int]:
    """Bring an image to (z, y, x, colour), a view; the number of colours that are restored leaves alpha out."""
    pixels = np.asarray(image)
    _, is_stack = as_planes(pixels)  # refuses what is no image
    coloured = pixels.ndim == 3 + is_stack
    planes = pixels if coloured else pixels[..., None]
    return (planes if is_stack else planes[None]), min(3, planes.shape[-1])


def _over_planes(
    image: np.ndarray, planes_zyxc: np.ndarray, n_colours: int, restorer: PlaneRestorer, focus: list[Any]
) -> Restoration:
    restored = planes_zyxc.copy()
    error = np.zeros(planes_zyxc.shape, np.float32) if restorer.uncertainty else None
    done: list[PlaneRestoration] = []
    for z, (plane, estimate) in enumerate(zip(steps(planes_zyxc[..., :n_colours]), focus)):
        answer, pixels, deviation = restorer(plane, estimate)
        done.append(answer)
        if pixels is not None:
            restored[z, ..., :n_colours] = pixels
        if error is not None and deviation is not None:
            error[z, ..., :n_colours] = deviation
    count = sum(answer.restored for answer in done)
    text = provenance_text(restorer.restorer.name, _version(), count, len(done)) if count else ""
    shaped = None if error is None else error.reshape(image.shape)
    return Restoration(restored.reshape(image.shape), shaped, tuple(done), text)
