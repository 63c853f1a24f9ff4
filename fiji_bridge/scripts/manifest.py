"""What was written into a Fiji."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from parfocal.install.place import Place
from parfocal.install.written import Written

from .folder import SCRIPTS

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


def place_in(fiji: Path) -> Place[Manifest]:
    """Where the scripts lie in the folder of a Fiji."""
    return Place(fiji, fiji / SCRIPTS, MANIFEST, Manifest)
