"""`run.json`: what a screen was run with, and what came of it."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from parfocal.registry import load_model
from parfocal.screen.sessions import begun
from parfocal.screen.settings import RECORD

_PACKAGES = ("parfocal", "numpy", "onnxruntime", "dask", "distributed")
# What must be the same where a run is gone on with: else its rows would not belong together.
_FIXED = ("arguments", "options", "models")


def new_record(
    arguments: Mapping[str, Any], options: Mapping[str, Any], inputs: list[str], models: Mapping[str, tuple[str, Any]]
) -> dict[str, Any]:
    """Record of a run that begins now.

    Parameters
    ----------
    arguments : mapping
        Of `screen_image`, those that were given.
    options : mapping
        What is written beside the table.
    inputs : list of str
        As given.
    models : mapping
        For each task the name of a model, and its SHA-256.
    """
    return {
        "arguments": dict(arguments),
        "options": dict(options),
        "inputs": inputs,
        "folder": os.getcwd(),
        "versions": {"python": platform.python_version(), **dict(_versions())},
        "models": {task: {"name": name, "sha256": digest} for task, (name, digest) in models.items()},
        "sessions": [begun()],
        "ended": None,
        "counts": {},
    }


def models_of(arguments: Mapping[str, Any]) -> dict[str, tuple[str, Any]]:
    """Names and SHA-256 of the models that a screen with these arguments uses, checked by loading them."""
    from parfocal.sorting.members import load_sorter

    focus, sorting, restoring = (arguments.get(f"{n}_model", "default") for n in ("focus", "sorting", "restoration"))
    found = {"focus_quality": (str(focus), load_model(focus, "focus_quality").config["sha256"])}
    found["sorting"] = (str(sorting), load_sorter(sorting).config["sha256"])
    if arguments.get("restore") and arguments.get("method", "network") == "network":
        found["restoration"] = (str(restoring), load_model(restoring, "restoration").config["sha256"])
    return found


def _versions() -> list[tuple[str, str]]:
    known = []
    for name in _PACKAGES:
        try:
            known.append((name, version(name)))
        except PackageNotFoundError:
            continue
    return known


def read_record(output: Path) -> dict[str, Any]:
    """Read the record of a run.

    Raises
    ------
    FileNotFoundError
        Where there is none.
    ValueError
        Where it is damaged.
    """
    path = output / RECORD
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{output} holds no screen that could be gone on with ({RECORD} is missing)") from error
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    if not isinstance(record, dict) or not {*_FIXED, "inputs", "versions"} <= set(record):
        raise ValueError(f"{path} is damaged: it is no record of a screen")
    return record


def write_record(output: Path, record: Mapping[str, Any]) -> None:
    """Write the record of a run; at no moment is there half of one.

    Raises
    ------
    OSError
        Where it cannot be written; the message says what to do.
    """
    path, part = output / RECORD, output / f".{RECORD}.begun"
    try:
        with open(part, "w", encoding="utf-8") as file:
            json.dump(record, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise OSError(
            f"{path} cannot be written: {error.strerror or error}; mend that and go on with --resume"
        ) from error


def check_same(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Raise ValueError, naming what differs, where two records are not of one screen."""
    told = [
        f"{name} {_in_words(before[kind].get(name))} before, {_in_words(after[kind].get(name))} now"
        for kind in _FIXED
        for name in sorted({*before[kind], *after[kind]})
        if before[kind].get(name) != after[kind].get(name)
        # A model that is used or not because of an argument differs with that.
        and not (kind == "models" and None in (before[kind].get(name), after[kind].get(name)))
    ]
    versions = [record["versions"].get("parfocal") for record in (before, after)]
    if versions[0] != versions[1]:
        told.append(f"Parfocal {versions[0]} before, {versions[1]} now")
    if after["inputs"] and _real_inputs(before) != _real_inputs(after):
        told.append(f"paths {', '.join(before['inputs'])} before, {', '.join(after['inputs'])} now")
    if told:
        raise ValueError(f"the screen was begun otherwise: {'; '.join(told)}: give the same, or another output folder")


def _real_inputs(record: Mapping[str, Any]) -> set[str]:
    """Inputs of a record, the same however they are written."""
    whole = (os.path.realpath(os.path.join(record["folder"], path)) for path in record["inputs"])
    return {os.path.normcase(path) for path in whole}


def _in_words(value: Any) -> str:
    """A setting as a person reads it."""
    if isinstance(value, dict):
        return f"model {value['name']} ({str(value['sha256'])[:12]})"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "as by default" if value is None else str(value)
