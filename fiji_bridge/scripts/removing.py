"""Taking the scripts away again."""

from __future__ import annotations

import os
from pathlib import Path

from parfocal.install.written import remove_files

from .folder import SCRIPTS, fiji_folder
from .manifest import MANIFEST, read_manifest


def uninstall(fiji: str | os.PathLike[str]) -> tuple[list[Path], list[Path]]:
    """Remove what `install` has written into a Fiji, and the folders that it made where they are empty then.

    Parameters
    ----------
    fiji : path
        Folder of the Fiji.

    Returns
    -------
    removed : list of Path
    kept : list of Path
        Files that were changed since they were written.

    Raises
    ------
    FileNotFoundError
        Where there is no Fiji, or nothing was installed.
    ValueError
        Where it is not known what was installed.
    """
    root = fiji_folder(fiji)
    folder = root / SCRIPTS
    manifest = read_manifest(folder)
    if manifest is None:
        raise FileNotFoundError(f"nothing of Parfocal is installed in {root}: there is no {folder / MANIFEST}")
    return remove_files(root, folder / MANIFEST, manifest)
