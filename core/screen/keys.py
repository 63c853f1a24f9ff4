"""A set of whole numbers of 64 bits that takes 8 bytes for each."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

# So many are kept apart before they are sorted in.
_RECENT = 1 << 14


class KeySet:
    """Keys of files that are known; a million take 8 MB."""

    def __init__(self, keys: Iterable[int] = ()) -> None:
        self._sorted = np.unique(np.fromiter(keys, np.uint64))
        self._recent: set[int] = set()

    def __len__(self) -> int:
        return len(self._sorted) + len(self._recent)

    def __contains__(self, key: int) -> bool:
        if key in self._recent:
            return True
        place = int(self._sorted.searchsorted(np.uint64(key)))
        return place < len(self._sorted) and int(self._sorted[place]) == key

    def add(self, key: int) -> bool:
        """Add a key, and say whether it is new."""
        if key in self:
            return False
        self._recent.add(key)
        if len(self._recent) > _RECENT:
            self._sorted = np.union1d(self._sorted, np.fromiter(self._recent, np.uint64))
            self._recent.clear()
        return True
