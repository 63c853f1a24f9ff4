"""How well answers agree: of one person with an earlier answer, and of two persons with each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

from parfocal.labels.rows import IMAGE_LABELS, PLANE, REPEAT, LabelRow, counting_rows, standing_rows

Pair = tuple[LabelRow, LabelRow]


@dataclass(frozen=True)
class Agreement:
    """Agreement of two answers to the same images; NaN where nothing can be said.

    Attributes
    ----------
    n_images : int
        Pairs of answers to images that are no stacks.
    equal_share, kappa : float
        Share of equal answers, and Cohen's kappa, of these.
    n_stacks : int
        Pairs of which one answer at least is a sharp plane.
    same_plane_share : float
        Share of these with the same plane.
    plane_distance : float
        Median distance of the two planes, where both answers are one.
    """

    n_images: int
    equal_share: float
    kappa: float
    n_stacks: int
    same_plane_share: float
    plane_distance: float

    @classmethod
    def of(cls, pairs: Sequence[Pair]) -> Agreement:
        """Agreement of pairs of answers."""
        stacks = [pair for pair in pairs if PLANE in (pair[0].label, pair[1].label)]
        images = [pair for pair in pairs if PLANE not in (pair[0].label, pair[1].label)]
        first, second = [one.label for one, _ in images], [other.label for _, other in images]
        planes = [(one.plane, other.plane) for one, other in stacks]
        distances = [abs(one - other) for one, other in planes if one is not None and other is not None]
        return cls(
            n_images=len(first),
            equal_share=_share(one == other for one, other in zip(first, second)),
            kappa=cohen_kappa(first, second),
            n_stacks=len(stacks),
            same_plane_share=_share(one.plane == other.plane for one, other in stacks),
            plane_distance=float(median(distances)) if distances else float("nan"),
        )


def cohen_kappa(first: Sequence[str], second: Sequence[str]) -> float:
    """Agreement of two raters beyond chance, 1 at most: (p_observed - p_chance) / (1 - p_chance).

    After Cohen 1960 (doi:10.1177/001316446002000104). NaN without pairs, or where both gave one and the same label
    throughout: agreement and chance cannot be told apart then.
    """
    count = len(first)
    if not count:
        return float("nan")
    ones, others = Counter(first), Counter(second)
    chance = sum(ones[label] * others[label] for label in ones)  # times count squared, so that whole numbers decide
    if chance == count**2:
        return float("nan")
    observed = sum(one == other for one, other in zip(first, second)) / count
    return (observed - chance / count**2) / (1 - chance / count**2)


def repeat_pairs(rows: Iterable[LabelRow]) -> dict[str, list[Pair]]:
    """Pairs of each person's answer to a repeat and the one before it; second looks at suspects are no repeats."""
    pairs: dict[str, list[Pair]] = {}
    by_shown: dict[tuple[str, str], list[LabelRow]] = {}
    for row in standing_rows(rows):
        by_shown.setdefault((row.person, row.file), []).append(row)
    for (person, _), answers in by_shown.items():
        ordered = sorted(answers, key=lambda row: row.shown)
        found = [(before, row) for before, row in zip(ordered, ordered[1:]) if row.occasion == REPEAT]
        if found:
            pairs.setdefault(person, []).extend(found)
    return pairs


def person_pairs(rows: Iterable[LabelRow]) -> dict[tuple[str, str], list[Pair]]:
    """Pairs of two persons' first answers to the same images."""
    first: dict[str, dict[str, LabelRow]] = {}
    for row in sorted(standing_rows(rows), key=lambda row: row.shown):
        first.setdefault(row.person, {}).setdefault(row.file, row)
    pairs = {}
    for one, other in combinations(sorted(first), 2):
        shared = [(row, first[other][file]) for file, row in first[one].items() if file in first[other]]
        if shared:
            pairs[one, other] = shared
    return pairs


def summary_lines(rows: Sequence[LabelRow]) -> list[str]:
    """Say how many images have which label, and how well the answers agree."""
    counts = Counter(row.label for row in counting_rows(rows).values())
    named = [f"{counts[label]} {label}" for label in IMAGE_LABELS]
    if counts[PLANE]:
        named.append(f"{counts[PLANE]} with a sharp plane")
    lines = [f"{sum(counts.values())} images have a label: {', '.join(named)}"]
    for person, pairs in repeat_pairs(rows).items():
        lines.extend(_told(f"shown twice{f' to {person}' if person else ''}", Agreement.of(pairs)))
    for (one, other), pairs in person_pairs(rows).items():
        lines.extend(_told(f"labelled by {one or 'no name'} and by {other or 'no name'}", Agreement.of(pairs)))
    return lines


def _told(who: str, found: Agreement) -> list[str]:
    lines = []
    if found.n_images:
        kappa = f"Cohen's kappa {found.kappa:.2f}" if found.kappa == found.kappa else "no kappa: all got one label"
        lines.append(f"images {who}: {found.n_images}, {found.equal_share:.0%} equal, {kappa}")
    if found.n_stacks:
        distance = f", median distance {found.plane_distance:g} planes" if found.plane_distance >= 0 else ""
        lines.append(f"stacks {who}: {found.n_stacks}, {found.same_plane_share:.0%} the same plane{distance}")
    return lines


def _share(found: Iterable[bool]) -> float:
    answers = list(found)
    return sum(answers) / len(answers) if answers else float("nan")
