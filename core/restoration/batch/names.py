"""Names of the files that are written: those of the originals, without their suffix where that is unambiguous."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

_SUFFIX = re.compile(r"(\.ome)?\.[^./]+$", re.IGNORECASE)


def output_names(names: Sequence[str]) -> list[str]:
    """Names without the suffix of the file, all different, also after `_s1`, `_t1` or `_c1` is appended to any.

    A name keeps its suffix where another would read alike: `a.tif` beside `a.png`, or beside `a_c1.tif`, since the
    second channel of `a.tif` is written as `a_c1`.
    """
    chosen = [_SUFFIX.sub("", name) for name in names]
    while True:
        # Some file systems take capitals and small letters for the same.
        taken = Counter(meant for name in chosen for meant in _whole_files(name.lower()))
        clear = [full if taken[name.lower()] > 1 else name for full, name in zip(names, chosen)]
        # A name that got its suffix back may read like another one: `x.png` beside that of `x.png.tif`.
        if clear == chosen:
            return chosen
        chosen = clear


def _whole_files(name: str) -> set[str]:
    """Names of the files of which this may be an image: `a_t1_c2` is itself, or one of `a_t1`, or one of `a`."""
    found = {name}
    for part in "cts":
        name = re.sub(rf"_{part}\d+$", "", name)
        found.add(name)
    return found
