"""Planes of a stack that have another size than the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence


def with_odd_sizes(reasons: Sequence[str], shapes: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    """Add to the reasons of planes that their size is another than that of most."""
    counts = Counter(shape for shape, reason in zip(shapes, reasons) if not reason)
    usual = counts.most_common(1)[0][0] if counts else (0, 0)
    text = "has {} x {} pixels, most planes have {} x {}"
    return tuple(
        reason or ("" if shape == usual else text.format(*shape, *usual)) for shape, reason in zip(shapes, reasons)
    )
