"""What was written into a Fiji, so that it can be replaced and taken away, and nothing else."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

MANIFEST = "parfocal.json"


@dataclass(frozen=True)
class Manifest:
    """What `install` leaves beside the scripts; they read it too.

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
    commands : dict
        What the scripts share of each command, by its name.
    made : tuple of str
        Folders that were made for them, relative to the Fiji, the innermost first.
    """

    parfocal: str = ""
    python: str = ""
    patience_s: float = 0.0
    commands: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    made: tuple[str, ...] = ()

    def write(self, folder: Path) -> None:
        """Write it into the folder of the scripts."""
        write_whole(folder / MANIFEST, json.dumps(asdict(self), indent=2) + "\n")

    def is_unchanged(self, path: Path) -> bool:
        """Whether a file is as it was written."""
        return self.files.get(path.name) == digest(path.read_bytes())


def read_manifest(folder: Path) -> Manifest | None:
    """Read the manifest of a folder of scripts, of whatever version; None where there is none.

    Raises
    ------
    ValueError
        Where it is damaged, or not Parfocal's.
    """
    path = folder / MANIFEST
    if not path.exists():
        return None
    known = {part.name for part in fields(Manifest)}
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
        manifest = Manifest(**{name: value for name, value in read.items() if name in known})
        if not isinstance(manifest.files, dict) or not manifest.files:
            raise TypeError("it lists no files")
    except (AttributeError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} is damaged, so that it is not known what was installed: take the folder away by hand"
        ) from error
    return manifest


def digest(content: bytes) -> str:
    """SHA-256 of the content of a file."""
    return hashlib.sha256(content).hexdigest()


def write_whole(path: Path, text: str) -> None:
    """Write a file so that a crash leaves the old one or the new one."""
    partial = path.with_name(path.name + ".part")
    partial.write_bytes(text.encode())
    os.replace(partial, path)
