"""Figures of sorters: areas, curves, accuracies, and thresholds that keep what they promise."""

from __future__ import annotations

import numpy as np
import pytest

from parfocal import threshold_for_false_alarms
from parfocal.sorting.cross_validation import FoldScores, metric_scores
from parfocal.sorting.scores import accuracy, most_accurate_threshold, roc_auc, roc_curve


def area_under(score, truth):
    """Area by its definition: share of pairs in which the defocused image has the higher score, ties half."""
    pairs = [(a > b) + 0.5 * (a == b) for a in score[truth] for b in score[~truth]]
    return float(np.mean(pairs))


def test_the_area_is_that_of_an_example_by_hand():
    # Defocused 0.9, 0.4; sharp 0.1, 0.4, 0.5: of six pairs four are right and one is even.
    score, truth = np.array([0.9, 0.1, 0.4, 0.4, 0.5]), np.array([True, False, True, False, False])
    assert roc_auc(score, truth) == pytest.approx(4.5 / 6)
    assert roc_auc(-score, truth) == pytest.approx(1.5 / 6)


def test_the_area_is_the_share_of_right_pairs_also_with_ties(rng):
    score, truth = rng.integers(0, 6, 60) / 6, rng.random(60) < 0.4
    assert roc_auc(score, truth) == pytest.approx(area_under(score, truth))


def test_a_missing_score_ranks_on_the_wrong_side():
    truth = np.array([True, True, False, False])
    assert roc_auc(np.array([np.nan, 0.9, 0.1, 0.2]), truth) == pytest.approx(0.5)
    assert roc_auc(np.array([0.8, 0.9, 0.1, np.nan]), truth) == pytest.approx(0.5)


def test_there_is_no_area_without_both_classes():
    assert np.isnan(roc_auc(np.array([0.1, 0.2]), np.array([True, True])))


def test_the_curve_is_that_of_an_example_by_hand_and_its_area_the_area(rng):
    alarms, hits = roc_curve(np.array([0.9, 0.1, 0.4, 0.4]), np.array([True, False, True, False]))
    np.testing.assert_allclose(alarms, [0, 0, 0.5, 1])
    np.testing.assert_allclose(hits, [0, 0.5, 1, 1])
    score, truth = rng.integers(0, 9, 80) / 9, rng.random(80) < 0.5
    alarms, hits = roc_curve(score, truth)
    area = np.sum(np.diff(alarms) * (hits[1:] + hits[:-1]) / 2)
    assert area == pytest.approx(roc_auc(score, truth))


def test_accuracy_counts_a_missing_score_as_wrong():
    score, truth = np.array([0.9, 0.5, np.nan, np.nan]), np.array([True, False, True, False])
    assert accuracy(score, truth) == 0.5


@pytest.mark.parametrize(
    ("score", "truth", "threshold", "right"),
    [
        ([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1], 0.5, 4),
        ([0.1, 0.3, 0.4, 0.9], [0, 1, 0, 1], 0.2, 3),
        ([0.2, 0.2, 0.2, 0.6], [0, 0, 1, 1], 0.4, 3),
        ([0.2, 0.3], [1, 1], float("-inf"), 2),
        ([0.2, 0.3], [0, 0], float("inf"), 2),
        ([0.1, np.nan, 0.9], [0, 1, 1], 0.5, 2),
    ],
)
def test_the_most_accurate_threshold_lies_between_two_scores(score, truth, threshold, right):
    score, truth = np.array(score), np.array(truth, bool)
    found = most_accurate_threshold(score, truth)
    assert found == pytest.approx(threshold)
    assert accuracy(score, truth, found) == pytest.approx(right / len(score))


def test_no_other_threshold_is_more_accurate(rng):
    for _ in range(20):
        score, truth = rng.integers(0, 8, 25) / 8, rng.random(25) < 0.5
        best = accuracy(score, truth, most_accurate_threshold(score, truth))
        assert best >= max(accuracy(score, truth, other) for other in np.linspace(-1, 2, 61))


@pytest.mark.parametrize(
    ("count", "rate", "threshold", "promised"),
    [
        (19, 0.05, 0.19, 0.05),
        (18, 0.05, 0.18, 1 / 19),
        (99, 0.05, 0.95, 0.05),
        (9, 0.3, 0.07, 0.3),
        (1, 0.5, 0.01, 0.5),
    ],
)
def test_the_threshold_is_the_score_whose_rank_keeps_the_rate(count, rate, threshold, promised):
    sharp = np.random.default_rng(1).permutation(np.arange(1, count + 1) / 100)
    found, kept = threshold_for_false_alarms(sharp, rate)
    assert (found, kept) == pytest.approx((threshold, promised))


def test_missing_probabilities_take_no_part():
    sharp = np.append(np.arange(1, 20) / 100, [np.nan, np.nan])
    assert threshold_for_false_alarms(sharp, 0.05) == pytest.approx((0.19, 0.05))


@pytest.mark.parametrize("rate", [0.0, 1.0, -0.1, float("nan")])
def test_a_rate_that_is_none_is_refused(rate):
    with pytest.raises(ValueError, match=f"false_alarm_rate must be between 0 and 1, got {rate}"):
        threshold_for_false_alarms(np.array([0.1]), rate)
    with pytest.raises(ValueError, match="needs sharp images that could be answered, got none"):
        threshold_for_false_alarms(np.array([np.nan]), 0.1)


@pytest.mark.parametrize(("count", "rate"), [(19, 0.05), (50, 0.1), (30, 0.2)])
def test_what_a_threshold_promises_is_kept_over_many_draws(count, rate, rng):
    """Exactly k / (n + 1) on the average over sharp images, for any law of their probabilities without ties."""
    draws = 20000
    scores = rng.beta(0.3, 4.0, (draws, count + 1))
    thresholds, promised = zip(*(threshold_for_false_alarms(row[:-1], rate) for row in scores))
    alarms = np.mean(scores[:, -1] > np.array(thresholds))
    assert promised[0] <= rate
    assert alarms == pytest.approx(promised[0], abs=4 * np.sqrt(rate / draws))


def test_with_ties_fewer_are_flagged_than_promised(rng):
    scores = rng.integers(0, 4, (4000, 20)) / 4
    alarms = [row[-1] > threshold_for_false_alarms(row[:-1], 0.1)[0] for row in scores]
    assert np.mean(alarms) < 0.1


def test_figures_are_means_over_folds_and_a_fold_of_one_class_has_no_area():
    score = np.array([0.9, 0.1, 0.2, 0.8, 0.3, 0.7])
    defocused = np.array([True, False, True, False, True, True])
    fold = np.array([0, 0, 1, 1, 2, 2])
    figures = FoldScores("x", score, np.full(6, 0.5)).figures(defocused, fold)
    assert figures == pytest.approx(
        {"AUC": 0.5, "AUC sd": 0.5, "accuracy": 0.5, "accuracy sd": np.std([1.0, 0.0, 0.5])}
    )


def test_thresholds_of_a_metric_come_from_the_other_folds():
    sharpness = np.array([9.0, 1.0, 8.0, 2.0])
    defocused, fold = np.array([False, True, False, True]), np.array([0, 0, 1, 1])
    found = metric_scores("m", sharpness, defocused, fold)
    np.testing.assert_allclose(found.score, -sharpness)
    np.testing.assert_allclose(found.threshold, [-5.0, -5.0, -5.0, -5.0])
    assert found.figures(defocused, fold)["accuracy"] == 1.0
    # What is not judged has no say.
    judged = np.arange(5) < 4
    partly = metric_scores("m", np.append(sharpness, 3.0), np.append(defocused, False), np.append(fold, 1), judged)
    np.testing.assert_allclose(partly.threshold[judged], found.threshold)
    # A fold that is turned round is judged by the others' threshold, not by its own.
    turned = metric_scores("m", np.array([1.0, 9.0, 8.0, 2.0]), defocused, fold)
    assert turned.figures(defocused, fold)["accuracy"] == pytest.approx(0.25)
