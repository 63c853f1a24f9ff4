"""Outliers by the interquartile range, and medians that leave them out, over many columns at once."""

from __future__ import annotations

import numpy as np

# Tukey's fences, and the number of values below which quartiles say nothing about an outlier.
FENCE = 1.5
LEAST_VALUES = 4


def without_outliers(values: np.ndarray, axis: int = 0, reach: float = FENCE) -> np.ndarray:
    """Mark the values that lie within Tukey's fences: at most 1.5 interquartile ranges outside the quartiles.

    Parameters
    ----------
    values : array_like
        Any shape; NaN and infinity are never kept.
    axis : int
        Axis that is judged together, for features (bead, plane) the beads of a plane.
    reach : float
        Interquartile ranges from a quartile to its fence.

    Returns
    -------
    ndarray of bool
        True where the value is kept, in the shape of `values`. Of fewer than 4 finite values all are kept.
        Quartiles are interpolated linearly between the sorted values (Tukey 1977, Exploratory Data Analysis).
    """
    moved = np.moveaxis(np.asarray(values, dtype=float), axis, 0)
    finite = np.isfinite(moved)
    ordered = np.sort(np.where(finite, moved, np.nan), axis=0)
    low, high = fences(ordered, finite.sum(axis=0), reach)
    with np.errstate(invalid="ignore"):
        return np.moveaxis(finite & (moved >= low) & (moved <= high), 0, axis)


def fences(ordered: np.ndarray, count: np.ndarray, reach: float = FENCE) -> tuple[np.ndarray, np.ndarray]:
    """Tukey's lower and upper fence of values sorted along the first axis, NaN last, of which `count` are finite."""
    quarter, three_quarters = (_quantile(ordered, count, q) for q in (0.25, 0.75))
    distance = np.where(count < LEAST_VALUES, np.inf, reach * (three_quarters - quarter))
    # Values that differ by rounding alone are no outliers.
    distance = distance + 1e-12 * np.abs(three_quarters)
    return quarter - distance, three_quarters + distance


def robust_median(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Median along the first axis of what `without_outliers` keeps, and how many values that are.

    Parameters
    ----------
    values : ndarray
        (n, ...), NaN where a value is missing.

    Returns
    -------
    median, count : ndarray
        In the shape of one value; the median is NaN where nothing is finite.
    """
    ordered = np.sort(np.where(np.isfinite(values), values, np.nan), axis=0)
    low, high = fences(ordered, np.isfinite(ordered).sum(axis=0))
    with np.errstate(invalid="ignore"):
        first = np.sum(ordered < low, axis=0)
        count = np.sum((ordered >= low) & (ordered <= high), axis=0)
    return _quantile(ordered, count, 0.5, first), count


def _quantile(ordered: np.ndarray, count: np.ndarray, fraction: float, first: np.ndarray | int = 0) -> np.ndarray:
    """Quantile of `count` sorted values that begin at index `first` of the first axis; NaN where there is none."""
    if len(ordered) == 0:
        return np.full(np.shape(count), np.nan)
    position = fraction * np.maximum(count - 1, 0) + first
    below = np.minimum(np.floor(position).astype(np.intp), len(ordered) - 1)
    above = np.minimum(np.ceil(position).astype(np.intp), len(ordered) - 1)
    at_below, at_above = (np.take_along_axis(ordered, index[None], axis=0)[0] for index in (below, above))
    value = at_below + (position - below) * (at_above - at_below)
    return np.where(count > 0, value, np.nan)
