"""The temperature of image distributions: sharpened, fitted, and fitted without the source that it is used on."""

from __future__ import annotations

import numpy as np
import pytest

from parfocal.focus_quality.aggregate import combine, sharpened
from parfocal.focus_quality.evaluation.scores import expected_calibration_error
from parfocal.focus_quality.evaluation.temperature import cross_fitted, fit_temperature


@pytest.fixture
def spread():
    """Calibrated distributions of levels drawn from them, and the same made too broad by a temperature of 3."""
    rng = np.random.default_rng(5)
    exact = sharpened(rng.dirichlet(np.full(11, 0.5), 3000), 0.7)
    levels = np.array([rng.choice(11, p=row) for row in exact])
    return exact, sharpened(exact, 3.0), levels


def test_sharpening_keeps_the_order_and_undoes_itself(spread):
    exact, broad, _ = spread
    np.testing.assert_allclose(broad.sum(axis=1), 1.0)
    np.testing.assert_array_equal(broad.argmax(axis=1), exact.argmax(axis=1))
    np.testing.assert_allclose(sharpened(broad, 1 / 3.0), exact, atol=1e-9)
    assert sharpened(exact, 1.0) is exact


def test_equal_parts_of_a_mixed_image_stay_equal():
    halves = np.zeros(11)
    halves[[0, 8]] = 0.5
    np.testing.assert_allclose(combine(halves[None], temperature=0.3), halves)


def test_fit_finds_the_temperature_that_the_distributions_were_broadened_by(spread):
    exact, broad, levels = spread
    assert fit_temperature(broad, levels) == pytest.approx(1 / 3.0, rel=0.1)
    assert fit_temperature(exact, levels) == pytest.approx(1.0, rel=0.1)


def test_each_source_is_sharpened_by_what_fits_the_others(spread):
    _, broad, levels = spread
    sources = np.array(["a", "b", "c"])[np.arange(len(levels)) % 3]
    sharp = cross_fitted(broad, levels, sources)
    without_a = fit_temperature(broad[sources != "a"], levels[sources != "a"])
    np.testing.assert_allclose(sharp[sources == "a"], sharpened(broad[sources == "a"], without_a))
    before, after = (expected_calibration_error(p.max(axis=1), p.argmax(axis=1) == levels) for p in (broad, sharp))
    assert after < 0.05 < before
