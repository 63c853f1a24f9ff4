"""How a screen begins, or goes on: with which arguments, on which inputs, and what an earlier run has left."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any, Optional

import numpy as np

from parfocal.batch.arguments import check_given
from parfocal.batch.files import OutputExists, claim_output
from parfocal.commands import command_spec
from parfocal.screen.image import screen_image
from parfocal.screen.pictures import FOLDERS
from parfocal.screen.record import check_same, models_of, new_record
from parfocal.screen.settings import OVERLAY_CHOICES, RECORD, REPORT, RESULTS, TABLE

# Folders in the output folder that a screen writes.
OWN = (RESULTS, *FOLDERS)


def record_of(
    before: Optional[dict[str, Any]],
    inputs: list[str],
    given: dict[str, Any],
    overlays: Optional[str],
    previews: Optional[bool],
) -> dict[str, Any]:
    """Record of a run; of one that goes on, what is not given is as it was before.

    Raises
    ------
    TypeError, ValueError
        Where an argument is wrong, or another than before.
    parfocal.registry.ModelError
        Where a model cannot be loaded.
    """
    check_given(given, screen_image)
    options = {name: value for name, value in (("overlays", overlays), ("previews", previews)) if value is not None}
    if before is not None:
        given, options = {**before["arguments"], **given}, {**before["options"], **options}
    defaults = {parameter.name: parameter.default for parameter in command_spec(screen_image).parameters}
    given = {name: value for name, value in given.items() if value != defaults.get(name)}
    options = {"overlays": "flagged", "previews": False, **options}
    if options["overlays"] not in OVERLAY_CHOICES:
        raise ValueError(f"overlays must be one of {', '.join(OVERLAY_CHOICES)}, got {options['overlays']!r}")
    # Arguments that do not go together are told before any file is opened.
    screen_image(np.zeros((1, 1), np.uint8), **given)
    after = new_record(given, options, inputs, models_of(given))
    return after if before is None else _gone_on(before, after)


def _gone_on(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    check_same(before, after)
    told = {"inputs": before["inputs"], "folder": before["folder"]}
    return {**after, **told, "sessions": [*before.get("sessions", ()), *after["sessions"]]}


def inputs_of(record: dict[str, Any]) -> list[str]:
    """Inputs of a record, relative ones from the folder that the run was begun in."""
    return [os.path.join(record["folder"], path) for path in record["inputs"]]


def check_output(output: Path, resume: bool, overwrite: bool) -> None:
    """Make the output folder, and see that it can be written and that nothing in it would be lost.

    Raises
    ------
    parfocal.batch.files.OutputExists
        Where an earlier run is there, and neither `resume` nor `overwrite` is set.
    FileExistsError
        Where what is there is of no run.
    OSError
        Where the folder cannot be written.
    """
    if (output / RECORD).exists():
        if not (overwrite or resume):
            raise OutputExists(f"{output} holds a screen: go on with it (--resume), choose another output folder")
    else:
        # To replace a run is asked for, not to lose folders of the same names.
        found = next((name for name in (*OWN, TABLE) if (output / name).exists()), None)
        if found is not None:
            raise FileExistsError(f"{output / found} exists, and is of no screen: choose another output folder")
    claim_output(output, True, ())


def clear(output: Path) -> None:
    """Take away what an earlier run has left; what else lies in the folder stays.

    Raises
    ------
    OSError
        Where that cannot be done: rows of two runs must not be mixed.
    """
    from parfocal.report.screen.target import is_report

    # The record goes last: what a run is ended in the middle of can then be cleared once more.
    files = [output / TABLE, *([output / REPORT] if is_report(output / REPORT) else []), output / RECORD]
    try:
        for folder in (output / name for name in OWN if (output / name).exists()):
            shutil.rmtree(folder)
        for file in files:
            file.unlink(missing_ok=True)
    except OSError as error:
        raise OSError(f"the earlier run in {output} cannot be taken away: {error.strerror or error}") from error


def clear_begun(output: Path) -> None:
    """Take away pictures that an earlier run was ended in the middle of."""
    for name in FOLDERS:
        for begun in (output / name).rglob(".*.part"):
            begun.unlink(missing_ok=True)
