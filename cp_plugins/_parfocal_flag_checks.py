"""Checks of FlagDefocused's settings: each raises ValidationError with the setting at fault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cellprofiler_core.setting import ValidationError

if __package__:
    from . import _parfocal_engine as engine
    from . import _parfocal_flag_names as names
    from . import _parfocal_flag_settings as flag_settings
else:  # CellProfiler imports the files of its plugins folder one by one, with the folder on the path.
    import _parfocal_engine as engine
    import _parfocal_flag_names as names
    import _parfocal_flag_settings as flag_settings

TASK = "sorting"


def check_images(module: Any) -> None:
    """Refuse an image that is sorted twice."""
    seen = set()
    for setting in _image_names(module):
        if setting.value in seen:
            raise ValidationError(f"{setting.value} is already sorted by this module", setting)
        seen.add(setting.value)


def check_columns(module: Any, pipeline: Any) -> None:
    """Refuse flags and measurements that would replace others of this module or of one before it."""
    flag, single = module.flag_column(), f"{names.METADATA}_{names.FLAG}"
    # In lists of measurements the flags of single images begin with this name.
    if flag == single or flag in [column for setting in _image_names(module) for column in _columns(setting.value)]:
        raise ValidationError(f"{flag} is the name of another measurement of this module", module.flag_name)
    taken = {}
    for other in pipeline.modules():
        if other.module_num >= module.module_num:
            break
        # What was loaded of an earlier run is measured anew.
        if not (other.is_input_module() or other.is_load_module()):
            taken.update({column[1]: other for column in other.get_measurement_columns(pipeline)})
    wanted = [(flag, module.flag_name)]
    wanted += [(column, setting) for setting in _image_names(module) for column in _columns(setting.value)]
    for column, setting in wanted:
        if column in taken:
            other = taken[column]
            raise ValidationError(f"{column} is already measured by {other.module_name} #{other.module_num}", setting)


def _image_names(module: Any) -> list[Any]:
    return [group.image_name for group in module.images]


def _columns(image_name: str) -> list[str]:
    found = [names.column(feature, image_name) for feature in (*names.FEATURES, *names.TEXTS)]
    return [*found, names.image_flag(image_name)]


def check_threshold(module: Any) -> None:
    """Refuse a threshold that is missing, and a folder of sharp images that is not there."""
    source = module.threshold_from.value
    if source == flag_settings.GIVEN and module.threshold.value is None:
        raise ValidationError("Enter the threshold, or select where else it comes from", module.threshold)
    if source != flag_settings.SHARP:
        return
    folder = module.sharp_folder
    if folder.is_custom_choice and not folder.custom_path.strip():
        raise ValidationError("Select the folder of your sharp images", folder)
    if not Path(folder.get_absolute_path()).is_dir():
        raise ValidationError(f"There is no folder {folder.get_absolute_path()}", folder)


def check_sharp_images(module: Any) -> None:
    """Refuse a folder without images before a run; without parfocal there is nothing to look with."""
    if module.threshold_from.value != flag_settings.SHARP:
        return
    try:
        engine.call("find_images", [module.sharp_folder.get_absolute_path()])
    except ImportError:
        return
    except FileNotFoundError as error:
        raise ValidationError(f"{module.sharp_folder.text}: {error}", module.sharp_folder) from error
