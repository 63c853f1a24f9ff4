from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from parfocal.images.lone_pixels import without_lone_pixels

HOT = [(0, 0), (3, 59), (40, 17), (63, 63)]


@pytest.fixture
def rng():
    return np.random.default_rng(5)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32, np.float64])
def test_hot_pixels_are_replaced_by_the_median_around_them_and_nothing_else_changes(dtype, rng):
    clean = rng.poisson(20, (64, 64)).astype(dtype) / (1 if np.dtype(dtype).kind in "iu" else 1000)
    clean = clean.astype(dtype)
    image = clean.copy()
    image[tuple(zip(*HOT))] = clean.max() * 5
    before = image.copy()
    found, hot = without_lone_pixels(image)
    assert hot and found.dtype == image.dtype
    np.testing.assert_array_equal(image, before)
    changed = np.argwhere(found != image)
    assert sorted(map(tuple, changed.tolist())) == HOT
    assert max(abs(float(found[at]) - float(np.median(clean))) for at in HOT) < 4 * float(clean.std())


@pytest.mark.parametrize("sigma_px", [0.6, 1.0, 2.0])
def test_points_that_optics_have_imaged_stay(sigma_px, rng):
    points = np.zeros((128, 128))
    points[tuple(rng.integers(8, 120, (2, 12)))] = 1.0
    seen = gaussian_filter(points, sigma_px)
    image = rng.poisson(50 + 4000 * seen / seen.max()).astype(np.uint16)
    found, hot = without_lone_pixels(image)
    assert not hot and found is image


@pytest.mark.parametrize("image", [np.full((9, 9), 7, np.uint8), np.zeros((1, 1)), np.arange(90.0).reshape(9, 10)])
def test_what_has_none_is_given_back(image):
    found, hot = without_lone_pixels(image)
    assert not hot and found is image


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize(("value", "top"), [(1.0, np.finfo(float).max), (-1e300, 1e308)])
def test_the_largest_numbers_give_no_warnings(value, top):
    image = np.full((64, 64), value)
    image[5, 5] = image[8, 8] = top
    found, _ = without_lone_pixels(image)
    assert np.isfinite(found).all()
