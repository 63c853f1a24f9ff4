from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from parfocal import status
from parfocal.focus_control.metric_estimator import learn_metric_estimator

POINTS = np.zeros((96, 96))
POINTS[tuple(np.random.default_rng(3).integers(0, 96, (2, 60)))] = 1.0
# The focal plane, between two planes of the sweep.
PLANE = 1.3


def image_at(z_um, seed=0):
    """Points whose blur grows with the distance to the focal plane, alike on both sides, with shot noise."""
    shown = gaussian_filter(POINTS, 1.0 + 0.3 * abs(z_um - PLANE))
    return np.random.default_rng(seed).poisson(5000 * shown + 20).astype(np.uint16)


@pytest.fixture(scope="module")
def estimate():
    z_um = np.arange(-20.0, 21.0, 2.0)
    return learn_metric_estimator([image_at(z, seed) for seed, z in enumerate(z_um)], z_um)


def test_the_focal_plane_of_the_sweep_is_found(estimate):
    assert estimate.focal_plane_um == pytest.approx(PLANE, abs=0.5)


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize("distance_um", [4.0, 7.0, 12.0])
def test_the_distance_is_told_and_not_the_side(estimate, side, distance_um):
    found = estimate(image_at(PLANE + side * distance_um, 100))
    assert found.status == status.SIGN_UNKNOWN
    assert np.isnan(found.defocus_um)
    first, second = found.candidates
    assert first.defocus_um == pytest.approx(distance_um, abs=1.0)
    assert second.defocus_um == -first.defocus_um
    assert first.probability == second.probability == 0.5
    assert found.probability.sum() == pytest.approx(1.0)


def test_as_sharp_as_the_sharpest_has_one_answer(estimate):
    found = estimate(gaussian_filter(POINTS, 0.9))
    assert (found.status, found.defocus_um) == (status.OK, 0.0)
    assert 0.1 < found.deviation_um < 2.0


@pytest.mark.parametrize("seed", range(100, 110))
def test_in_focus_the_answer_is_near_to_0(estimate, seed):
    found = estimate(image_at(PLANE, seed))
    assert max(abs(candidate.defocus_um) for candidate in found.candidates) < 1.0


def test_the_order_of_the_sweep_does_not_matter(estimate):
    z_um = np.arange(-20.0, 21.0, 2.0)[::-1]
    turned = learn_metric_estimator([image_at(z, seed) for seed, z in zip(range(20, -1, -1), z_um)], z_um)
    np.testing.assert_array_equal(turned.log_sharpness, estimate.log_sharpness)
    np.testing.assert_array_equal(turned.distance_um, estimate.distance_um)


@pytest.mark.filterwarnings("error")
def test_planes_as_far_on_both_sides_are_learned_from():
    """The focal plane lies midway between two planes of the sweep, which then have the same distance."""
    z_um = np.arange(PLANE - 15.0, PLANE + 16.0, 2.0)
    learned = learn_metric_estimator([image_at(z, seed) for seed, z in enumerate(z_um)], z_um)
    assert learned.focal_plane_um == pytest.approx(PLANE, abs=1.0)
    assert np.isfinite(learned.log_sharpness).all()


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (image_at(PLANE + 60, 100), status.OUT_OF_RANGE),
        (np.full((96, 96), 7, np.uint16), status.BLANK),
        (np.full((96, 96), np.nan), status.NOT_FINITE),
        (image_at(PLANE)[:4, :4], status.TOO_SMALL),
    ],
)
def test_what_cannot_be_told_has_a_status(estimate, image, expected):
    found = estimate(image)
    assert found.status == expected
    assert found.reason
    assert np.isnan(found.defocus_um)


@pytest.mark.parametrize(
    ("z_um", "message"),
    [
        (np.arange(4.0, 24.0, 2.0), "must go through the focal plane: the sharpest plane, 4.00 um, is at the end"),
        (np.arange(0.0, 6.0, 2.0), "at least 7 planes with a z_um each are needed, got 3, 3"),
    ],
)
def test_a_sweep_that_does_not_tell_is_refused(z_um, message):
    with pytest.raises(ValueError, match=message):
        learn_metric_estimator([image_at(z) for z in z_um], z_um)


def test_a_flat_sweep_is_refused():
    noise = np.random.default_rng(4).poisson(100, (9, 64, 64)).astype(float)
    with pytest.raises(ValueError, match="must go through the focal plane"):
        learn_metric_estimator(noise, np.arange(9.0))
