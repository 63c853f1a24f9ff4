"""Functions of Parfocal that a host calls as it would in its own Python: values go in, the whole result comes back."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from parfocal.registry import ModelError
from parfocal.worker.codec import decode, encode
from parfocal.worker.exchange import ArrayReader, ArrayWriter

CALL = "call"
# Where each is.
COMMANDS = {
    "measure_image_focus": "parfocal.focus_quality.measure",
    "flag_defocused": "parfocal.sorting.flag",
    "restore_defocus": "parfocal.restoration.restore",
    "measure_bead_focal_plane": "parfocal.beads.measure",
    "estimate_focal_position": "parfocal.focal_position.estimate",
}
CALLS = {
    **COMMANDS,
    "sharp_threshold": "parfocal.sorting.thresholds",
    "find_images": "parfocal.images.reading",
    "read_plane_places": "parfocal.images.plane_places",
    "is_marked_file": "parfocal.restoration.marked_tiff",
    "write_marked": "parfocal.restoration.marked_tiff",
}
# Errors that reach the host as what they are; of others derived from them it gets these.
_BUILT_IN = (
    FileNotFoundError,
    FileExistsError,
    PermissionError,
    OSError,
    ImportError,
    MemoryError,
    ValueError,
    TypeError,
)
ERRORS: dict[str, type[Exception]] = {error.__name__: error for error in (*_BUILT_IN, ModelError)}

_files: set[Path] = set()


def function_of(name: str) -> Callable[..., Any]:
    """A function by its name (ValueError where it is none that a host may call)."""
    if name not in CALLS:
        raise ValueError(f"call must be one of {', '.join(CALLS)}, got {name!r}")
    function: Callable[..., Any] = getattr(import_module(CALLS[name]), name)
    return function


def kind_of(error: BaseException) -> str:
    """Name among `ERRORS` of what an error is, empty where it is none of them."""
    return next((kind.__name__ for kind in type(error).__mro__ if ERRORS.get(kind.__name__) is kind), "")


def run_call(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Call the function `name` with what `arguments` and the file `memory` hold; the `result`, and its arrays there."""
    memory, function = Path(inputs["memory"]), function_of(str(inputs.get("name")))
    _files.add(memory)
    positional, named = decode(inputs["arguments"], ArrayReader(memory).take)
    result = function(*positional, **named)
    with ArrayWriter(memory) as writer:
        return {"result": encode(result, writer.put)}


def remove_files() -> None:
    """Remove the files of hosts that have gone without doing it."""
    for path in _files:
        with suppress(OSError):
            os.unlink(path)
