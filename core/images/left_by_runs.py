"""What runs of Parfocal leave in folders: their pictures are no images to work on."""

from __future__ import annotations

import logging

# What each kind of run writes, by what nothing but such a run leaves side by side.
_WRITTEN = {
    ("run.json", "results"): ("overlays", "restored", "uncertainty", "previews"),
    ("measurements.csv", "measurements.parquet"): ("overlays", "sharpest", "summary.png"),
    ("sorting.csv", "sorting.parquet"): ("summary.png",),
    ("restoration.csv", "restoration.parquet"): ("restored", "uncertainty", "previews"),
}
# Names that have to be known of a folder, and files in it that may be left out.
MARKS = frozenset(name for marks in _WRITTEN for name in marks)
PICTURES = frozenset(name for written in _WRITTEN.values() for name in written if name.endswith(".png"))
# Most paths that are named.
_MOST_NAMED = 3


def written_beside(names: set[str]) -> set[str]:
    """Names that runs have written into a folder which holds these of `MARKS`."""
    return {name for marks, written in _WRITTEN.items() if names.issuperset(marks) for name in written}


class LeftOut:
    """Paths that are left out of a list of images, told in one line however many they are."""

    def __init__(self) -> None:
        self._count = 0
        self._first: list[str] = []

    def __call__(self, path: str) -> None:
        """Take note of a path."""
        self._count += 1
        self._first += [path] * (self._count <= _MOST_NAMED)

    def __bool__(self) -> bool:
        return self._count > 0

    def tell(self) -> None:
        """Warn of what was left out, where anything was."""
        if self:
            logging.getLogger("parfocal").warning("left out since Parfocal wrote it: %s", self)

    def __str__(self) -> str:
        more = self._count - len(self._first)
        return ", ".join(self._first) + (f" and {more} more" if more else "")
