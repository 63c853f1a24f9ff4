"""One file of a screen: which one, what a list says of it, and the name that what is written of it gets."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path

from parfocal.images.ome_zarr import zarr_root


@dataclass(frozen=True)
class ScreenTask:
    """One file to work on.

    Attributes
    ----------
    path : str
        Absolute: the process that works on it may run elsewhere.
    told : dict
        Columns that a list states of it (`plate`, `well`, `site`, `channel_name`): they count more than names of files.
    problem : str
        Why there is nothing to work on, such as a folder that cannot be listed; empty else.
    alike : bool
        Another file has the same name but for capitals, which some disks do not tell apart.
    listed : bool
        A list names it: its rows come in the order of the list.
    """

    path: str
    told: dict[str, str] = field(default_factory=dict)
    problem: str = ""
    alike: bool = False
    listed: bool = False

    @property
    def shown(self) -> str:
        """The path as the table has it; bytes that are no text are spelled out."""
        return self.path.encode("utf-8", "backslashreplace").decode()

    @property
    def key(self) -> int:
        """Number of 64 bits by which the file is known: of a million files two are alike with a chance of 3e-8."""
        return key_of(self.shown)

    @property
    def name(self) -> str:
        """Name for what is written of it, with `/`: no other file has the same, whatever else is listed.

        The file's own name in a folder called as the folder it lies in, with a number that stands for where that is,
        and for the very name where another is alike.
        """
        path = Path(self.shown)
        root = zarr_root(path)
        folder, name = (path.parent, path.name) if root is None else (root.parent, "_".join(_below(path, root)))
        stands_for = folder / name if self.alike else folder
        digest = hashlib.sha256(os.path.normcase(stands_for).encode()).hexdigest()[:8]
        return f"{folder.name or 'root'}-{digest}/{name}"


def key_of(shown: str) -> int:
    """Key of a file by its path as the table has it."""
    return int.from_bytes(hashlib.blake2b(os.path.normcase(shown).encode(), digest_size=8).digest(), "little")


def folded_key(shown: str) -> int:
    """Key that is the same for files whose paths differ in nothing but capitals."""
    return key_of(shown.casefold())


def _below(path: Path, root: os.PathLike[str]) -> tuple[str, ...]:
    return (Path(root).name, *path.relative_to(root).parts)
