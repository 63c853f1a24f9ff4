"""Checks of MeasureBeadFocalPlane's settings: each raises ValidationError with the setting at fault."""

from __future__ import annotations

from typing import Any

from cellprofiler_core.setting import ValidationError

if __package__:
    from . import _parfocal_bead_group as bead_group
    from . import _parfocal_bead_settings as bead_settings
else:  # CellProfiler imports the files of its plugins folder one by one, with the folder on the path.
    import _parfocal_bead_group as bead_group
    import _parfocal_bead_settings as bead_settings

_LEAST_DIAMETER_PX = 3.0
_TASK = "bead_distance"


def check_stack_form(module: Any, pipeline: Any) -> None:
    """Refuse a form of the stack that does not fit how the pipeline loads images."""
    loads_3d = [other.process_as_3d.value for other in pipeline.modules() if hasattr(other, "process_as_3d")]
    if any(loads_3d) and (module.grouped or module.single):
        raise ValidationError(
            "The image sets are 3D (Process as 3D in NamesAndTypes is on): switch it off, or select "
            f"{bead_settings.VOLUME}",
            module.stack_form,
        )
    if loads_3d and not any(loads_3d) and not (module.grouped or module.single):
        raise ValidationError(
            "The image sets are single planes: switch Process as 3D on in NamesAndTypes, or select "
            f"{bead_settings.GROUPED} or {bead_settings.SINGLE}",
            module.stack_form,
        )
    if module.grouped:
        for other in bead_group.modules_run_twice(pipeline, module):
            if other.is_aggregation_module():
                raise ValidationError(
                    f"{module.image_name.value} depends on {other.module_name}, which works on whole groups; select "
                    "an image that does not",
                    module.image_name,
                )


def check_z(module: Any) -> None:
    """Refuse a missing z step or tag, and a factor of 0."""
    source = module.z_source.value
    if source == bead_settings.Z_STEP and module.z_step_um.value is None:
        raise ValidationError("Enter the z step, or select where else z comes from", module.z_step_um)
    if source == bead_settings.Z_METADATA and not module.z_tag.value.strip():
        raise ValidationError("Enter the name of the metadata tag of z", module.z_tag)
    if source == bead_settings.Z_METADATA and module.z_factor_um.value == 0:
        raise ValidationError("One unit of the tag must be more or less than 0 um; was 0", module.z_factor_um)


def check_beads(module: Any) -> None:
    """Refuse a missing diameter, and one of too few pixels."""
    diameter, pixel = module.bead_diameter_um.value, module.pixel_size_um.value
    if diameter is None:
        raise ValidationError("Enter the diameter of the beads", module.bead_diameter_um)
    if pixel is not None and diameter < _LEAST_DIAMETER_PX * pixel:
        raise ValidationError(
            f"The diameter of the beads must be at least {_LEAST_DIAMETER_PX:g} pixels of {pixel:g} um; was "
            f"{diameter:g} um",
            module.bead_diameter_um,
        )


def check_distance_model(setting: Any) -> None:
    """Refuse a blank, and a model that is not there or is for another task, which only parfocal can tell."""
    name = setting.value.strip()
    if not name:
        raise ValidationError("Enter the name of a distance model, or the path of its folder", setting)
    try:
        from parfocal.registry import ModelError, model_folder, read_config
    except ImportError:  # the run says how to install it
        return
    try:
        found = read_config(model_folder(name, _TASK)).get("task")
    except ModelError as error:
        raise ValidationError(str(error), setting) from error
    if found != _TASK:
        raise ValidationError(f"The model must be one for {_TASK}, {name} is one for {found}", setting)
