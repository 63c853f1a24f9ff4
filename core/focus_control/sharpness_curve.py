"""Sharpness against the distance to the focal plane, from the planes of one sweep."""

from __future__ import annotations

import numpy as np

from parfocal.focus_control.peak import OK, judge, peak

# To either side of the peak the sharpness must fall by such a share of what the peak rises above the median: a lesser
# fall may be noise at the end of a slope, whose top lies beyond.
_LEAST_FALL = 0.1


def focal_plane(z: np.ndarray, score: np.ndarray) -> float:
    """Position of the peak of the sharpness (ValueError where there is none)."""
    if not np.isfinite(score).all():
        raise ValueError(
            f"{z[~np.isfinite(score)][0]:g} um of the sweep has an image that is blank, small, too dim or not finite"
        )
    found, reason = judge(z, score)
    if found != OK:
        raise ValueError(f"the sweep must go through the focal plane: {reason}")
    _check_falls(z, score)
    return peak(z, score)


def _check_falls(z: np.ndarray, score: np.ndarray) -> None:
    top = float(score.max())
    highest_end = top - _LEAST_FALL * (top - float(np.median(score)))
    for end in (z.min(), z.max()):
        if score[z == end].max() > highest_end:
            raise ValueError(
                f"the sweep must go through the focal plane: the sharpest plane, {z[np.argmax(score)]:.2f} um, is"
                f" hardly sharper than the end of the range, {end:.2f} um"
            )


def with_focus(distance: np.ndarray, level: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Add the level in focus, between the planes of the sweep: it falls from there with the square of the distance."""
    farther = np.flatnonzero(distance > distance[0])
    if distance[0] == 0 or farther.size == 0:
        return distance, level
    bend = (level[0] - level[farther[0]]) / (distance[farther[0]] ** 2 - distance[0] ** 2)
    return np.append(0.0, distance), np.append(level[0] + bend * distance[0] ** 2, level)


def scatter(distance: np.ndarray, values: np.ndarray) -> float:
    """Standard deviation of single planes: how far each lies from the line through its neighbours, robustly."""
    left, right = distance[:-2], distance[2:]
    share = np.divide(distance[1:-1] - left, right - left, out=np.full(left.shape, 0.5), where=right > left)
    off = values[1:-1] - (1 - share) * values[:-2] - share * values[2:]
    off /= np.sqrt(1 + share**2 + (1 - share) ** 2)
    return float(1.4826 * np.median(np.abs(off)))


def descending(values: np.ndarray) -> np.ndarray:
    """Nearest sequence that never rises, by least squares (pool adjacent violators)."""
    blocks: list[tuple[float, int]] = []
    for value in values:
        blocks.append((float(value), 1))
        while len(blocks) > 1 and blocks[-1][0] > blocks[-2][0]:
            (last, n), (before, m) = blocks.pop(), blocks.pop()
            blocks.append(((last * n + before * m) / (n + m), n + m))
    return np.concatenate([np.full(count, mean) for mean, count in blocks])
