"""Which images are shown in a session of labelling, in which order, and which of them twice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from parfocal.labels.rows import FIRST, REPEAT, SUSPECT, LabelRow, standing_rows

# So many images at least lie between the two showings of one, where there are enough of them.
LEAST_DISTANCE = 10


@dataclass(frozen=True)
class Showing:
    """An image that is to be shown.

    Attributes
    ----------
    file : str
        Relative to the folder, with `/`.
    shown : int
        How often it will have been shown to this person, from 1.
    occasion : str
        `first`, `repeat` or `suspect`.
    """

    file: str
    shown: int = 1
    occasion: str = FIRST


def plan_showings(
    files: Sequence[str], rows: Iterable[LabelRow], person: str, seed: int, repeat_share: float
) -> list[Showing]:
    """Order what a person still has to see: images without an answer, and repeats that are due.

    The order is that of a hash of seed and name, so that neighbouring wells do not prime the eye, and a session that
    goes on later goes on in the same order. A repeat lies at a random place after its first showing, with
    `LEAST_DISTANCE` other images between them where there are enough.

    Parameters
    ----------
    files : sequence of str
    rows : iterable of LabelRow
        Everything answered so far.
    person : str
    seed : int
    repeat_share : float
        Share of the images that are shown a second time, 0 to 1.
    """
    own = [row for row in standing_rows(rows) if row.person == person]
    answered, repeated = {row.file for row in own}, {row.file for row in own if row.occasion == REPEAT}
    order = sorted(files, key=lambda file: _hash(seed, "order", file))
    places = {file: place for place, file in enumerate(order)}
    # Those with room for other images behind them are repeated first.
    last = max(len(order) - LEAST_DISTANCE, len(order) // 2)
    chosen = sorted(order, key=lambda file: (places[file] >= last, _hash(seed, "repeat", file)))
    chosen = chosen[: round(repeat_share * len(order))]
    planned = [(float(places[file]), Showing(file)) for file in order if file not in answered]
    for file in chosen:
        if file not in repeated:
            place = _place_of_repeat(places[file], len(order), _hash(seed, "place", file))
            planned.append((place, Showing(file, _times_shown(own, file, 1) + 1, REPEAT)))
    return [showing for _, showing in sorted(planned, key=lambda one: one[0])]


def plan_second_looks(
    files: Iterable[str], rows: Iterable[LabelRow], person: str, seed: int, since: str
) -> list[Showing]:
    """Order images whose labels look wrong; those that this person has looked at again since a time are left out.

    Parameters
    ----------
    files : iterable of str
    rows : iterable of LabelRow
        Everything answered so far.
    person : str
    seed : int
    since : str
        Time, ISO 8601 with the offset of UTC.
    """
    own = [row for row in standing_rows(rows) if row.person == person]
    seen = {row.file for row in own if row.occasion == SUSPECT and _time(row.labelled_at) >= _time(since)}
    order = sorted(set(files) - seen, key=lambda file: _hash(seed, "order", file))
    return [Showing(file, _times_shown(own, file, 0) + 1, SUSPECT) for file in order]


def _times_shown(own: Sequence[LabelRow], file: str, least: int) -> int:
    return max([least, *(row.shown for row in own if row.file == file)])


def _place_of_repeat(first: int, count: int, chance: float) -> float:
    start = first + LEAST_DISTANCE
    return start + chance * (count - start) if start < count else count + chance


def _hash(seed: int, purpose: str, file: str) -> float:
    """Hash to a number from 0 to 1 that depends on nothing but these."""
    digest = hashlib.sha256(f"{seed}/{purpose}/{file}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _time(text: str) -> float:
    """Seconds of a time; minus infinity where it is none."""
    from datetime import datetime

    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return float("-inf")
