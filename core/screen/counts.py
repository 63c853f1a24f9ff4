"""How many images of a screen came out how."""

from __future__ import annotations

from typing import Any

from parfocal import status
from parfocal.screen.rows import NOT_WRITTEN


class Counts:
    """Numbers of images, added up some rows at a time."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def add(self, rows: Any) -> None:
        """Add rows (`pandas.DataFrame` of the table)."""
        readable = rows["status"] != status.UNREADABLE
        flagged, sorting = rows["flagged"].fillna(False).astype(bool), rows["sorting_status"]
        found = {
            "images": len(rows),
            "answered": rows["answered"].fillna(False).sum(),
            "flagged": flagged.sum(),
            "not_flagged": (readable & ~flagged & (sorting == status.OK)).sum(),
            "undecided": (readable & (sorting != status.OK)).sum(),
            "restored": rows["restored"].fillna(False).sum(),
            "unreadable": (~readable).sum(),
            "pictures_not_written": rows["warnings"].str.contains(NOT_WRITTEN, regex=False).sum(),
        }
        for name, count in found.items():
            self._counts[name] = self._counts.get(name, 0) + int(count)

    def told(self) -> dict[str, int]:
        """Counts by name."""
        return dict(self._counts)
