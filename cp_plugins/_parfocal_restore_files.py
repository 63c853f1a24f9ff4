"""Files that RestoreDefocus writes: their names, and that none of a user's is replaced unasked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Optional

from cellprofiler_core.constants.measurement import C_FILE_NAME, IMAGE
from cellprofiler_core.setting import ValidationError

if __package__:
    from . import _parfocal_engine as engine
    from . import _parfocal_restore_origin as origin
    from ._parfocal_restore_run import RestoredImage
else:  # CellProfiler imports the files of its plugins folder one by one, with the folder on the path.
    import _parfocal_engine as engine
    import _parfocal_restore_origin as origin
    from _parfocal_restore_run import RestoredImage

_EXTENSION = re.compile(r"(\.ome)?\.[^.]+$", re.IGNORECASE)


def check_free(module: Any, workspace: Any) -> None:
    """Raise ValidationError where two images would get the same file, or a file may be replaced, as far as is known."""
    pipeline = workspace.pipeline
    if not module.wants_file.value or pipeline.test_mode:
        return
    files = list(_planned(module, workspace))
    before = [other for other in pipeline.modules() if isinstance(other, type(module)) and other.wants_file.value]
    taken = {file for other in before if other.module_num < module.module_num for file in _planned(other, workspace)}
    for file in files:
        if file in taken:
            raise ValidationError(
                f"{file} would be written more than once: append other texts to the file names, or use metadata "
                "in them",
                module.suffix,
            )
        taken.add(file)
    # The jobs of a batch each run for a part of the image sets and find the files of the others.
    existing = [] if module.overwrite.value or pipeline.in_batch_mode() else [file for file in files if file.exists()]
    if existing:
        raise ValidationError(
            f"{existing[0]} exists already, {len(existing)} of the {len(files)} files do: choose another folder, or "
            "have them overwritten",
            module.overwrite,
        )


def _planned(module: Any, workspace: Any) -> Iterator[Path]:
    """Files that a module may write in a run; none where the names of the originals are not known before it."""
    measurements = workspace.measurements
    loaded = origin.loaded_name(workspace.pipeline, module, measurements, module.image_name.value)
    for number in [] if loaded is None else measurements.get_image_numbers():
        name = measurements.get_measurement(IMAGE, f"{C_FILE_NAME}_{loaded}", number)
        yield _path(module, measurements, name, number)


def _path(module: Any, measurements: Any, file_name: str, number: Optional[int] = None) -> Path:
    folder = Path(module.directory.get_absolute_path(measurements, number))
    appended = measurements.apply_metadata(module.suffix.value, number)
    return folder / f"{_EXTENSION.sub('', file_name)}{appended}.ome.tif"


def write(module: Any, workspace: Any, restored: RestoredImage) -> None:
    """Write a restored image with its mark; nothing in test mode, or where nothing was restored.

    Raises
    ------
    ValueError
        Where the image has no file name, or the file would be that which it was loaded from.
    FileExistsError
        Where the file is there and may not be replaced.
    """
    if not restored.restoration.restored or workspace.pipeline.test_mode:
        return
    name = module.image_name.value
    if not restored.image.file_name:
        raise ValueError(f"{name} was not loaded from a file that its restored image could be named after")
    path = _path(module, workspace.measurements, restored.image.file_name)
    source = origin.source_file(restored.image)
    if source is not None and path.exists() and path.samefile(source):
        raise ValueError(f"{path} is the file that {name} was loaded from: it is never replaced")
    size = module.arguments().get("pixel_size_um")
    found = restored.restoration
    engine.call("write_marked", path, found.image, found.provenance, size, module.overwrite.value)
