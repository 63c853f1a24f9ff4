"""What was refused, and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parfocal import status

if TYPE_CHECKING:
    import pandas as pd

_EXAMPLES = 3
MEASURING, SORTING, RESTORING = "measuring", "sorting", "restoring"


@dataclass(frozen=True)
class Refusal:
    """A status at one stage of the work: how many images have it, what it means, and examples (file, reason)."""

    stage: str
    status: str
    count: int
    meaning: str
    examples: tuple[tuple[str, str], ...]


def refusals(rows: pd.DataFrame, only_sorted: bool = False) -> list[Refusal]:
    """Count the images without an answer by stage and status, the most frequent first.

    Parameters
    ----------
    rows : pandas.DataFrame
        Of `screen_rows`.
    only_sorted : bool
        Whether the status is that of the sorter.
    """
    first = SORTING if only_sorted else MEASURING
    stages = (
        (first, "status", "reason"),
        (SORTING, "sorting_status", "sorting_reason"),
        (RESTORING, "restoration_status", "restoration_reason"),
    )
    return [refusal for stage in stages for refusal in _of_stage(rows, *stage)]


def _of_stage(rows: pd.DataFrame, stage: str, name: str, reason: str) -> list[Refusal]:
    found = rows[~rows[name].isin(("", status.OK))]
    return [
        Refusal(stage, str(word), int(count), status.MEANINGS.get(str(word), ""), _examples(found, name, word, reason))
        for word, count in found[name].value_counts().items()
    ]


def _examples(found: pd.DataFrame, name: str, word: object, reason: str) -> tuple[tuple[str, str], ...]:
    first = found[found[name] == word].head(_EXAMPLES)
    return tuple(zip(first["file"], first[reason]))


def warning_counts(rows: pd.DataFrame) -> list[tuple[str, int]]:
    """Warnings in words, with the number of images that have them, the most frequent first."""
    counts: Counter[str] = Counter()
    for text, count in rows["warnings"].value_counts().items():
        for warning in filter(None, str(text).split(";")):
            counts[warning.replace("_", " ")] += int(count)
    return counts.most_common()
