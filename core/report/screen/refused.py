"""What was refused, and why."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parfocal import status
from parfocal.report.screen.names import names_of

if TYPE_CHECKING:
    import pandas as pd

# Examples that are seen at once, and those that unfold; reasons of a status that have a line of their own.
_SHOWN, _FOLDED, _MOST_REASONS = 10, 100, 8
_NUMBER = re.compile(r"\d+(\.\d+)?")
_Kind = tuple[str, tuple[str, ...], str]
MEASURING, SORTING, RESTORING, ALL = "measuring", "sorting", "restoring", "all steps"


@dataclass(frozen=True)
class Example:
    """An image that was refused; the reason is empty where all beside it have the same."""

    file: str
    reason: str


@dataclass(frozen=True)
class Refusal:
    """Images that the same steps refused for the same reason.

    Attributes
    ----------
    status : str
    steps : tuple of str
        Steps that were not done with them.
    count : int
    meaning : str
        Of the status; empty where this version does not know it.
    reason : str
        What is said of all of them; empty where that differs, as in a number.
    examples, folded : tuple of Example
        Images to name at once, and on request.
    """

    status: str
    steps: tuple[str, ...]
    count: int
    meaning: str
    reason: str
    examples: tuple[Example, ...]
    folded: tuple[Example, ...]


@dataclass(frozen=True)
class _Refused:
    """What one image was refused for: a status, the steps that gave it, and the reason of the first of them."""

    file: str
    status: str
    steps: tuple[str, ...]
    reason: str

    @property
    def kind(self) -> _Kind:
        """What images of one line have in common: numbers within a reason do not count."""
        return self.status, self.steps, _NUMBER.sub("#", self.reason)


def refusals(rows: pd.DataFrame, only_sorted: bool = False) -> list[Refusal]:
    """Put the images without an answer together by status, steps and reason; the most frequent status comes first.

    Parameters
    ----------
    rows : pandas.DataFrame
        Of `screen_rows`.
    only_sorted : bool
        Whether the status is that of the sorter.
    """
    found = list(_refused(rows, SORTING if only_sorted else MEASURING))
    kinds = Counter(image.kind for image in found)
    frequent: Counter[str] = Counter(image.status for image in found)
    own = _with_a_line(kinds)
    lines: dict[_Kind, list[_Refused]] = defaultdict(list)
    for image in found:
        lines[image.kind if image.kind in own else (image.status, (), "")].append(image)
    order = sorted(lines.values(), key=lambda line: (-frequent[line[0].status], line[0].status, -len(line)))
    return [_refusal(line) for line in order]


def _refused(rows: pd.DataFrame, first: str) -> Iterator[_Refused]:
    steps = (
        (first, "status", "reason"),
        (SORTING, "sorting_status", "sorting_reason"),
        (RESTORING, "restoration_status", "restoration_reason"),
    )
    names = [name for step in steps for name in step[1:]]
    fine = [rows[name].isin(("", status.OK)) for _, name, _ in steps]
    table = rows[names].assign(file=names_of(rows["file"]).short())[["file", *names]]
    for file, *told in table[~(fine[0] & fine[1] & fine[2])].itertuples(index=False):
        by_status: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for (step, _, _), word, reason in zip(steps, told[::2], told[1::2]):
            if word not in ("", status.OK):
                by_status[word].append((step, reason))
        for word, given in by_status.items():
            # Without pixels nothing is done at all.
            stopped = (ALL,) if word == status.UNREADABLE else tuple(step for step, _ in given)
            yield _Refused(file, word, stopped, next((reason for _, reason in given if reason), ""))


def _with_a_line(kinds: Counter[_Kind]) -> set[_Kind]:
    """Kinds that have a line of their own; the others of a status share one."""
    by_status: dict[str, list[_Kind]] = defaultdict(list)
    for kind, _ in kinds.most_common():
        by_status[kind[0]].append(kind)
    few = (found if len(found) <= _MOST_REASONS else found[: _MOST_REASONS - 1] for found in by_status.values())
    return {kind for found in few for kind in found}


def _refusal(line: list[_Refused]) -> Refusal:
    first = line[0]
    steps = tuple(dict.fromkeys(step for image in line for step in image.steps))
    meaning = status.MEANINGS.get(first.status, "")
    # The meaning stands above already.
    reasons = [image.reason.removeprefix(f"{meaning}: ") for image in line]
    shared = reasons[0] if len(set(reasons)) == 1 else ""
    named = [Example(image.file, "" if shared else reason) for image, reason in zip(line[: _SHOWN + _FOLDED], reasons)]
    shown, folded = tuple(named[:_SHOWN]), tuple(named[_SHOWN:])
    return Refusal(first.status, steps, len(line), meaning, shared, shown, folded)
