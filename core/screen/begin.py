"""How a screen begins, or goes on: with which arguments, on which inputs, and what an earlier run has left."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any, Optional

import numpy as np

from parfocal.batch.arguments import check_given
from parfocal.commands import command_spec
from parfocal.screen.image import screen_image
from parfocal.screen.pictures import FOLDERS
from parfocal.screen.record import check_same, models_of, new_record, now
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
    told = {} if after["inputs"] else {"inputs": before["inputs"], "folder": before["folder"]}
    kept = {"begun": before["begun"], "resumed": [*before.get("resumed", []), now()]}
    return {**after, **told, **kept}


def inputs_of(record: dict[str, Any]) -> list[str]:
    """Inputs of a record, relative ones from the folder that the run was begun in."""
    return [os.path.join(record["folder"], path) for path in record["inputs"]]


def clear(output: Path) -> None:
    """Take away what an earlier run has left; what else lies in the folder stays."""
    for name in OWN:
        shutil.rmtree(output / name, ignore_errors=True)
    for name in (RECORD, TABLE, REPORT):
        (output / name).unlink(missing_ok=True)


def clear_begun(output: Path) -> None:
    """Take away pictures that an earlier run was ended in the middle of."""
    for name in FOLDERS:
        for begun in (output / name).rglob(".*.part"):
            begun.unlink(missing_ok=True)
