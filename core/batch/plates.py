"""Names of plates that neither a list nor a file states: by the folders of the images, and by their names."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple, Optional

from parfocal.batch.places import place_of, well_name

# Folders within one plate: images of several of them belong together.
_WITHIN = re.compile(r"(timepoint|zstep|z|t|site|field|position|pos|xy)[_ ]?\d+", re.IGNORECASE)
# Folders that microscopes put between that of a plate and its images.
_BETWEEN = re.compile(r"images?|tiffs?|data|raw", re.IGNORECASE)
_DIGIT = re.compile(r"\d")
_WELL = re.compile(r"well[_ ]?", re.IGNORECASE)
Folders = tuple[str, ...]


class _Lying(NamedTuple):
    """Where an image lies: folders without those within a plate, also without one of its well, and name before it."""

    folders: Folders
    without_well: Folders
    before: str


class PlateNames:
    """Names of the plates of images whose wells are known, by what tells their files apart.

    Where they lie in several folders a plate is a folder, named from below the one that all share; where a folder holds
    several names before the well (`P1_A01.tif`, `P2_A01.tif`), each is a plate of its own. Where they lie in one folder
    a plate is the name before the well if that holds a digit, else the folder. Folders of time points, planes, sites
    and wells are within a plate.

    Parameters
    ----------
    files : iterable of str
        All that are to be told apart; whole paths, of any system.
    """

    def __init__(self, files: Iterable[str]) -> None:
        lying = {_lying(file) for file in files}
        self._by_well = all(place.folders != place.without_well for place in lying)
        befores: dict[Folders, set[str]] = defaultdict(set)
        for place in lying:
            befores[self._folders(place)].add(place.before)
        self._names = _names(befores)

    def of(self, file: str) -> str:
        """Plate of one of the files; empty where nothing names one."""
        place = _lying(file)
        return self._names.get((self._folders(place), place.before), "")

    def filled(self, files: Iterable[str], wells: Iterable[str], told: Iterable[str]) -> list[str]:
        """Plates of images: as told, else by their files; none for images of no known well."""
        return [plate or (self.of(file) if well else "") for file, well, plate in zip(files, wells, told)]

    def _folders(self, place: _Lying) -> Folders:
        return place.without_well if self._by_well else place.folders


def plates_of(files: Sequence[str], wells: Sequence[str], told: Sequence[str]) -> list[str]:
    """Plates of the images of a table: as told, else by the files of those whose plate is not told."""
    return PlateNames(untold(files, wells, told)).filled(files, wells, told)


def untold(files: Iterable[str], wells: Iterable[str], told: Iterable[str]) -> Iterator[str]:
    """Files of images whose well is known and whose plate is not."""
    return (file for file, well, plate in zip(files, wells, told) if well and not plate)


def _lying(file: str) -> _Lying:
    cut = max(file.rfind("/"), file.rfind("\\"))
    place, (folders, well, without_well) = place_of(file[cut + 1 :]), _folders_of(file[:cut] if cut >= 0 else None)
    if place is None:
        return _Lying(folders, folders, "")
    before = place.before if _DIGIT.search(place.before) else ""
    return _Lying(folders, without_well if well == place.well else folders, before)


# Files of one folder follow each other.
@lru_cache(maxsize=256)
def _folders_of(folder: Optional[str]) -> tuple[Folders, str, Folders]:
    """Folders without those within a plate, the well that the last is called after, and those without it."""
    folders = () if folder is None else _without_inner(tuple(re.split(r"[\\/]", folder)))
    return folders, well_name(_WELL.sub("", folders[-1])) if folders else "", _without_inner(folders[:-1])


def _without_inner(folders: Folders) -> Folders:
    while folders and _WITHIN.fullmatch(folders[-1]):
        folders = folders[:-1]
    return folders


def _names(befores: dict[Folders, set[str]]) -> dict[tuple[Folders, str], str]:
    if not befores:
        return {}
    if len(befores) == 1:
        ((folders, found),) = befores.items()
        own = next((name for name in reversed(folders) if name and not _BETWEEN.fullmatch(name)), "")
        # A file or two that are named otherwise are of the plate that the others name.
        others = min(found - {""}, default="") if len(found - {""}) == 1 else own.split("__")[0]
        return {(folders, before): before or others for before in found}
    names = _short(list(befores))
    return {
        (folders, before): "/".join(filter(None, (names[folders], before if len(found - {""}) > 1 else "")))
        for folders, found in befores.items()
        for before in found
    }


def _short(several: list[Folders]) -> dict[Folders, str]:
    """Names of several folders, all different: what they share is left out, as far as something is left of each."""
    shared = min(len(os.path.commonprefix(several)), *(max(len(folders) - 1, 0) for folders in several))
    below = {folders: folders[shared:] for folders in several}
    while len({names[-1:] for names in below.values()}) == 1 and all(
        len(names) > 1 and _BETWEEN.fullmatch(names[-1]) for names in below.values()
    ):
        below = {folders: names[:-1] for folders, names in below.items()}
    whole = {folders: "/".join(names) for folders, names in below.items()}
    # Opera and Operetta put date and number of the measurement behind: 1234__2020-01-31T10_11_12-Measurement 1.
    short = {folders: "/".join(name.split("__")[0] for name in names) for folders, names in below.items()}
    return short if len(set(short.values())) == len(short) else whole
