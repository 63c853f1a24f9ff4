"""Where an image comes from: whether it has been restored before, and the file that it was loaded from."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

from cellprofiler_core.constants.measurement import C_FILE_NAME, IMAGE
from cellprofiler_core.setting.subscriber import ImageSubscriber
from cellprofiler_core.setting.text import ImageName

if __package__:
    from . import _parfocal_engine as engine
    from . import _parfocal_restore_names as names
else:  # CellProfiler imports the files of its plugins folder one by one, with the folder on the path.
    import _parfocal_engine as engine
    import _parfocal_restore_names as names

# Attribute of CellProfiler's images that says how they were restored.
_MARK = "parfocal_provenance"


def mark(image: Any, provenance: str) -> None:
    """Note on an image how it was restored; images that are made of it find it there."""
    setattr(image, _MARK, provenance)


def restored_before(workspace: Any, module: Any, image_name: str) -> str:
    """Say where an image has been restored before it comes to a module, or nothing where it has not.

    Looked at are the images that it was made of, the measurements of images that other modules combined into it, and
    the file behind it.
    """
    image = parent = workspace.image_set.get_image(image_name)
    while parent is not None:
        if getattr(parent, _MARK, ""):
            return "restored by an earlier module of the pipeline"
        parent = parent.parent_image
    for name in _made_of(workspace.pipeline, module, image_name):
        if current_value(workspace.measurements, names.column("Restored", name)) == 1:
            return f"made of {name}, which an earlier module of the pipeline has restored"
    path = source_file(image)
    if path is not None and engine.call("is_marked_file", path):
        return f"the file {path.name} is marked as restored"
    return ""


def current_value(measurements: Any, column: str) -> Any:
    """Value of an image measurement in the present image set, None where there is none."""
    if not measurements.has_current_measurements(IMAGE, column):
        return None
    return measurements.get_current_image_measurement(column)


def source_file(image: Any) -> Optional[Path]:
    """File that an image, or the first of those it was made of, was loaded from; None where there is none here."""
    if not image.file_name or not image.path_name:
        return None
    path = Path(image.path_name) / image.file_name
    return path if path.is_file() else None


def _made_of(pipeline: Any, module: Any, image_name: str) -> list[str]:
    """Names of all images that went into an image, as far as the modules before this one tell."""
    found: list[str] = []
    waiting = [image_name]
    while waiting:
        for name in _inputs(pipeline, module, waiting.pop()):
            if name not in found:
                found.append(name)
                waiting.append(name)
    return found


def _inputs(pipeline: Any, module: Any, image_name: str) -> list[str]:
    """Names of the images that the module which made an image read.

    Of a module that makes several images it is not known which of them each is made of; those know their parents.
    """
    made: list[str] = []
    for other in pipeline.modules():
        if other.module_num >= module.module_num:
            break
        shown = other.visible_settings()
        outputs = [setting.value for setting in shown if isinstance(setting, ImageName)]
        if outputs == [image_name]:
            made = [setting.value for setting in shown if isinstance(setting, ImageSubscriber)]
    return made


def loaded_name(pipeline: Any, module: Any, measurements: Any, image_name: str) -> Optional[str]:
    """Name of the loaded image that an image is made of alone; None where that is not known before a run."""
    made_of = [image_name, *_made_of(pipeline, module, image_name)]
    loaded = [name for name in made_of if measurements.has_feature(IMAGE, f"{C_FILE_NAME}_{name}")]
    return loaded[0] if len(loaded) == 1 else None
