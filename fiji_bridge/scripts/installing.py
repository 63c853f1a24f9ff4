"""Writing the scripts into a Fiji."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Optional

from parfocal.install.packages import extra_command
from parfocal.install.written import PATIENCE_S, check_patience

from ..functions import LABEL
from .folder import check_appose, fiji_folder
from .manifest import Manifest, place_in
from .text import (
    EXTENSIONS,
    FRONTS,
    SHARED,
    SUFFIX,
    described,
    described_extensions,
    extensions_script,
    file_name,
    script,
    scripted_commands,
)


def install(
    fiji: str | os.PathLike[str], python: Optional[str] = None, patience_s: float = PATIENCE_S
) -> tuple[Path, list[str]]:
    """Write scripts for Parfocal's commands into a Fiji; those of an earlier call are replaced.

    Parameters
    ----------
    fiji : path
        Folder of the Fiji.
    python : str, optional
        Python that runs the worker, this one by default; it must have Parfocal with the extra `worker`.
    patience_s : float
        Time without a sign of life after which a worker is ended.

    Returns
    -------
    folder : Path
        Of the scripts.
    names : list of str
        Of the commands.

    Raises
    ------
    OSError
        Where there is no Fiji, its Appose is too old, its folder cannot be written into, or a file is in the way that
        was not written by an earlier call or was changed since; all is then as it was.
    ImportError
        Where this Python lacks the extra.
    ValueError
        Where the patience is out of range.
    """
    check_patience(patience_s)
    root = fiji_folder(fiji)
    check_appose(root)
    if python is None:
        _check_worker()
    commands, place = scripted_commands(), place_in(root)
    shared = {f"{name}{SUFFIX}": _shared_text(name) for name in (*SHARED, *chain(*FRONTS.values()))}
    texts = {**shared, **{file_name(command.label): script(command) for command in commands}}
    texts[file_name(LABEL)] = extensions_script()
    told = {command.spec.name: described(command) for command in commands}
    told[EXTENSIONS] = described_extensions()
    place.put(texts, Manifest(version("parfocal"), python or sys.executable, patience_s, commands=told))
    return place.folder, [*(command.name for command in commands), LABEL]


def _check_worker() -> None:
    try:
        import_module("appose")
    except ImportError as error:
        raise ImportError(f"{error}: this needs Appose: {extra_command('worker')}") from error


def _shared_text(name: str) -> str:
    return Path(__file__).with_name(f"{name}.groovy").read_text(encoding="utf-8")
