"""The list of what was written into a folder of another program, so that it can be replaced and taken away."""

from __future__ import annotations

import hashlib
import json
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

    def text(self) -> str:
        """Give it as JSON."""
        return json.dumps(asdict(self), indent=2) + "\n"

    def is_unchanged(self, path: Path) -> bool:
        """Whether a file is as it was written."""
        return path.is_file() and self.files.get(path.name) == digest(path.read_bytes())


Kind = TypeVar("Kind", bound=Written)


def read_written(kind: type[Kind], path: Path) -> Optional[Kind]:
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
        _check_names(written)
    except (AttributeError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(
            f"{path} is damaged, so that it is not known what was installed: delete this file, and install again"
        ) from error
    return written


def _check_names(written: Written) -> None:
    """Raise TypeError, ValueError where it lists no files, or such as lie elsewhere: they are to be removed one day."""
    if not isinstance(written.files, dict) or not written.files:
        raise TypeError("it lists no files")
    if any(Path(name).name != name for name in written.files):
        raise ValueError("it lists files that lie elsewhere")


def check_patience(patience_s: float) -> None:
    """Raise ValueError where a patience is out of range."""
    if not 1 <= patience_s <= _LONGEST_PATIENCE_S:
        raise ValueError(f"patience_s must be in [1, {_LONGEST_PATIENCE_S:g}] s, got {patience_s!r}")


def digest(content: bytes) -> str:
    """SHA-256 of the content of a file."""
    return hashlib.sha256(content).hexdigest()
