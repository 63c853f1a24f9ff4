"""What was written into a folder of another program, so that it can be replaced and taken away, and nothing else."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Optional, TypeVar

PATIENCE_S = 300.0
_LONGEST_PATIENCE_S = 86400.0


@dataclass(frozen=True)
class Written:
    """What an installation leaves beside the files that it wrote; they read it too.

    Attributes
    ----------
    parfocal : str
        Version that wrote the files.
    python : str
        Python that runs the worker.
    patience_s : float
        Time without a sign of life after which the worker is ended.
    files : dict
        SHA-256 of each file that was written, by name.
    made : tuple of str
        Folders that were made for them, relative to the folder of the program, the innermost first.
    """

    parfocal: str = ""
    python: str = ""
    patience_s: float = 0.0
    files: dict[str, str] = field(default_factory=dict)
    made: tuple[str, ...] = ()

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        write_whole(path, json.dumps(asdict(self), indent=2) + "\n")

    def is_unchanged(self, path: Path) -> bool:
        """Whether a file is as it was written."""
        return self.files.get(path.name) == digest(path.read_bytes())


_Kind = TypeVar("_Kind", bound=Written)


def read_written(kind: type[_Kind], path: Path) -> Optional[_Kind]:
    """Read what an installation of whatever version has left; None where there is none.

    Raises
    ------
    ValueError
        Where it is damaged, or not Parfocal's.
    """
    if not path.exists():
        return None
    known = {part.name for part in fields(kind)}
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
        written = kind(**{name: value for name, value in read.items() if name in known})
        if not isinstance(written.files, dict) or not written.files:
            raise TypeError("it lists no files")
    except (AttributeError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} is damaged, so that it is not known what was installed: delete this file, and install again"
        ) from error
    return written


def check_patience(patience_s: float) -> None:
    """Raise ValueError where a patience is out of range."""
    if not 1 <= patience_s <= _LONGEST_PATIENCE_S:
        raise ValueError(f"patience_s must be in [1, {_LONGEST_PATIENCE_S:g}] s, got {patience_s!r}")


def check_free(folder: Path, texts: dict[str, str], before: Optional[Written]) -> None:
    """Raise FileExistsError where a file is in the way that no installation wrote, or that was changed since."""
    for name, text in texts.items():
        path = folder / name
        if not path.exists() or path.read_bytes() == text.encode():
            continue
        if before is None or name not in before.files:
            raise FileExistsError(f"{path} is in the way and was not written by parfocal install: move it away first")
        if not before.is_unchanged(path):
            raise FileExistsError(f"{path} was changed since parfocal install wrote it: move it away first")


def make_folders(root: Path, folder: Path) -> list[str]:
    """Make a folder; those that were made, relative to the root, the innermost first."""
    missing = [path for path in (folder, *folder.parents) if root in path.parents and not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return [path.relative_to(root).as_posix() for path in missing]


def write_files(folder: Path, texts: dict[str, str], before: Optional[Written]) -> dict[str, str]:
    """Write files, and remove unchanged ones that an older version wrote and this one does not; gives their digests."""
    for name, text in texts.items():
        write_whole(folder / name, text)
    for name in before.files if before else ():
        path = folder / name
        if before and name not in texts and path.exists() and before.is_unchanged(path):
            path.unlink()
    return {name: digest(text.encode()) for name, text in texts.items()}


def remove_files(root: Path, told: Path, written: Written) -> tuple[list[Path], list[Path]]:
    """Remove the files of an installation, `told`, which lists them, and the folders made for them where empty then.

    Returns
    -------
    removed : list of Path
    kept : list of Path
        Files that were changed since they were written.
    """
    there = [told.parent / name for name in written.files if (told.parent / name).exists()]
    kept = [path for path in there if not written.is_unchanged(path)]
    removed = [path for path in there if path not in kept]
    for path in (*removed, told):
        path.unlink()
    for made in written.made:
        if (root / made).is_dir() and not any((root / made).iterdir()):
            (root / made).rmdir()
    return removed, kept


def digest(content: bytes) -> str:
    """SHA-256 of the content of a file."""
    return hashlib.sha256(content).hexdigest()


def write_whole(path: Path, text: str) -> None:
    """Write a file so that a crash leaves the old one or the new one."""
    partial = path.with_name(path.name + ".part")
    partial.write_bytes(text.encode())
    os.replace(partial, path)
