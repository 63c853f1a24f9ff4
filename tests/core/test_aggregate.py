from __future__ import annotations

import numpy as np
import pytest

from parfocal.focus_quality.aggregate import CONTENT_CERTAINTY, certainty, combine, expected_level, patch_weights_of


def one_level(level, share=1.0):
    """Distribution with a share at one level and the rest spread evenly."""
    return share * np.eye(11)[level] + (1 - share) / 11


def test_certainty_is_one_for_one_level_and_zero_for_the_uniform():
    assert certainty(one_level(4)) == pytest.approx(1.0, abs=1e-15)
    assert certainty(np.full(11, 1 / 11)) == pytest.approx(0.0, abs=1e-15)


def test_certainty_of_two_equal_levels_by_hand():
    assert certainty(np.array([0.5, 0.5, *[0] * 9])) == pytest.approx(1 - np.log(2) / np.log(11))


def test_certainty_lies_between_zero_and_one(rng):
    values = certainty(rng.dirichlet(np.full(11, 0.3), 5000))
    assert values.min() >= -1e-12
    assert values.max() <= 1.0


def test_certainty_does_not_depend_on_the_order_of_the_levels(rng):
    p = rng.dirichlet(np.ones(11), 20)
    np.testing.assert_allclose(certainty(p[:, rng.permutation(11)]), certainty(p))


def test_expected_level_may_be_a_fraction():
    assert expected_level(np.array([0, 0.25, 0.75, *[0] * 8])) == pytest.approx(1.75)
    np.testing.assert_allclose(expected_level(np.eye(11)), np.arange(11))


def summed_up(patches, shares=None):
    return combine(patches, patch_weights_of(patches, shares))


def test_combined_distribution_is_the_certainty_weighted_mean():
    sure, unsure = one_level(2, 0.9), one_level(8, 0.5)
    weights = certainty(np.stack([sure, unsure]))
    expected = (weights[0] * sure + weights[1] * unsure) / weights.sum()
    np.testing.assert_allclose(summed_up(np.stack([sure, unsure])), expected)
    assert summed_up(np.stack([sure, unsure])).sum() == pytest.approx(1.0)


def test_patches_without_content_do_not_pull_the_value():
    sure, empty = one_level(2, 0.9), one_level(10, 0.2)
    assert certainty(empty) < CONTENT_CERTAINTY
    np.testing.assert_allclose(summed_up(np.stack([sure] + [empty] * 500)), sure)


def test_shares_weigh_the_patches():
    p = np.stack([one_level(0, 0.9), one_level(5, 0.9)])
    np.testing.assert_allclose(summed_up(p, np.array([1.0, 0.0])), p[0])
    np.testing.assert_allclose(summed_up(p, np.array([0.3, 0.9])), (p[0] + 3 * p[1]) / 4)


@pytest.mark.parametrize("shares", [None, np.ones(3), np.zeros(3)])
def test_without_content_there_is_nothing_to_combine(shares):
    assert summed_up(np.full((3, 11), 1 / 11), shares) is None
