"""CellProfiler's modules in a plugins folder, with an engine in another Python."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Optional

from parfocal.install.other_python import checked_python, packages_of
from parfocal.install.place import Place, whole_path
from parfocal.install.written import PATIENCE_S, Written, check_patience
from parfocal.system_errors import told_plainly

# The modules read it too (`cp_plugins/_parfocal_engine.py`).
FILE = "_parfocal_engine.json"


@dataclass(frozen=True)
class Modules(Written):
    """What `install` leaves beside the modules.

    Attributes
    ----------
    packages : dict
        Folders of Parfocal's packages, of which the modules use what needs nothing but numpy.
    """

    packages: dict[str, str] = field(default_factory=dict)


def install(
    folder: str | os.PathLike[str], python: Optional[str] = None, patience_s: float = PATIENCE_S
) -> tuple[Path, str, list[str]]:
    """Write the modules into a plugins folder of a CellProfiler that needs no Parfocal of its own.

    What an earlier call wrote is replaced.

    Parameters
    ----------
    folder : path
        Plugins folder; it is made where the folder around it is there.
    python : str, optional
        Program of the Python that runs the engine, this one by default; it must have Parfocal of this version with the
        extra `worker`.
    patience_s : float
        Time without a sign of life after which the worker is ended, s.

    Returns
    -------
    folder : Path
    python : str
        Whole path of that Python.
    names : list of str
        Of the modules.

    Raises
    ------
    OSError
        Where there is no such folder or Python, it cannot be written into, or a file is in the way that was not written
        by an earlier call or was changed since; all is then as it was.
    ImportError
        Where Parfocal does not run in that Python.
    ValueError
        Where it is another version there, the folder is Parfocal's own, or the patience is out of range.
    """
    check_patience(patience_s)
    plugins, texts = _plugins_folder(folder), _texts()
    chosen = checked_python(python or sys.executable)
    packages = packages_of(chosen)
    place_in(plugins).put(texts, Modules(version("parfocal"), chosen, patience_s, packages=packages))
    return plugins, chosen, [name[:-3] for name in texts if not name.startswith("_")]


def uninstall(folder: str | os.PathLike[str]) -> tuple[list[Path], list[Path]]:
    """Remove what `install` has written, and the folder where it was made for it and is empty then.

    Returns
    -------
    removed : list of Path
    kept : list of Path
        Files that were changed since they were written.

    Raises
    ------
    OSError
        Where nothing was installed, or it cannot be removed.
    ValueError
        Where it is not known what was installed.
    """
    place = place_in(whole_path(folder))
    modules = place.written()
    with told_plainly(f"what Python has made of the modules cannot be removed from {place.folder}"):
        _remove_compiled(place.folder, modules)
    return place.take_away(modules)


def place_in(plugins: Path) -> Place[Modules]:
    """Where the modules lie in a plugins folder."""
    return Place(plugins.parent, plugins, FILE, Modules)


def _remove_compiled(plugins: Path, modules: Modules) -> None:
    """Remove what Python has made of the modules; of other plugins it stays."""
    cache = plugins / "__pycache__"
    for compiled in list(cache.glob("*.pyc")):
        if f"{compiled.name.split('.')[0]}.py" in modules.files:
            compiled.unlink()
    if cache.is_dir() and not any(cache.iterdir()):
        cache.rmdir()


def _plugins_folder(given: str | os.PathLike[str]) -> Path:
    folder = whole_path(given)
    right = "give CellProfiler's plugins folder (File > Preferences > Plugins directory)"
    if folder == own_folder():
        raise ValueError(f"{folder} is Parfocal's own folder: give CellProfiler's plugins folder, or one of your own")
    with told_plainly(f"{folder} cannot be looked into"):
        if folder.exists() and not folder.is_dir():
            raise NotADirectoryError(f"{folder} is a file: {right}")
        if not folder.parent.is_dir():
            raise FileNotFoundError(f"no folder {folder}: {right}")
    return folder


def own_folder() -> Path:
    """Folder of the modules as Parfocal brings them."""
    import parfocal.cp_plugins

    return Path(next(iter(parfocal.cp_plugins.__path__))).resolve()


def _texts() -> dict[str, str]:
    files = [path for path in sorted(own_folder().glob("*.py")) if path.name != "__init__.py"]
    return {path.name: path.read_text(encoding="utf-8") for path in files}
