"""What every use of Parfocal needs: Python, libraries, models, room to work."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from parfocal.doctor.finding import BROKEN, WORKS, Finding, version_of
from parfocal.install.packages import install_command

_LEAST_ROOM_GB = 1.0
# Folders in a clone that are used for examples and tests.
_OF_THE_PROJECT = (".venv", ".venv-cp")


def again() -> str:
    """Say how Parfocal is installed again."""
    return f"install Parfocal again, in its folder: {install_command('--force-reinstall --no-deps -e .')}"


def python() -> list[Finding]:
    """Python and Parfocal, with their folders."""
    import parfocal

    home = Path(str(parfocal.__file__)).parent
    told = f"{sys.version.split()[0]}, {sys.executable}"
    if _is_of_the_project(Path(sys.prefix), home.parent):
        told += " (an environment of the project's own examples and tests: put extras into one of yours)"
    return [Finding("Python", WORKS, told), Finding("Parfocal", WORKS, f"{version('parfocal')}, {home}")]


def _is_of_the_project(environment: Path, project: Path) -> bool:
    """Whether an environment is one that the scripts of a clone make and bring up to date."""
    return environment.parent == project and environment.name in _OF_THE_PROJECT


def libraries() -> Finding:
    """numpy, scipy and ONNX Runtime, imported."""
    import numpy
    import onnxruntime
    import scipy.ndimage  # noqa: F401

    told = f"numpy {numpy.__version__}, scipy {version_of('scipy')}, ONNX Runtime {onnxruntime.__version__}"
    return Finding("libraries", WORKS, told)


def models() -> list[Finding]:
    """Every model that ships."""
    from parfocal.registry import shipped_models

    found = [model(folder) for folder in shipped_models()]
    return found or [Finding("models", BROKEN, "none is there", again())]


def model(folder: Path) -> Finding:
    """One model, with all its networks: config, checksums, and that the runtime opens it."""
    from parfocal.registry import ModelError, load_model, read_config
    from parfocal.sorting.members import load_sorter

    name = f"model {folder.parent.name}/{folder.name}"
    try:
        config = read_config(folder)
        if config.get("task") == "sorting":
            load_sorter(folder)
        else:
            load_model(folder, folder.parent.name)
        _check_further(folder, config)
    except ModelError as error:
        return Finding(name, BROKEN, str(error), again())
    return Finding(name, WORKS, f"SHA-256 {str(config['sha256'])[:12]} as stated, opened by ONNX Runtime")


def _check_further(folder: Path, config: dict[str, object]) -> None:
    """Raise ModelError where a file beside the weights is not the one that the config states."""
    from parfocal.registry import ModelError

    for key in ("profiles", "known", "start"):
        if key not in config:
            continue
        path, stated = folder / str(config[key]), config.get(f"{key}_sha256")
        if not path.is_file():
            raise ModelError(f"{path} is missing")
        if stated and hashlib.sha256(path.read_bytes()).hexdigest() != stated:
            raise ModelError(f"{path} is damaged: its SHA-256 is not that of config.json")


def temporary_folder() -> Finding:
    """Where files are put for a while: writable, with room."""
    what, folder = "temporary folder", tempfile.gettempdir()
    remedy = "set the environment variable TMPDIR (Windows: TEMP) to a folder with room that you may write into"
    try:
        with tempfile.NamedTemporaryFile(prefix="parfocal-doctor-") as file:
            file.write(b"parfocal")
        free = shutil.disk_usage(folder).free / 1e9
    except OSError as error:
        return Finding(what, BROKEN, f"{folder} cannot be written into: {error}", remedy)
    state = WORKS if free >= _LEAST_ROOM_GB else BROKEN
    return Finding(what, state, f"{folder}, {free:.1f} GB free", "" if state == WORKS else remedy)


def processors() -> Finding:
    """Cores, and the threads that each process uses."""
    from parfocal.registry import thread_count

    what = "processors"
    try:
        threads = thread_count()
    except ValueError as error:
        return Finding(what, BROKEN, str(error), "set PARFOCAL_THREADS to 1, or take it away")
    told = f"{os.cpu_count()} cores, {threads} thread(s) a process (PARFOCAL_THREADS); no GPU is needed or used"
    return Finding(what, WORKS, told)
