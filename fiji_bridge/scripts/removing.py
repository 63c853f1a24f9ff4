"""Taking the scripts away again."""

from __future__ import annotations

import os
from pathlib import Path

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
    written = [folder / name for name in manifest.files if (folder / name).exists()]
    kept = [path for path in written if not manifest.is_unchanged(path)]
    removed = [path for path in written if path not in kept]
    for path in (*removed, folder / MANIFEST):
        path.unlink()
    for made in manifest.made:
        if (root / made).is_dir() and not any((root / made).iterdir()):
            (root / made).rmdir()
    return removed, kept
