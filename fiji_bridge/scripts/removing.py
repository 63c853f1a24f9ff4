"""Taking the scripts away again."""

from __future__ import annotations

import os
from pathlib import Path

from .folder import fiji_folder
from .manifest import place_in


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
    OSError
        Where there is no Fiji, nothing was installed, or it cannot be removed.
    ValueError
        Where it is not known what was installed.
    """
    place = place_in(fiji_folder(fiji))
    return place.take_away(place.written())
