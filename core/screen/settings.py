"""What every file of a screen is worked on with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# Names in the output folder.
RECORD, RESULTS, TABLE, REPORT = "run.json", "results", "screen.csv", "report.html"
OVERLAY_CHOICES = ("flagged", "all", "none")


@dataclass(frozen=True)
class ScreenSettings:
    """Goes to whatever machine works on a file, with it.

    Attributes
    ----------
    output : str
        Output folder, absolute.
    given : dict
        Arguments of `screen_image` that the user gave.
    overlays : str
        Of which images overlays are drawn: `flagged` (and those without an answer), `all` or `none`.
    previews : bool
        Draw each restored image before, after, and the difference.
    version : str
        Of Parfocal: all machines must have the same.
    """

    output: str
    given: dict[str, Any]
    overlays: str = "flagged"
    previews: bool = False
    version: str = ""
