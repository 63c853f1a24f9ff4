from __future__ import annotations

import numpy as np
import pytest

from parfocal import status
from parfocal.images.check import check_plane, saturated_share


def ramp(dtype=np.uint16, top=4000):
    """A picture of many grey values, each about equally frequent."""
    return np.linspace(0, top, 200 * 200).reshape(200, 200).astype(dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_ordinary_picture_is_ok(dtype):
    assert check_plane(ramp(dtype, 200)) == (status.OK, "", 0.0)


def test_no_pixels():
    assert check_plane(np.zeros((0, 90)))[:2] == (status.TOO_SMALL, "the image has no pixels: 90 x 0")


@pytest.mark.parametrize("value", [0, 7, 254])
def test_one_value_everywhere_is_blank(value):
    assert check_plane(np.full((90, 90), value, np.uint8))[:2] == (status.BLANK, f"every pixel is {value}")


@pytest.mark.parametrize(("dtype", "value"), [(np.uint8, 255), (np.uint16, 65535)])
def test_one_value_everywhere_at_the_limit_is_saturated(dtype, value):
    assert check_plane(np.full((90, 90), value, dtype)).status == status.SATURATED


def test_one_value_everywhere_is_saturated_from_the_given_level_on():
    flat = np.full((90, 90), 4095, np.uint16)
    assert check_plane(flat, saturation_level=4095).status == status.SATURATED
    assert check_plane(flat, saturation_level=5000).status == status.BLANK


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_one_pixel_that_is_not_finite_is_found(bad):
    image = ramp(np.float32)
    image[3, 4] = bad
    found = check_plane(image)
    assert found.status == status.NOT_FINITE
    assert found.reason == "0.0025 percent of the pixels are NaN or infinite"


def test_what_is_masked_out_is_not_looked_at():
    image = ramp(np.float64)
    image[:50] = np.nan
    mask = np.ones(image.shape, bool)
    mask[:50] = False
    assert check_plane(image, mask).status == status.OK
    assert check_plane(image, ~mask).status == status.NOT_FINITE
    assert check_plane(image, np.zeros_like(mask)).status == status.MASKED_OUT


@pytest.mark.parametrize("scale", [1, 1 / 4095, 3.7])
@pytest.mark.parametrize(("share", "expected"), [(0.10, status.SATURATED), (0.03, status.OK)])
def test_plateau_at_the_own_maximum_is_saturation_on_any_scale(scale, share, expected):
    image = np.minimum(ramp(np.uint16, 4000), int(4000 * (1 - share))) * scale
    found = check_plane(image)
    assert found.status == expected
    assert found.saturated_share == pytest.approx(share, abs=0.001)


@pytest.mark.parametrize(("dtype", "limit"), [(np.uint8, 255), (np.uint16, 65535)])
def test_pixels_at_the_limit_of_the_type_are_saturated_without_a_plateau(dtype, limit):
    image = ramp(dtype, limit - 1)
    image[:30] = limit
    assert saturated_share(image) == pytest.approx(0.15)


def test_saturated_colours_stay_saturated_when_averaged():
    picture = np.minimum(ramp(np.uint16, 300), 255).astype(np.uint8)
    green = np.stack([0 * picture, picture, 0 * picture], axis=-1).mean(axis=-1, dtype=np.float32)
    assert check_plane(green).status == status.SATURATED


def test_given_level_decides_alone():
    image = ramp(np.uint16, 4000)
    assert saturated_share(image, 3000) == pytest.approx(0.25, abs=1e-3)
    assert saturated_share(np.minimum(image, 3000), 3500) == 0.0


def test_dim_picture_of_few_grey_values_is_not_saturated(rng):
    image = np.full((200, 200), 2, np.uint8)
    image[50:150, 50:150] = 6
    image[0, :] = rng.integers(1, 6, 200)
    assert check_plane(image) == (status.OK, "", 0.0)


def test_noisy_dim_picture_is_not_saturated(rng):
    assert check_plane(rng.poisson(1.5, (300, 300)).astype(np.uint8)).status == status.OK


def test_nearly_all_at_full_scale_is_saturated_though_the_rest_has_few_values():
    image = np.ones((200, 200), np.float32)
    image[0, :20] = 0.5
    assert check_plane(image).status == status.SATURATED


def test_few_bright_pixels_are_no_saturation():
    image = ramp(np.uint16, 4000)
    image[0, :30] = 9000
    assert saturated_share(image) == 0.0
