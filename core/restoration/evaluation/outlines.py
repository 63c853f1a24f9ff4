"""How well outlined nuclei agree with those of the sharp image."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

# Overlap from which a nucleus counts as found.
FOUND_OVERLAP = 0.7


class Agreement(NamedTuple):
    """Counts, relative error of the count, mean best overlap of the sharp image's nuclei, and F1 at overlap 0.7."""

    nuclei: int
    nuclei_sharp: int
    count_error: float
    overlap: float
    f1: float


def agreement(labels_yx: np.ndarray, sharp_labels_yx: np.ndarray) -> Agreement:
    """Compare label images (0 is background); NaN where the sharp image has no nucleus.

    Overlap is intersection over union. Above 0.5 a nucleus has one partner at most, so that F1 needs no assignment.
    """
    overlaps = overlap_table(sharp_labels_yx, labels_yx)
    n_sharp, n = overlaps.shape
    if n_sharp == 0:
        return Agreement(n, 0, float("nan"), float("nan"), float("nan"))
    hits = int((overlaps >= FOUND_OVERLAP).sum())
    best = overlaps.max(axis=1) if n else np.zeros(n_sharp)
    return Agreement(n, n_sharp, abs(n - n_sharp) / n_sharp, float(best.mean()), 2 * hits / (n + n_sharp))


def overlap_table(first_yx: np.ndarray, second_yx: np.ndarray) -> np.ndarray:
    """Intersection over union of every object of one label image with every object of the other, (n, m)."""
    first, second = (np.unique(labels, return_inverse=True) for labels in (first_yx, second_yx))
    table = np.zeros((len(first[0]), len(second[0])))
    np.add.at(table, (first[1].ravel(), second[1].ravel()), 1)
    union = table.sum(axis=1, keepdims=True) + table.sum(axis=0, keepdims=True) - table
    # The background (0) is no object; it is there or not.
    return (table / union)[np.flatnonzero(first[0] != 0)][:, np.flatnonzero(second[0] != 0)]
