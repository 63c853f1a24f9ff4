"""Checks of MeasureImageFocus's settings, some shared: each raises ValidationError with the setting at fault."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cellprofiler_core.setting import ValidationError

if __package__:
    from . import _parfocal_focus_settings as focus_settings
else:  # CellProfiler imports the files of its plugins folder one by one, with the folder on the path.
    import _parfocal_focus_settings as focus_settings

TASK = "focus_quality"


def check_names(images: list[Any], objects: list[Any]) -> None:
    """Refuse an image or objects that are measured twice, and two output images of one name."""
    _refuse_repeats((group.image_name for group in images), "{} is already measured by this module")
    _refuse_repeats((group.object_name for group in objects), "{} are already measured by this module")
    made = [group.overlay_name for group in images if group.wants_overlay]
    made += [group.sharpest_plane_name for group in images if group.wants_sharpest_plane]
    _refuse_repeats(made, "{} is already the name of another image that this module makes")


def _refuse_repeats(settings: Iterable[Any], message: str) -> None:
    seen = set()
    for setting in settings:
        if setting.value in seen:
            raise ValidationError(message.format(setting.value), setting)
        seen.add(setting.value)


def check_optics(module: Any) -> None:
    """Refuse optics of which a part is missing, and an aperture that the immersion does not allow."""
    needed = [getattr(module, name) for name in focus_settings.NEEDED_OPTICS]
    blank = [setting for setting in needed if setting.value is None]
    # The z step alone is of use, for the place of the sharpest plane; not every module has one.
    z_step = getattr(module, "z_step_um", None)
    if blank and not (blank == needed and z_step is not None and z_step.value is not None):
        names = ", ".join(setting.text for setting in needed)
        raise ValidationError(f"{blank[0].text} is missing. The optics are known only with all of: {names}", blank[0])
    aperture, index = module.numerical_aperture.value, module.immersion_index.value
    if aperture is not None and aperture > index:
        raise ValidationError(
            f"The numerical aperture cannot exceed the refractive index of the immersion, {index:g}; was {aperture:g}",
            module.numerical_aperture,
        )


def check_levels(black_level: Any, saturation_level: Any) -> None:
    """Refuse a saturation level that is not above the black level."""
    saturation = saturation_level.value
    if saturation is not None and saturation <= black_level.value:
        raise ValidationError(
            f"The saturation level must be above the black level, {black_level.value:g} counts; was {saturation:g}",
            saturation_level,
        )


def check_model(model: Any, task: str = TASK) -> None:
    """Refuse a model that is not there or is for another task; without parfocal there is nothing to ask."""
    try:
        from parfocal.registry import ModelError, model_folder, read_config
    except ImportError:
        return
    name = model.value.strip()
    if not name:
        raise ValidationError("Name a model: default, or the path of a model folder or package (.zip)", model)
    try:
        found = read_config(model_folder(name, task)).get("task")
    except ModelError as error:
        raise ValidationError(str(error), model) from error
    if found != task:
        raise ValidationError(f"The model must be one for {task}, {name} is one for {found}", model)
