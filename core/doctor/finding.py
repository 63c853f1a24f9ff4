"""What was found of one thing, and the looks that several checks share."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from parfocal.install.packages import extra_command
from parfocal.worker.process import environment

WORKS, MISSING, BROKEN = "works", "missing", "broken"
_PATIENCE_S = 180.0


@dataclass(frozen=True)
class Finding:
    """What was found of one thing.

    Attributes
    ----------
    what : str
    state : str
        `works`, `missing` (it is optional, and not installed) or `broken`.
    text : str
        Version, place, or what is wrong.
    remedy : str
        What to do about it, with the command; empty where it works.
    """

    what: str
    state: str
    text: str
    remedy: str = ""


def looked_up(what: str, packages: dict[str, str], extra: str, use: str, imported: bool = True) -> Finding:
    """Look for packages that belong together.

    Parameters
    ----------
    what : str
    packages : dict
        Names that they are installed by, by the names of their modules.
    extra : str
        Extra of Parfocal that has them.
    use : str
        What they are for.
    imported : bool
        Whether to import them; one that fails raises.
    """
    absent = [name for module, name in packages.items() if not _is_there(module)]
    if absent:
        return Finding(what, MISSING, f"not installed: {', '.join(absent)} ({use})", extra_command(extra))
    for module in packages if imported else ():
        import_module(module)
    return Finding(what, WORKS, ", ".join(f"{name} {version_of(name)}" for name in packages.values()))


def version_of(name: str) -> str:
    """Version of a package, as far as it states one."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "of no stated version"


def told_by_python(code: str) -> str:
    """Last line that a new process of this Python prints, so that what it loads or crashes on stays there.

    Raises
    ------
    OSError
        Where it fails; the text is its last line.
    """
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        env=environment(),
        encoding="utf-8",
        errors="replace",
        timeout=_PATIENCE_S,
    )
    if done.returncode:
        raise OSError((done.stderr.strip() or f"exit code {done.returncode}").split("\n")[-1])
    return done.stdout.strip().split("\n")[-1]


def _is_there(module: str) -> bool:
    """Whether a module can be found; of a name with dots the packages above it are imported on the way."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
