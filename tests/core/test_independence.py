"""How much patches say together: mean distributions sharpened, and fitted without the source they are used on."""

from __future__ import annotations

import numpy as np
import pytest

from parfocal import status
from parfocal.focus_quality.aggregate import effective_number, share_near, sharpened
from parfocal.focus_quality.estimate import Pooling, estimate_focus
from parfocal.focus_quality.evaluation.independence import fit_independence, fitted_on_others
from parfocal.focus_quality.evaluation.scores import expected_calibration_error
from parfocal.registry import ModelError


@pytest.fixture
def spread():
    """Calibrated distributions of levels drawn from them, and what their patches' mean would be at independence 0.4."""
    rng = np.random.default_rng(5)
    exact = rng.dirichlet(np.full(11, 0.5), 3000)
    levels = np.array([rng.choice(11, p=row) for row in exact])
    patches = rng.uniform(1, 40, len(exact))
    return exact, sharpened(exact, 1 / patches, 0.4), patches, levels


def bell(level, width=1.0):
    p = np.exp(-0.5 * ((np.arange(11) - level) / width) ** 2)
    return p / p.sum()


def test_sharpening_keeps_the_order_and_undoes_itself(spread):
    exact, broad, patches, _ = spread
    np.testing.assert_allclose(broad.sum(axis=1), 1.0)
    np.testing.assert_array_equal(broad.argmax(axis=1), exact.argmax(axis=1))
    np.testing.assert_allclose(sharpened(broad, patches, 0.4), exact, atol=1e-9)


def test_one_patch_stays_what_it_is_and_patches_that_agree_say_more_than_one():
    one, many = (estimate_focus(np.stack([bell(4)] * n), None, Pooling(0.5)) for n in (1, 16))
    np.testing.assert_allclose(one.probabilities, bell(4))
    np.testing.assert_allclose(many.probabilities, bell(4) ** 4 / np.sum(bell(4) ** 4))
    assert many.defocus_level == pytest.approx(one.defocus_level, abs=0.05)
    assert (one.effective_patches, many.effective_patches) == (1, 16)


def test_patches_that_disagree_are_refused_where_the_model_asks_for_agreement():
    halves = np.stack([bell(0), bell(0), bell(8), bell(8)])
    assert estimate_focus(halves, None, Pooling(0.3)).answered
    refused = estimate_focus(halves, None, Pooling(0.3, 0.6))
    assert refused.status == status.OUT_OF_DOMAIN
    assert "cannot be told" in refused.reason
    assert np.isnan(refused.defocus_level)
    assert estimate_focus(halves, np.array([1.0, 1.0, 0.2, 0.2]), Pooling(0.3, 0.6)).answered


def test_a_level_that_over_a_quarter_of_the_patches_do_not_share_is_told_with_a_warning():
    for far, mixed in ((1, False), (3, True)):
        found = estimate_focus(np.stack([bell(1)] * (10 - far) + [bell(8)] * far), None, Pooling(0.34, 0.5))
        assert found.answered and ("mixed_focus" in found.warnings) == mixed
        assert found.defocus_level < 2.5


@pytest.mark.parametrize("told", [{"temperature": 2}, {"independence": "much"}, 0.3])
def test_a_pooling_that_nobody_knows_is_refused(told):
    with pytest.raises(ModelError, match="pooling in config.json must give numbers for independence and"):
        Pooling.of({"pooling": told})


def test_a_model_without_a_pooling_is_averaged():
    assert Pooling.of({}) == Pooling(0.0, 0.0)
    mixed = np.stack([bell(3), bell(3), bell(7)])  # mirrored, hence of equal certainty
    np.testing.assert_allclose(estimate_focus(mixed, None, Pooling()).probabilities, mixed.mean(axis=0))


def test_effective_number_counts_equal_weights_and_passes_over_none():
    assert effective_number(np.ones(7)) == 7
    assert effective_number(np.array([1.0, 0.0, 0.0])) == 1
    assert effective_number(np.zeros(3)) == 0


@pytest.mark.parametrize(("level", "share"), [(0.0, 0.7), (0.49, 0.7), (0.5, 0.9), (2.2, 0.8), (9.0, 0.0), (10.0, 0.0)])
def test_share_near_is_that_of_the_rounded_level_and_those_beside_it(level, share):
    p = np.array([0.1, 0.6, 0.2, 0.0, *[0] * 4, 0.1, 0, 0])
    assert share_near(p, level) == pytest.approx(share + 0.1 * (level == 9.0))


def test_fit_finds_the_independence_that_the_distributions_were_made_with(spread):
    exact, broad, patches, levels = spread
    assert fit_independence(broad, patches, levels) == pytest.approx(0.4, abs=0.05)
    assert fit_independence(exact, patches, levels) == pytest.approx(0.0, abs=0.05)


def test_what_fits_the_other_sources_makes_probabilities_come_true(spread):
    _, broad, patches, levels = spread
    sources = np.array(["a", "b", "c"])[np.arange(len(levels)) % 3]
    a = sources == "a"
    fitted = fitted_on_others(broad, patches, levels, sources)
    assert fitted["a"] == fit_independence(broad[~a], patches[~a], levels[~a])
    sharp = sharpened(broad[a], patches[a], fitted["a"])
    before, after = (
        expected_calibration_error(p.max(axis=1), p.argmax(axis=1) == levels[a]) for p in (broad[a], sharp)
    )
    assert after < 0.05 < before
