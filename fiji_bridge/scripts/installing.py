"""Writing the scripts into a Fiji."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Optional

from ..functions import LABEL
from .folder import SCRIPTS, check_appose, fiji_folder
from .manifest import Manifest, digest, read_manifest, write_whole
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

PATIENCE_S = 300.0
_LONGEST_PATIENCE_S = 86400.0


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
        Where there is no Fiji, its Appose is too old, or a file is in the way that was not written by an earlier call
        or was changed since; nothing is written then.
    ImportError
        Where this Python lacks the extra.
    ValueError
        Where the patience is out of range.
    """
    if not 1 <= patience_s <= _LONGEST_PATIENCE_S:
        raise ValueError(f"patience_s must be in [1, {_LONGEST_PATIENCE_S:g}] s, got {patience_s!r}")
    root = fiji_folder(fiji)
    check_appose(root)
    if python is None:
        _check_worker()
    commands, folder = scripted_commands(), root / SCRIPTS
    shared = {f"{name}{SUFFIX}": _shared_text(name) for name in (*SHARED, *chain(*FRONTS.values()))}
    texts = {**shared, **{file_name(command.label): script(command) for command in commands}}
    texts[file_name(LABEL)] = extensions_script()
    before = read_manifest(folder)
    _check_free(folder, texts, before)
    made = before.made if before else _make_folders(root, folder)
    for name, text in texts.items():
        write_whole(folder / name, text)
    if before is not None:
        _remove_stale(folder, before, texts)
    files = {name: digest(text.encode()) for name, text in texts.items()}
    told = {command.spec.name: described(command) for command in commands}
    told[EXTENSIONS] = described_extensions()
    Manifest(version("parfocal"), python or sys.executable, patience_s, told, files, tuple(made)).write(folder)
    return folder, [*(command.name for command in commands), LABEL]


def _check_worker() -> None:
    try:
        import_module("appose")
    except ImportError as error:
        raise ImportError(f'{error}: this needs Appose: pip install "parfocal[worker]"') from error


def _shared_text(name: str) -> str:
    return Path(__file__).with_name(f"{name}.groovy").read_text(encoding="utf-8")


def _check_free(folder: Path, texts: dict[str, str], before: Optional[Manifest]) -> None:
    for name, text in texts.items():
        path = folder / name
        if not path.exists() or path.read_bytes() == text.encode():
            continue
        if before is None or name not in before.files:
            raise FileExistsError(f"{path} is in the way and was not written by parfocal install: move it away first")
        if not before.is_unchanged(path):
            raise FileExistsError(f"{path} was changed since parfocal install wrote it: move it away first")


def _make_folders(root: Path, folder: Path) -> list[str]:
    """Make a folder; those that were made, relative to the root, the innermost first."""
    missing = [path for path in (folder, *folder.parents) if root in path.parents and not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return [path.relative_to(root).as_posix() for path in missing]


def _remove_stale(folder: Path, before: Manifest, texts: dict[str, str]) -> None:
    """Remove what an older version wrote and this one does not, unless it was changed."""
    for name in before.files:
        path = folder / name
        if name not in texts and path.exists() and before.is_unchanged(path):
            path.unlink()
