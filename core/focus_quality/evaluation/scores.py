"""The figures of the evaluation, computed from arrays of true and found values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from parfocal.focus_quality.network import N_LEVELS

CALIBRATION_BINS = 10


def level_errors(true_level: np.ndarray, found_level: np.ndarray) -> dict[str, float]:
    """Compare found with true levels.

    Parameters
    ----------
    true_level, found_level : ndarray
        (n,) levels 0 to 10; a found level of NaN is a missing answer.

    Returns
    -------
    dict
        `n`; `answered`, the share with an answer; and over those with an answer `exact` and `within_one` (shares whose
        found level, rounded, is at most 0 or 1 away) and `rmse` (levels). NaN where nothing was answered.
    """
    answered = np.isfinite(found_level)
    if not answered.any():
        nan = float("nan")
        return {"n": len(true_level), "answered": 0.0, "exact": nan, "within_one": nan, "rmse": nan}
    error = np.asarray(found_level, float)[answered] - np.asarray(true_level, float)[answered]
    whole = np.abs(np.floor(found_level[answered] + 0.5) - true_level[answered])
    return {
        "n": len(true_level),
        "answered": float(answered.mean()),
        "exact": float(np.mean(whole == 0)),
        "within_one": float(np.mean(whole <= 1)),
        "rmse": float(np.sqrt(np.mean(error**2))),
    }


def confusion_matrix(true_level: np.ndarray, found_level: np.ndarray) -> np.ndarray:
    """Count the answers by true level (row) and found level (column), 11 x 11."""
    answered = np.isfinite(found_level)
    counts = np.zeros((N_LEVELS, N_LEVELS), int)
    found = np.floor(found_level[answered] + 0.5).astype(int)
    np.add.at(counts, (np.asarray(true_level)[answered].astype(int), found), 1)
    return counts


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Spearman's rank correlation over the pairs that are both finite; NaN below 3 pairs or without variation."""
    from scipy.stats import rankdata

    first, second = np.asarray(first, float), np.asarray(second, float)
    both = np.isfinite(first) & np.isfinite(second)
    if both.sum() < 3 or np.ptp(first[both]) == 0 or np.ptp(second[both]) == 0:
        return float("nan")
    return float(np.corrcoef(rankdata(first[both]), rankdata(second[both]))[0, 1])


def f_score(positive: np.ndarray, flagged: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN); NaN without a positive case.

    Parameters
    ----------
    positive, flagged : ndarray of bool
        (n,) truth and decision.
    weight : ndarray, optional
        (n,) weight of each case.
    """
    weight = np.ones(len(positive)) if weight is None else weight
    hits = float(weight[positive & flagged].sum())
    wrong = float(weight[positive != flagged].sum())
    return 2 * hits / (2 * hits + wrong) if positive.any() else float("nan")


def best_threshold(score: np.ndarray, positive: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Threshold with the largest F-score of the decision `score > threshold`.

    It lies midway between two scores, or is minus infinity where flagging everything is best. Missing scores (NaN)
    take no part.
    """
    known = np.isfinite(score)
    weight = np.ones(len(score)) if weight is None else weight
    order = np.argsort(-score[known], kind="stable")
    ranked, truth, weights = score[known][order], positive[known][order], weight[known][order]
    hits, flagged = np.cumsum(weights * truth), np.cumsum(weights)
    f = 2 * hits / (flagged + float(np.sum(weights * truth)))
    cuts = np.append(ranked[1:] != ranked[:-1], True)
    best = int(np.argmax(np.where(cuts, f, -1.0)))
    return float((ranked[best] + ranked[best + 1]) / 2) if best + 1 < len(ranked) else float("-inf")


def decide(score: np.ndarray, threshold: float, positive: np.ndarray) -> np.ndarray:
    """Flag scores above the threshold; a missing score counts as the wrong decision, whichever that is."""
    return np.where(np.isfinite(score), score > threshold, ~positive)


def balanced_weights(positive: np.ndarray) -> np.ndarray:
    """Weights that give positive and negative cases the same sum."""
    share = positive.mean()
    return np.where(positive, 0.5 / share, 0.5 / (1 - share)) if 0 < share < 1 else np.ones(len(positive))


def split_f_scores(
    scores: dict[str, np.ndarray],
    positive: np.ndarray,
    fields: Sequence[str],
    n_splits: int = 20,
    seed: int = 0,
    balanced: bool = False,
) -> dict[str, np.ndarray]:
    """Choose the threshold on a tenth of the fields, compute the F-score on the others, and repeat.

    Parameters
    ----------
    scores : dict
        (n,) scores, higher is further out of focus, by name; all are given the same splits.
    positive : ndarray of bool
        (n,) truth.
    fields : sequence of str
        (n,) images of one field stay on the same side.
    n_splits, seed : int
    balanced : bool
        Weight both classes equally, when choosing and when testing.

    Returns
    -------
    dict
        (n_splits,) F-scores by name.

    Raises
    ------
    ValueError
        Where there are fewer than two fields.
    """
    names, index = np.unique(np.asarray(fields), return_inverse=True)
    if len(names) < 2:
        raise ValueError(f"fields must name at least 2 fields to split them, got {len(names)}")
    rng = np.random.default_rng(seed)
    found: dict[str, list[float]] = {name: [] for name in scores}
    for _ in range(n_splits):
        chosen = rng.permutation(len(names))[: max(1, round(0.1 * len(names)))]
        tuning = np.isin(index, chosen)
        for name, score in scores.items():
            found[name].append(_split_f_score(score, positive, tuning, balanced))
    return {name: np.array(values) for name, values in found.items()}


def _split_f_score(score: np.ndarray, positive: np.ndarray, tuning: np.ndarray, balanced: bool) -> float:
    weights = [balanced_weights(positive[side]) if balanced else None for side in (tuning, ~tuning)]
    if not np.isfinite(score[tuning]).any():
        return float("nan")
    threshold = best_threshold(score[tuning], positive[tuning], weights[0])
    return f_score(positive[~tuning], decide(score[~tuning], threshold, positive[~tuning]), weights[1])


def calibration_bins(
    confidence: np.ndarray, correct: np.ndarray, bins: int = CALIBRATION_BINS
) -> dict[str, np.ndarray]:
    """Group answers by their confidence into bins of equal width.

    Returns
    -------
    dict
        (bins,) each: `n`, mean `confidence` and share `correct` of a bin, NaN where it is empty.
    """
    place = np.clip((np.asarray(confidence) * bins).astype(int), 0, bins - 1)
    n = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        means = [np.bincount(place, values, bins) / n for values in (confidence, np.asarray(correct, float))]
    return {"n": n, "confidence": means[0], "correct": means[1]}


def expected_calibration_error(confidence: np.ndarray, correct: np.ndarray, bins: int = CALIBRATION_BINS) -> float:
    """Mean distance between confidence and share correct, over bins weighted by their size; 0 is calibrated.

    Naeini et al. 2015, doi:10.1609/aaai.v29i1.9602.
    """
    if len(confidence) == 0:
        return float("nan")
    groups = calibration_bins(confidence, correct, bins)
    filled = groups["n"] > 0
    gap = np.abs(groups["confidence"] - groups["correct"])[filled]
    return float(np.average(gap, weights=groups["n"][filled]))
