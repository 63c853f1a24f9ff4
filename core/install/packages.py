"""Commands that install packages, as they work in a Python that may have no pip, on the system that this is."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from functools import lru_cache

# Of environments that uv made there may be neither, of Python as Debian has it no ensurepip.
_TELL = "from importlib.util import find_spec; print(*(name for name in ('pip', 'ensurepip') if find_spec(name)))"
_PATIENCE_S = 30.0


def extra_command(extra: str, python: str = sys.executable) -> str:
    """Command that installs an extra of Parfocal."""
    # In double quotes, since the shell of Windows takes single ones for part of the name.
    return "in Parfocal's folder: " + install_command(f'-e ".[{extra}]"', python)


def install_command(what: str, python: str = sys.executable) -> str:
    """Command that installs packages into a Python.

    Parameters
    ----------
    what : str
        Packages and options, as pip takes them on the command line.
    python : str
        Program of that Python.
    """
    tools, program = _tools_of(python), quoted(python)
    if "pip" in tools:
        return f"{program} -m pip install {what}"
    if shutil.which("uv"):
        return f"uv pip install --python {program} {what}"
    if "ensurepip" in tools:
        return f"{program} -m ensurepip, then {program} -m pip install {what}"
    return f"install uv (https://docs.astral.sh/uv), then uv pip install --python {program} {what}"


def quoted(word: str) -> str:
    """A word as the shell of this system takes it."""
    return subprocess.list2cmdline([word]) if os.name == "nt" else shlex.quote(word)


@lru_cache(maxsize=4)
def _tools_of(python: str) -> tuple[str, ...]:
    """Which of pip and ensurepip a Python has; of one that cannot be asked it is pip, as most have."""
    from parfocal.worker.process import environment

    asked = [python, "-c", _TELL]
    try:
        told = subprocess.run(asked, capture_output=True, env=environment(), text=True, timeout=_PATIENCE_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return ("pip",)
    return tuple(told.stdout.split())
