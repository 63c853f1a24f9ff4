"""Packages of a model: looked through before anything is written, and unpacked for this process alone."""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
import threading
import zipfile
from functools import lru_cache
from pathlib import Path

from parfocal.registry import ModelError
from parfocal.system_errors import told_plainly

SUFFIX, CONFIG = ".zip", "config.json"
MOST_FILES = 64
MOST_BYTES = 2**30
# What an archive of one folder without folders in it has: no separator, no drive, nothing that begins with a dot, none
# of the names that are devices on Windows, and none that is too long for a disk.
_PLAIN = re.compile(
    r"(?!(con|prn|aux|nul|com\d|lpt\d)(\.|$))[a-z0-9_]([a-z0-9_.+-]{0,98}[a-z0-9_+-])?", re.IGNORECASE | re.ASCII
)
# The others have no bound on what they unpack at once.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
_DESCRIPTIONS = ("bioimageio.yaml", "rdf.yaml", "model.yaml")
_UNPACKING = threading.Lock()
# Their folders are removed when the process ends.
_FOLDERS: list[tempfile.TemporaryDirectory[str]] = []


def unpacked(package: Path) -> Path:
    """Folder with the files of a package as `parfocal.sharing.export` writes them, for as long as the process lives.

    Raises
    ------
    parfocal.registry.ModelError
        Where it is no archive or no model of Parfocal, or where a file in it would not stay in its folder, is a link,
        encrypted or damaged, or there are more than 64 files or 1 GiB; nothing is left behind then.
    """
    state = package.stat()
    with _UNPACKING:
        return _unpacked(package.resolve(), state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=64)
def _unpacked(package: Path, changed_ns: int, size: int) -> Path:
    """One folder for each state of a package: a file that was replaced is unpacked again."""
    try:
        with told_plainly(f"{package} cannot be unpacked"), zipfile.ZipFile(package) as archive:
            return _written(package, archive, _checked(package, archive.infolist()))
    except ModelError:
        raise
    except OSError as error:
        raise ModelError(str(error)) from error
    except Exception as error:  # zipfile raises whatever comes of what it reads
        raise ModelError(f"{package} cannot be unpacked ({error}): copy or export it again") from error


def _checked(package: Path, members: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    for member in members:
        problem = _problem(member)
        if problem:
            raise ModelError(f"{package} is refused: {member.orig_filename!r} in it {problem}")
    names = {member.filename.lower() for member in members}
    total = sum(member.file_size for member in members)
    if len(names) < len(members):
        raise ModelError(f"{package} is refused: two files in it have one name")
    if len(members) > MOST_FILES or total > MOST_BYTES:
        raise ModelError(
            f"{package} is refused: it has {len(members)} files of {total} bytes together, "
            f"allowed are {MOST_FILES} files and {MOST_BYTES} bytes"
        )
    if CONFIG not in names:
        told = "a model of bioimage.io, but none" if names.intersection(_DESCRIPTIONS) else "no model"
        raise ModelError(f"{package} is {told} of Parfocal (it has no {CONFIG}): give one that parfocal export wrote")
    return members


def _problem(member: zipfile.ZipInfo) -> str:
    """Say why a file must not be unpacked, or nothing."""
    kind = stat.S_IFMT(member.external_attr >> 16)
    if not _PLAIN.fullmatch(member.orig_filename):
        return "is no plain file name: a package has no folders in it, and nothing may lie outside it"
    if kind not in (0, stat.S_IFREG):
        return "is a link, or something else that is not a file"
    if member.flag_bits & _ENCRYPTED:
        return "is encrypted"
    return "" if member.compress_type in _METHODS else "is compressed in another way than by deflate"


def _written(package: Path, archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> Path:
    place = tempfile.TemporaryDirectory(prefix="parfocal-model-")
    try:
        # Named as the package, since results name the model by its folder.
        folder = Path(place.name) / (package.stem.strip(".") or "model")
        folder.mkdir()
        for member in members:
            with archive.open(member) as packed, open(os.path.join(folder, member.filename), "xb") as out:
                shutil.copyfileobj(packed, out)
    except BaseException:
        place.cleanup()
        raise
    _FOLDERS.append(place)
    return folder
