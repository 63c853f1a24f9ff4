"""What was written into a Fiji."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

from parfocal.install.written import Written, read_written

MANIFEST = "parfocal.json"


@dataclass(frozen=True)
class Manifest(Written):
    """What `install` leaves beside the scripts; they read it too.

    Attributes
    ----------
    commands : dict
        What the scripts share of each command, by its name.
    """

    commands: dict[str, dict[str, Any]] = field(default_factory=dict)


def read_manifest(folder: Path) -> Optional[Manifest]:
    """Read the manifest of a folder of scripts; None where there is none, ValueError as `read_written`."""
    return read_written(Manifest, folder / MANIFEST)
