"""Checks of RestoreDefocus's settings: each raises ValidationError with the setting at fault."""

from __future__ import annotations

from typing import Any

from cellprofiler_core.setting import ValidationError

if __package__:
    from . import _parfocal_focus_checks as focus_checks
    from . import _parfocal_restore_settings as restore_settings
else:  # CellProfiler imports the files of its plugins folder one by one, with the folder on the path.
    import _parfocal_focus_checks as focus_checks
    import _parfocal_restore_settings as restore_settings

TASK = "restoration"


def check_names(module: Any) -> None:
    """Refuse an output image that has the name of another image of this module."""
    names = [module.image_name]
    shown = restore_settings.in_use(module)
    for setting in [getattr(module, name) for name in ("restored_name", "uncertainty_name") if name in shown]:
        if setting.value in [other.value for other in names]:
            raise ValidationError(f"{setting.value} is already the name of another image of this module", setting)
        names.append(setting)


def check_condition(module: Any) -> None:
    """Refuse a condition without a limit, and one that no value meets."""
    smallest, largest = module.smallest_value.value, module.largest_value.value
    if module.when.value == restore_settings.ALWAYS:
        return
    if smallest is None and largest is None:
        raise ValidationError("Enter a smallest or a largest value of the measurement", module.smallest_value)
    if smallest is not None and largest is not None and largest < smallest:
        raise ValidationError(
            f"The largest value must be at least the smallest, {smallest:g}; was {largest:g}", module.largest_value
        )


def check_method(module: Any) -> None:
    """Refuse a model that is not there, and a method that needs a level where there is none."""
    if module.method.value == restore_settings.NETWORK:
        focus_checks.check_model(module.model, TASK)
    if module.defocus_level.value is None and not module.check_focus.value and _needs_level(module):
        raise ValidationError(
            f"{module.method.value} needs the level of defocus: have the focus measured first, or enter the level",
            module.check_focus,
        )


def _needs_level(module: Any) -> bool:
    if module.method.value != restore_settings.NETWORK:
        return True
    try:
        from parfocal.registry import model_folder, read_config
    except ImportError:  # the run says how to install it
        return False
    config = read_config(model_folder(module.model.value.strip(), TASK))
    return bool(config.get("architecture") == "default")


def check_file(module: Any, pipeline: Any) -> None:
    """Refuse a file name that would be that of the input image, and metadata that are not known."""
    if not module.suffix.value.strip():
        raise ValidationError("Enter a text to append: the file of the input image is never replaced", module.suffix)
    unknown = pipeline.get_undefined_metadata_tags(module.suffix.value)
    if unknown:
        raise ValidationError(f"{unknown[0]} is no metadata tag of this pipeline", module.suffix)
