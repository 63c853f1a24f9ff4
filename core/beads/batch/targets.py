"""Planes that are named by their distance from the reference focal plane."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

_NAME = re.compile(r"[\w .+-]+")


@dataclass(frozen=True)
class Target:
    """A plane to image at.

    Attributes
    ----------
    name : str
        Letters, digits, blanks, and `_ . + -`.
    offset_um : float
        Distance from the reference focal plane, um; positive above it.

    Raises
    ------
    ValueError
        Where the name holds anything else, or the offset is not finite.
    """

    name: str
    offset_um: float

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or not math.isfinite(self.offset_um):
            raise ValueError(
                "a target must be a name of letters and digits and a distance in um, such as cells=+12, "
                f"got {self.name!r} and {self.offset_um!r}"
            )

    def __str__(self) -> str:
        return f"{self.name}={self.offset_um:+.12g}"

    @classmethod
    def parse(cls, text: str) -> Target:
        """Read `NAME=+12` (um above the reference focal plane) or `NAME=-5` (below it).

        Raises
        ------
        ValueError
            Where the text is something else.
        """
        name, _, offset = text.rpartition("=")
        try:
            return cls(name.strip(), float(offset))
        except ValueError as error:
            raise ValueError(f"a target must be NAME=DISTANCE in um, such as cells=+12, got {text!r}") from error


def check_targets(targets: tuple[Target, ...]) -> None:
    """Raise ValueError where two targets have one name."""
    names = [target.name for target in targets]
    double = next((name for name in names if names.count(name) > 1), None)
    if double is not None:
        raise ValueError(f"targets must have different names, got {double!r} twice")
