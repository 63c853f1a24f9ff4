"""Trained models: found by name or folder, checked, and loaded once per process."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

FORMAT_VERSION = 1
_LOADING = threading.Lock()
# Packages by the folders that they were unpacked into: the user knows the former alone.
_PACKAGES: dict[Path, Path] = {}


class ModelError(RuntimeError):
    """A model folder that cannot be used; the message says which file is at fault and what to do."""


class Model:
    """A network with its configuration, run by ONNX Runtime on the CPU.

    Attributes
    ----------
    folder : Path
    config : dict
        Content of `config.json`.
    input_shape : tuple
        Numbers, and names where a side is free.
    """

    def __init__(self, folder: Path, config: dict[str, Any], session: Any) -> None:
        self.folder = folder
        self.config = config
        self._session = session
        self._input = session.get_inputs()[0].name
        self.input_shape = tuple(session.get_inputs()[0].shape)

    def predict(self, batch: np.ndarray, batch_size: int = 64) -> np.ndarray:
        """Run the network over a batch (n, ...), float32, a part at a time so that memory stays bounded."""
        parts = [batch[start : start + batch_size] for start in range(0, len(batch), batch_size)]
        return np.concatenate([self._session.run(None, {self._input: part})[0] for part in parts])


def shipped_file(name: str) -> Path:
    """Path of a file or folder that ships with the models."""
    import parfocal.models

    return Path(next(iter(parfocal.models.__path__))) / name


def shipped_models() -> list[Path]:
    """Folders of the models that come with the package, `<task>/<name>`."""
    return sorted(config.parent for config in shipped_file(".").glob("*/*/config.json"))


def model_folder(name_or_path: str | os.PathLike[str], task: str) -> Path:
    """Find a model folder: a name among the shipped models of a task, or the path of a folder or of a package.

    A package (`*.zip`, as `parfocal export` writes it) is unpacked into a folder that goes when the process ends.

    Raises
    ------
    ModelError
        Where there is none; the message lists the names there are. Where a package must not or cannot be unpacked.
    """
    shipped, name = shipped_file(task), os.fspath(name_or_path)
    given = Path(name)
    # `./default` is a path, and no longer to be told from `default` once it is a Path.
    if name not in ("", ".", "..") and os.path.split(name)[0] == "" and (shipped / name).is_dir():
        return shipped / name
    if given.is_dir():
        return given
    if given.suffix.lower() == ".zip" and given.is_file():
        return _unpacked(given)
    names = sorted(folder.name for folder in shipped.iterdir() if folder.is_dir()) if shipped.is_dir() else []
    known = f"one of {names} or the path" if names else "the path (none ships)"
    raise ModelError(f"no model {shown(given)!r} for {task}: give {known} of a model folder or package")


def _unpacked(package: Path) -> Path:
    from parfocal.sharing.unpack import unpacked

    folder = unpacked(package)
    _PACKAGES[folder.resolve()] = package
    return folder


def shown(path: Path) -> str:
    """Name a model folder or a file in it as the user knows it: of a package that is the package."""
    for folder, package in _PACKAGES.items():
        if folder == path:
            return str(package)
        if folder in path.parents:
            return f"{path.relative_to(folder).as_posix()} in {package}"
    return str(path)


def load_model(name_or_path: str | os.PathLike[str], task: str) -> Model:
    """Load a model, or return it where this process has loaded it before.

    Raises
    ------
    ModelError
        Where a file is missing or damaged, or the folder is of another task or a newer format.
    """
    folder = model_folder(name_or_path, task).resolve()
    with _LOADING:
        return _load(folder, task)


@lru_cache(maxsize=16)
def _load(folder: Path, task: str) -> Model:
    _, config = checked_config(folder, task)
    weights = _checked_weights(folder, config)
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # One thread a process by default: CellProfiler's workers and the batch engine run one process per core.
    options.intra_op_num_threads = thread_count()
    options.inter_op_num_threads = 1
    try:
        # From bytes: weights that lie in further files, which nobody checks, are refused by ONNX Runtime then.
        session = onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
        return Model(folder, config, session)
    except Exception as error:  # onnxruntime's own errors have no common base
        raise ModelError(f"{shown(folder / config['weights'])} holds no network that can be run: {error}") from error
    return Model(folder, config, session)


def thread_count() -> int:
    """Threads that each process uses, as PARFOCAL_THREADS has it (ValueError where that is no such number)."""
    given = os.environ.get("PARFOCAL_THREADS", "1")
    if not given.isdecimal() or int(given) < 1:
        raise ValueError(f"PARFOCAL_THREADS must be a whole number from 1 on, got {given!r}")
    return int(given)


def checked_config(name_or_path: str | os.PathLike[str], task: str) -> tuple[Path, dict[str, Any]]:
    """Folder of a model and what its `config.json` says, without its weights.

    Raises
    ------
    ModelError
        Where there is none, or it is of another task or a newer format.
    """
    folder = model_folder(name_or_path, task).resolve()
    config = read_config(folder)
    version = config.get("format_version")
    if not isinstance(version, int):
        raise ModelError(
            f"{shown(folder / 'config.json')} is damaged: format_version must be a number, got {version!r}"
        )
    # Before anything else is read, which may have another meaning there.
    if version > FORMAT_VERSION:
        raise ModelError(
            f"{shown(folder)} has format {version}, this Parfocal reads up to {FORMAT_VERSION}: update Parfocal"
        )
    if config.get("task") != task:
        raise ModelError(f"{shown(folder)} is a model for {config.get('task')!r}, needed is one for {task!r}")
    return folder, config


def read_config(folder: Path) -> dict[str, Any]:
    """Read `config.json` of a model folder.

    Raises
    ------
    ModelError
        Where it is missing or no JSON.
    """
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelError(f"{shown(path)} is missing: this is no Parfocal model folder") from error
    # Brackets within brackets without end are a RecursionError.
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{shown(path)} is damaged: {error}") from error
    if not isinstance(config, dict):
        raise ModelError(f"{shown(path)} is damaged: it holds no settings")
    return config


def _checked_weights(folder: Path, config: dict[str, Any]) -> bytes:
    path, told = folder / str(config.get("weights")), shown(folder / str(config.get("weights")))
    if path.parent != folder:
        raise ModelError(f"{shown(folder / 'config.json')} is damaged: weights must name a file beside it")
    try:
        weights = path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"{told} cannot be read ({error.strerror or error}): copy the model folder again, whole"
        ) from error
    digest = hashlib.sha256(weights).hexdigest()
    if digest != config.get("sha256"):
        raise ModelError(f"{told} is damaged: its SHA-256 is {digest}, config.json says {config.get('sha256')}")
    return weights
