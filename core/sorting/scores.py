"""Figures of a sorter: area under the curve, accuracy, curve, and thresholds from sharp images."""

from __future__ import annotations

import numpy as np


def roc_auc(score: np.ndarray, defocused: np.ndarray) -> float:
    """Area under the receiver operating characteristic of scores that are higher for defocused images.

    The probability that a defocused image scores above a sharp one, ties count half (Hanley and McNeil 1982,
    doi:10.1148/radiology.143.1.7063747). A missing score (NaN) ranks on the wrong side. NaN where a class is empty.
    """
    from scipy.stats import rankdata

    truth = np.asarray(defocused, bool)
    n_defocused, n_sharp = int(truth.sum()), int((~truth).sum())
    if not n_defocused or not n_sharp:
        return float("nan")
    known = np.where(np.isnan(score), np.where(truth, -np.inf, np.inf), score)
    ranks = rankdata(known)
    return float((ranks[truth].sum() - n_defocused * (n_defocused + 1) / 2) / (n_defocused * n_sharp))


def roc_curve(score: np.ndarray, defocused: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shares of sharp and of defocused images above each threshold: false alarms and hits, both from 0 to 1."""
    order = np.argsort(-np.asarray(score, float), kind="stable")
    truth, ranked = np.asarray(defocused, bool)[order], np.asarray(score, float)[order]
    ends = np.append(ranked[1:] != ranked[:-1], True)
    hits, alarms = np.cumsum(truth)[ends], np.cumsum(~truth)[ends]
    return np.append(0, alarms / max(1, alarms[-1])), np.append(0, hits / max(1, hits[-1]))


def most_accurate_threshold(score: np.ndarray, defocused: np.ndarray) -> float:
    """Threshold of the decision `score > threshold` with the most right answers, midway between two scores."""
    known = np.isfinite(score)
    order = np.argsort(score[known], kind="stable")
    ranked, truth = score[known][order], np.asarray(defocused, bool)[known][order]
    # Right answers when everything from an index on is flagged.
    right = np.append(0, np.cumsum(~truth)) + np.append(np.cumsum(truth[::-1])[::-1], 0)
    allowed = np.concatenate([[True], ranked[1:] != ranked[:-1], [True]])
    best = int(np.argmax(np.where(allowed, right, -1)))
    if best == 0:
        return float("-inf")
    return float("inf") if best == len(ranked) else float((ranked[best - 1] + ranked[best]) / 2)


def accuracy(score: np.ndarray, defocused: np.ndarray, threshold: float = 0.5) -> float:
    """Share of right decisions `score > threshold`; a missing score counts as a wrong one."""
    right = np.where(np.isnan(score), False, (score > threshold) == np.asarray(defocused, bool))
    return float(np.mean(right))


def threshold_for_false_alarms(sharp_probabilities: np.ndarray, false_alarm_rate: float) -> tuple[float, float]:
    """Choose a threshold from probabilities of sharp images, so that a new one is flagged at the wanted rate at most.

    With n sharp images the k-th largest probability is exceeded by a new one with probability k / (n + 1) at most
    (split conformal prediction; Vovk et al. 2005, doi:10.1007/b106715); k is the largest that keeps this below the
    rate.

    Parameters
    ----------
    sharp_probabilities : ndarray
        (n,) probabilities of defocus of images that are known to be sharp; missing ones (NaN) take no part.
    false_alarm_rate : float
        In (0, 1).

    Returns
    -------
    threshold : float
        At most 1.
    rate : float
        Rate that it promises, k / (n + 1); above what was wanted where there are too few images even for k = 1.

    Raises
    ------
    ValueError
        Where there is no probability, or the rate is not between 0 and 1.
    """
    known = np.sort(np.asarray(sharp_probabilities, float)[np.isfinite(sharp_probabilities)])
    check_false_alarm_rate(false_alarm_rate)
    if not len(known):
        raise ValueError("a threshold needs sharp images that could be answered, got none")
    k = max(1, int(np.floor(false_alarm_rate * (len(known) + 1) + 1e-9)))
    return float(known[-k]), k / (len(known) + 1)


def check_false_alarm_rate(false_alarm_rate: float) -> None:
    """Raise ValueError where it is no rate between 0 and 1."""
    if not 0 < false_alarm_rate < 1:
        raise ValueError(f"false_alarm_rate must be between 0 and 1, got {false_alarm_rate}")
