"""The command `screen_image`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any, Optional

from parfocal.commands import Param, check_arguments, command
from parfocal.focus_quality.measure import MODALITIES, measure_image_focus
from parfocal.focus_quality.result import ImageFocus
from parfocal.images.planes import as_planes
from parfocal.restoration.baselines import ITERATIONS
from parfocal.restoration.restore import SMALLEST_LEVEL, restore_beside_focus
from parfocal.restoration.restorers import METHODS
from parfocal.restoration.result import PlaneRestoration, Restoration
from parfocal.sorting.flag import flag_beside_focus
from parfocal.sorting.result import DefocusFlag


@dataclass(frozen=True)
class ScreenedImage:
    """What a screen says of an image.

    Attributes
    ----------
    focus : ImageFocus
    flag : DefocusFlag
    restoration : Restoration or None
        None unless restoring was asked for; an image that is not flagged comes out as it went in.
    """

    focus: ImageFocus
    flag: DefocusFlag
    restoration: Optional[Restoration] = None

    def features(self) -> dict[str, float]:
        """Name the numbers for a table: those of the focus, and of the others with the name of what gave them."""
        restored = {} if self.restoration is None else self.restoration.features()
        return {
            **self.focus.features(),
            **{f"Sorting_{name}": value for name, value in self.flag.features().items()},
            **{f"Restoration_{name}": value for name, value in restored.items()},
        }


@command
def screen_image(
    image: Annotated[Any, Param(array=True)],
    threshold: Annotated[Optional[float], Param("", 0.0, 1.0, label="Threshold")] = None,
    pixel_size_um: Annotated[Optional[float], Param("um", 0.001, 100.0, label="Pixel size")] = None,
    numerical_aperture: Annotated[Optional[float], Param("", 0.01, 2.0, label="Numerical aperture")] = None,
    emission_wavelength_um: Annotated[Optional[float], Param("um", 0.2, 2.0, label="Emission wavelength")] = None,
    immersion_index: Annotated[float, Param("", 1.0, 2.0, label="Refractive index of the immersion")] = 1.0,
    z_step_um: Annotated[Optional[float], Param("um", 0.001, 1000.0, label="z step")] = None,
    modality: Annotated[str, Param(choices=MODALITIES, label="Kind of microscope")] = "widefield_fluorescence",
    saturation_level: Annotated[Optional[float], Param("counts", 0.0, None, label="Saturation level")] = None,
    classical_metrics: Annotated[bool, Param(label="Classical focus metrics")] = False,
    restore: Annotated[bool, Param(label="Restore what is flagged")] = False,
    method: Annotated[str, Param(choices=METHODS, label="Method")] = "network",
    smallest_level: Annotated[float, Param("levels", 0.0, 10.0, label="Restore from this level on")] = SMALLEST_LEVEL,
    uncertainty: Annotated[bool, Param(label="Uncertainty image")] = False,
    focus_model: Annotated[str, Param(label="Model that measures")] = "default",
    sorting_model: Annotated[str, Param(label="Model that sorts")] = "default",
    restoration_model: Annotated[str, Param(label="Model that restores")] = "default",
) -> ScreenedImage:
    """Measure how far an image is out of focus, flag it where it is defocused, and restore it where that is wanted.

    The numbers are those of `measure_image_focus`, `flag_defocused` and `restore_defocus`; what these share is
    measured once.

    Parameters
    ----------
    image : array_like
        (y, x) or (z, y, x), or either with 3 or 4 colours last; integers or floats.
    threshold : float, optional
        Probability above which an image is flagged; by default the sorting model's own.
    pixel_size_um : float
        Camera pixel divided by magnification. Give it with numerical aperture and wavelength to have the image brought
        to the models' scale.
    numerical_aperture : float
        Numerical aperture of the objective.
    emission_wavelength_um : float
        Wavelength of the fluorescence that is seen.
    immersion_index : float
        1.0 for air, 1.33 for water, 1.515 for oil.
    z_step_um : float
        Distance between the planes of a stack.
    modality : str
        The models that ship are for widefield fluorescence.
    saturation_level : float
        Count at which the camera saturates; without it a plateau at the image's own maximum is looked for.
    classical_metrics : bool
        Compute the classical focus metrics beside the level.
    restore : bool
        Restore the image where it is flagged.
    method : str
        How to restore: `network`, or by scikit-image `richardson_lucy`, `richardson_lucy_gaussian` or `wiener`.
    smallest_level : float
        Flagged planes below count as sharp all the same and are not restored.
    uncertainty : bool
        Give the standard deviation of the error to be expected at each restored pixel, for `network`.
    focus_model : str
        Name of a shipped focus quality model or path of a model folder or package (.zip).
    sorting_model : str
        Name of a shipped sorting model or path of a model folder or package (.zip).
    restoration_model : str
        Name of a shipped restoration model or path of a model folder or package (.zip).

    Returns
    -------
    ScreenedImage
        Focus, flag, and restoration where it was asked for.

    Raises
    ------
    TypeError, ValueError
        Where an argument is wrong; the message says what would be right, and the value.
    parfocal.registry.ModelError
        Where a model cannot be loaded.
    """
    check_arguments(screen_image, locals())
    about: dict[str, Any] = {
        "pixel_size_um": pixel_size_um,
        "numerical_aperture": numerical_aperture,
        "emission_wavelength_um": emission_wavelength_um,
        "immersion_index": immersion_index,
        "modality": modality,
        "saturation_level": saturation_level,
    }
    measured: dict[str, Any] = {"z_step_um": z_step_um, "classical_metrics": classical_metrics, "model": focus_model}
    focus = measure_image_focus(image, **about, **measured)
    # The others go by the default model whatever measures.
    shared = focus if focus_model == "default" else None
    flag = flag_beside_focus(shared, image, threshold, check_level=True, model=sorting_model, **about)
    if not restore:
        return ScreenedImage(focus, flag)
    if not flag.flagged:
        return ScreenedImage(focus, flag, left_alone(image, flag))
    settings: dict[str, Any] = {"method": method, "model": restoration_model, "smallest_level": smallest_level}
    fixed: dict[str, Any] = {
        "check_focus": True,
        "defocus_level": None,
        "iterations": ITERATIONS,
        "uncertainty": uncertainty,
    }
    return ScreenedImage(focus, flag, restore_beside_focus(shared, image, **about, **settings, **fixed))


def left_alone(image: Any, flag: DefocusFlag) -> Restoration:
    """Restoration of an image that is not flagged: nothing is changed, and the reason is that of the flag."""
    told = PlaneRestoration(reason="not flagged") if flag.answered else PlaneRestoration(status=flag.status)
    return unchanged(image, replace(told, reason=told.reason or flag.reason))


def unchanged(image: Any, told: PlaneRestoration) -> Restoration:
    """Restoration that gives the image back as it is, with the same told of each plane."""
    return Restoration(image, None, (told,) * len(as_planes(image)[0]))
