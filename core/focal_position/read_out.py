"""From a distribution over signed distances to an answer: one estimate, or why there is none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from parfocal import status
from parfocal.focal_position.result import Candidate, FocalPosition

# Two peaks are told apart where the valley between them lies below this share of the lower one.
VALLEY_SHARE = 0.6
# Share of the distribution that makes a second peak count; below it is what is left of a doubt.
SECOND_SHARE = 0.2
# One peak must hold this share, two peaks together too, and none may be wider than this share of the half range.
LEAST_SHARE, LARGEST_DEVIATION_SHARE = 0.6, 0.15


def read_distribution(positions_um: np.ndarray, probability: np.ndarray) -> FocalPosition:
    """Read an estimate off a distribution; several peaks are never averaged.

    Parameters
    ----------
    positions_um : ndarray
        Middles of equal bins (n,), um, ascending, 3 or more.
    probability : ndarray
        Of each bin (n,), 0 or more; it is brought to a sum of 1.

    Returns
    -------
    FocalPosition
        `ok` for one peak; `sign_unknown` for two that are mirror images about 0, `two_layers` for two that are not,
        `broad` otherwise.

    Raises
    ------
    ValueError
        Where shapes differ, or the probabilities are negative, not finite or all 0.
    """
    positions, shares = np.asarray(positions_um, float), np.asarray(probability, float)
    if positions.shape != shares.shape or positions.ndim != 1 or len(positions) < 3:
        raise ValueError(f"positions and probabilities must be (n,), n >= 3, got {positions.shape} and {shares.shape}")
    total = float(shares.sum())
    if not np.isfinite(total) or total <= 0 or shares.min() < 0:
        raise ValueError(f"probabilities must be finite, 0 or more, and not all 0, their sum is {total:g}")
    shares = shares / total
    peaks = find_peaks(positions, shares)
    found, reason = _judge(peaks, positions)
    best = peaks[0]
    certainty = best.probability
    if found == status.SIGN_UNKNOWN:
        certainty = best.probability + peaks[1].probability
    kept = tuple(peak for peak in peaks if peak.probability >= SECOND_SHARE) or peaks[:1]
    told = FocalPosition(
        found,
        reason,
        certainty=certainty,
        candidates=kept[:2] if found in (status.SIGN_UNKNOWN, status.TWO_LAYERS) else kept,
        positions_um=positions,
        probability=shares,
    )
    if found != status.OK:
        return told
    at_end = min(best.defocus_um - positions[0], positions[-1] - best.defocus_um) < _bin_width(positions)
    return FocalPosition(
        status.OK,
        "",
        ("at_end_of_range",) if at_end else (),
        best.defocus_um,
        best.deviation_um,
        certainty,
        kept[:1],
        positions,
        shares,
    )


def find_peaks(positions_um: np.ndarray, probability: np.ndarray) -> tuple[Candidate, ...]:
    """Cut a distribution (n,) of sum 1 at its valleys into peaks, the most probable first.

    A valley cuts where it lies below `VALLEY_SHARE` of the lower of the peaks beside it; half of it goes to each.
    """
    cuts = _cuts(probability)
    halved = np.array(probability)
    halved[cuts] /= 2
    parts = [slice(first, last + 1) for first, last in zip([0, *cuts], [*cuts, len(probability) - 1])]
    peaks = [_peak(positions_um[part], halved[part]) for part in parts if halved[part].sum() > 0]
    return tuple(sorted(peaks, key=lambda peak: -peak.probability))


def _cuts(probability: np.ndarray) -> list[int]:
    """Indices of the valleys between peaks."""
    tops = _local_maxima(probability)
    while len(tops) > 1:
        valleys = [a + int(np.argmin(probability[a : b + 1])) for a, b in zip(tops, tops[1:])]
        depth = [
            probability[valley] / min(probability[a], probability[b]) for valley, a, b in zip(valleys, tops, tops[1:])
        ]
        shallowest = int(np.argmax(depth))
        if depth[shallowest] < VALLEY_SHARE:
            return valleys
        lower = shallowest + int(probability[tops[shallowest]] > probability[tops[shallowest + 1]])
        del tops[lower]
    return []


def _local_maxima(probability: np.ndarray) -> list[int]:
    """Indices of the maxima, of a plateau the first."""
    padded = np.concatenate([[-1.0], probability, [-1.0]])
    rising = [i for i in range(len(probability)) if padded[i + 1] > padded[i]]
    return [i for i in rising if probability[i] > 0 and _falls_after(probability, i)]


def _falls_after(probability: np.ndarray, index: int) -> bool:
    other = np.flatnonzero(probability[index:] != probability[index])
    return other.size == 0 or probability[index + other[0]] < probability[index]


def _peak(positions_um: np.ndarray, probability: np.ndarray) -> Candidate:
    share = float(probability.sum())
    mean = float(np.average(positions_um, weights=probability))
    variance = float(np.average((positions_um - mean) ** 2, weights=probability))
    return Candidate(mean, float(np.sqrt(variance)), share)


def _judge(peaks: Sequence[Candidate], positions_um: np.ndarray) -> tuple[str, str]:
    """Status and reason."""
    best = peaks[0]
    none = Candidate(0.0, 0.0, 0.0)
    second, third = [*peaks[1:3], none, none][:2]
    widest = LARGEST_DEVIATION_SHARE * float(positions_um[-1] - positions_um[0]) / 2
    if second.probability < SECOND_SHARE:
        if best.probability >= LEAST_SHARE and best.deviation_um <= widest:
            return status.OK, ""
        return _broad(best, widest)
    if third.probability >= SECOND_SHARE:
        # Such as of a distribution that was shared between both signs: at focus, and as far above as below.
        return status.BROAD, f"three distances are likely, {', '.join(_um(peak) for peak in peaks[:3])} um"
    if best.probability + second.probability < LEAST_SHARE or max(best.deviation_um, second.deviation_um) > widest:
        return _broad(best, widest)
    if _mirrored(best, second, _bin_width(positions_um)):
        distance = (abs(best.defocus_um) + abs(second.defocus_um)) / 2
        return status.SIGN_UNKNOWN, f"{distance:.3g} um from focus, above or below it: the image does not say which"
    return status.TWO_LAYERS, f"structures at two distances from focus, {_um(best)} and {_um(second)} um"


def _broad(best: Candidate, widest: float) -> tuple[str, str]:
    told = f"the best peak holds {100 * best.probability:.0f} percent, deviation {best.deviation_um:.3g} um"
    limits = f"needed are {100 * LEAST_SHARE:g} percent and at most {widest:.3g} um"
    return status.BROAD, f"{told}; {limits}"


def _mirrored(one: Candidate, other: Candidate, width_um: float) -> bool:
    """Whether two peaks lie on both sides of 0, as far from it as their widths can tell."""
    apart = abs(one.defocus_um + other.defocus_um)
    room = max(1.5 * width_um, float(np.hypot(one.deviation_um, other.deviation_um)))
    return one.defocus_um * other.defocus_um < 0 and apart <= room


def _um(peak: Candidate) -> str:
    return f"{round(peak.defocus_um, 6) + 0.0:.3g}"  # no minus, and no rest, at zero


def _bin_width(positions_um: np.ndarray) -> float:
    return float(positions_um[1] - positions_um[0])
