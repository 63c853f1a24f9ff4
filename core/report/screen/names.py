"""Names of files, with as much of their folders as tells them apart."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Names:
    """Files by their names.

    Attributes
    ----------
    folders, names : pandas.Series
        Of each file; the folder with `/` between its parts.
    ends : dict
        By folder the shortest end that no other folder has; empty where no two files have the same name.
    """

    folders: pd.Series
    names: pd.Series
    ends: dict[str, str]

    def short(self) -> pd.Series:
        """Name of each file, with the end of its folder where names alone do not tell files apart."""
        if not self.ends:
            return self.names
        ends = self.folders.map(self.ends)
        return ends.where(ends == "", ends + "/") + self.names


def names_of(files: pd.Series) -> Names:
    """Split paths, of whatever system, into folders and names."""
    parts = files.map(lambda file: file.replace("\\", "/").rpartition("/"))
    folders, names = parts.map(lambda part: part[0]), parts.map(lambda part: part[2])
    different = files.drop_duplicates().index
    twice = names[different].duplicated().any()
    return Names(folders, names, ends_of(set(folders)) if twice else {})


def ends_of(folders: set[str]) -> dict[str, str]:
    """Shortest end of each folder that no other has; all of it where it is the end of another."""
    parts = {folder: folder.split("/") for folder in folders}
    found = dict.fromkeys(folders, "")
    open_ends = set(folders)
    for length in range(1, 1 + max(map(len, parts.values()), default=0)):
        counts = Counter("/".join(names[-length:]) for names in parts.values())
        for folder in list(open_ends):
            end = "/".join(parts[folder][-length:])
            if counts[end] == 1 or length >= len(parts[folder]):
                found[folder] = end
                open_ends.discard(folder)
    return found
