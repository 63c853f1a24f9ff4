import numpy as np
import pytest

from parfocal.focus_quality.result import FocusPatches
from parfocal.report.overlay import draw_overlay, level_colors


def patches_at(corners, levels, certainties, size_px=84.0):
    n = len(corners)
    return FocusPatches(
        np.asarray(corners, float),
        size_px,
        np.full((n, 11), 1 / 11),
        np.asarray(levels, float),
        np.asarray(certainties),
    )


@pytest.fixture
def image_yx():
    return np.random.default_rng(5).gamma(2.0, 100.0, (170, 200))


def test_sharp_is_red_and_the_worst_level_violet():
    np.testing.assert_allclose(level_colors(np.array([0.0, 10.0])), [[1, 0, 0], [0.5, 0, 1]], atol=1e-12)


def test_every_level_has_a_colour_of_its_own():
    colors = level_colors(np.arange(11))
    apart = np.abs(colors[:, None] - colors[None]).max(axis=-1)
    assert apart[~np.eye(11, dtype=bool)].min() > 0.2


def test_certainty_sets_the_lightness_and_not_the_hue():
    np.testing.assert_allclose(level_colors(np.array(3.0), 0.25), 0.25 * level_colors(np.array(3.0)), atol=1e-12)


def test_borders_carry_the_patch_colour_and_the_middle_stays_grey(image_yx):
    rgb = draw_overlay(image_yx, patches_at([[0, 0], [86, 116]], [0, 10], [1.0, 0.5]))
    np.testing.assert_allclose(rgb[0, 40], [1, 0, 0])
    np.testing.assert_allclose(rgb[169, 150], [0.25, 0, 0.5])
    np.testing.assert_allclose(rgb[120, 199], [0.25, 0, 0.5])
    assert np.ptp(rgb[10:74, 10:74], axis=2).max() == 0
    assert np.ptp(rgb[90:160, 4:110], axis=2).max() == 0


def test_patches_of_a_resampled_plane_are_drawn_at_their_size(image_yx):
    rgb = draw_overlay(image_yx, patches_at([[0.0, 0.0]], [0], [1.0], size_px=168.4))
    np.testing.assert_allclose(rgb[167, 80], [1, 0, 0])
    assert np.ptp(rgb[169, 80]) == 0


def test_intensity_scale_does_not_change_the_picture(image_yx):
    patches = patches_at([[0, 0]], [4], [0.7])
    np.testing.assert_allclose(draw_overlay(image_yx, patches), draw_overlay(image_yx * 40 + 7, patches), atol=1e-4)


@pytest.mark.parametrize("value", [0, 7, np.nan, np.inf])
def test_a_plane_without_contrast_is_black(value):
    rgb = draw_overlay(np.full((90, 100), value), None)
    assert rgb.shape == (90, 100, 3)
    assert rgb.dtype == np.float32
    assert not rgb.any()


def test_values_that_are_not_finite_do_not_spoil_the_rest(image_yx):
    spoilt = image_yx.copy()
    spoilt[5, 5], spoilt[6, 6] = np.nan, np.inf
    rgb = draw_overlay(spoilt, None)
    assert np.isfinite(rgb).all()
    np.testing.assert_allclose(rgb[50:], draw_overlay(image_yx, None)[50:], atol=5e-3)


def test_huge_doubles_are_drawn_without_a_warning(recwarn):
    image = np.linspace(0, 1e300, 100 * 100).reshape(100, 100)
    drawn = draw_overlay(image, None)
    assert np.isfinite(drawn).all()
    assert 0.9 < np.ptp(drawn) <= 1
    assert not recwarn.list
