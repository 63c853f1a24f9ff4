"""Where the modules' engine runs: in this Python, or in a worker in another one that has Parfocal.

`parfocal install cellprofiler` writes a file beside the modules that says which Python that is, and where the parts of
Parfocal lie that need nothing but numpy: results and their names are of the same classes in both ways. Where Parfocal
is installed in CellProfiler's own Python, it is used there and the file does not matter.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache
from importlib.abc import MetaPathFinder
from importlib.util import find_spec, spec_from_file_location
from pathlib import Path
from typing import Any, Optional

FILE = "_parfocal_engine.json"
_TEXTS, _PACKAGES = ("python", "parfocal"), ("parfocal", "parfocal.models")
_STACK_BYTES = 64 * 2**20


class Lost(RuntimeError):
    """The worker was lost at this call, and the next call gets a new one; the text says how."""


def call(name: str, *arguments: Any, **named: Any) -> Any:
    """Call a function of `parfocal.worker.calls`, wherever it is; it gives the same result, or raises the same error.

    Raises
    ------
    ImportError
        Where there is no Parfocal.
    parfocal.worker.client.EngineError
        Where it is in another Python, and no worker can be started there.
    Lost
        Where its worker died twice at this call, or gave no sign of life.
    """
    from parfocal.worker.calls import function_of

    client = _client()
    if client is None:
        return with_room(function_of(name), *arguments, **named)
    from parfocal.worker.client import CallLost

    try:
        return client.call(name, *arguments, **named)
    except CallLost as error:
        raise Lost(str(error)) from error


def with_room(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a function in a thread of its own with 64 MiB of stack.

    In CellProfiler's window the Java VM leaves the main thread a small stack, on which the LAPACK of numpy, when it
    runs on several cores, ends the whole program without a word.
    """
    before = threading.stack_size(_STACK_BYTES)
    try:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(function, *args, **kwargs).result()
    finally:
        threading.stack_size(before)


@lru_cache(maxsize=1)
def _client() -> Any:
    """The client of this process, which starts its worker at the first call; None where the engine is here."""
    told = _settings()
    if told is None:
        return None
    from parfocal.worker.client import Client

    return Client(told["python"], told["parfocal"], told["patience_s"], advice())


def is_elsewhere() -> bool:
    """Say whether the engine is to be in another Python: Parfocal is not installed here, and a file names one."""
    return _file().is_file() and not _installed()


def advice() -> str:
    """What a person can do where the other Python fails."""
    told = "in a Python that has Parfocal, run parfocal install cellprofiler"
    # As Parfocal brings them the modules are a package: nothing is installed into that folder.
    if _file().with_name("__init__.py").is_file() and not _file().is_file():
        return f"{told} FOLDER with an empty folder of your own, and make that CellProfiler's plugins folder"
    return f'{told} "{_file().parent}"'


def trouble(error: ImportError) -> str:
    """Why a part of Parfocal is not found where the engine is to be in another Python, and what to do."""
    try:
        packages = (_settings() or {}).get("packages", {})
    except ValueError as damaged:
        return str(damaged)
    gone = [place for place in packages.values() if not Path(place).is_dir()]
    return f"{f'Parfocal is no longer in {gone[0]}' if gone else error}: {advice()}"


@lru_cache(maxsize=1)
def _settings() -> Optional[dict[str, Any]]:
    """What the file says (ValueError where it is damaged); None where the engine is here."""
    if not is_elsewhere():
        return None
    try:
        told = json.loads(_file().read_text(encoding="utf-8"))
        patience_s, packages = float(told["patience_s"]), {str(name): str(told["packages"][name]) for name in _PACKAGES}
        return {**{name: str(told[name]) for name in _TEXTS}, "patience_s": patience_s, "packages": packages}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{_file()} is damaged: delete it, and {advice()}") from error


def _file() -> Path:
    return Path(__file__).resolve().with_name(FILE)


def _installed() -> bool:
    if any(type(finder).__name__ == _Elsewhere.__name__ for finder in sys.meta_path):
        return False
    found = find_spec("parfocal")
    # A folder of that name on the path is a namespace, which has no file.
    return found is not None and found.origin is not None


class _Elsewhere(MetaPathFinder):
    """Finds the packages of Parfocal where they lie, and nothing else of the other Python."""

    def __init__(self, places: dict[str, str]) -> None:
        self._places = places

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Describe a package of Parfocal to Python; None for any other, and for one that is there no more."""
        if name not in self._places:
            return None
        begin = Path(self._places[name]) / "__init__.py"
        places = {"submodule_search_locations": [str(begin.parent)]}
        return spec_from_file_location(name, begin, **places) if begin.is_file() else None


def _reach() -> None:
    """Make Parfocal's packages known to this Python; a module whose import fails would vanish without a word."""
    with suppress(ValueError):
        told = _settings()
        if told is not None:
            sys.meta_path.insert(0, _Elsewhere(told["packages"]))


_reach()
