"""Another Python that is to run Parfocal for a program."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

from parfocal.install.packages import extra_command, quoted
from parfocal.worker.process import environment

# What a host needs to know, told by that Python itself; what fails to be imported there would fail in the worker.
_TELL = """
import sys
sys.path[:] = [p for p in sys.path if p]
import json
from importlib.metadata import version
from os.path import abspath, dirname
import parfocal.models, parfocal.worker.tasks
import appose, onnxruntime
packages = {p.__name__: dirname(abspath(p.__file__)) for p in (parfocal, parfocal.models)}
print(json.dumps({"parfocal": version("parfocal"), "packages": packages}))
"""
_PATIENCE_S = 120.0


def checked_python(given: str) -> str:
    """Whole path of the program of a Python, such as `ENVIRONMENT/bin/python`, or of its name on the path.

    Raises
    ------
    FileNotFoundError
        Where there is none; the message says what would be right.
    """
    expanded = os.path.expanduser(given)
    found = None if os.path.isdir(expanded) else shutil.which(expanded)
    if found is None:
        raise FileNotFoundError(
            f"no Python at {given}: give the path of its program, such as {Path(given, *_program()).as_posix()}"
        )
    # Links are kept: the program of an environment is one.
    return os.path.abspath(found)


def _program() -> tuple[str, ...]:
    return ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")


def packages_of(python: str) -> dict[str, str]:
    """Folders of Parfocal's packages in a Python, by name.

    Raises
    ------
    ImportError
        Where Parfocal does not run there.
    ValueError
        Where it is another version than this one.
    """
    try:
        done = subprocess.run(
            [python, "-c", _TELL],
            capture_output=True,
            env=environment(),
            encoding="utf-8",
            errors="replace",
            timeout=_PATIENCE_S,
        )
        told = json.loads(done.stdout.strip().split("\n")[-1])
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        words = done.stderr.strip().split("\n")[-1] if isinstance(error, ValueError) else str(error)
        raise ImportError(
            f"Parfocal does not run in {python} ({words}): install it there, {extra_command('worker', python)}"
        ) from error
    if told["parfocal"] != version("parfocal"):
        raise ValueError(
            f"{python} has Parfocal {told['parfocal']}, this is {version('parfocal')}: install with that one, by "
            f"{quoted(python)} -m parfocal.cli install"
        )
    return {str(name): str(place) for name, place in told["packages"].items()}
