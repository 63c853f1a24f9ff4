"""What every part of the evaluation needs, and what each gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Optional

from parfocal.report.sections import Section

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Plan:
    """Arguments of the command, checked; see `evaluate_focal_position`."""

    output: Path
    images: Optional[str]
    listed: Optional[str]
    model: str
    stacks: int
    steps: int
    seed: int
    network: str = "default"

    def path(self, name: str) -> Path:
        """Path of a file or folder of the report; the report's own folder is made on the way."""
        self.output.mkdir(parents=True, exist_ok=True)
        return self.output / name


@dataclass(frozen=True)
class Found:
    """What a part found: the sections of the report, and the answers for single images."""

    sections: tuple[Section, ...]
    rows: pd.DataFrame = field(repr=False)
