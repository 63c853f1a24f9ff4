from __future__ import annotations

import numpy as np
import pytest

from parfocal.focus_quality.patches import (
    constant_patches,
    cut_patches,
    label_boxes,
    object_corners,
    patch_corners,
    patch_starts,
    patch_weights,
    standardise,
)


@pytest.mark.parametrize("shape", [(84, 84), (85, 84), (167, 168), (169, 252), (100, 1000), (512, 696)])
def test_every_pixel_lies_in_a_patch(shape):
    covered = np.zeros(shape, int)
    for y, x in patch_corners(shape):
        assert covered[y : y + 84, x : x + 84].shape == (84, 84)
        covered[y : y + 84, x : x + 84] += 1
    assert covered.min() == 1


def test_starts_end_at_the_border_without_superfluous_patches():
    for length in range(84, 340):
        starts = patch_starts(length)
        assert starts[0] == 0
        assert starts[-1] + 84 == length
        assert len(starts) == -(-length // 84)


def test_whole_multiples_do_not_overlap():
    np.testing.assert_array_equal(patch_starts(252), [0, 84, 168])


def test_patches_hold_the_pixels_at_their_corners(rng):
    image = rng.integers(0, 60000, (200, 190)).astype(np.uint16)
    corners = patch_corners(image.shape)
    patches = cut_patches(image, corners, floor=10, factor=0.5)
    assert patches.dtype == np.float32
    for patch, (y, x) in zip(patches, corners):
        np.testing.assert_allclose(patch, (image[y : y + 84, x : x + 84].astype(float) - 10) * 0.5)


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.float64])
def test_small_contrast_on_a_large_offset_survives(dtype, rng):
    contrast = rng.integers(0, 5, (84, 84))
    patch = cut_patches((contrast + 2**30).astype(dtype), np.array([[0, 0]]), floor=2**30)
    np.testing.assert_array_equal(patch[0], contrast)


@pytest.mark.parametrize(
    ("box", "corner"),
    [((100, 120, 200, 230), (68, 173)), ((0, 10, 0, 10), (0, 0)), ((290, 300, 390, 400), (216, 316))],
)
def test_small_object_gets_one_patch_around_its_middle_inside_the_image(box, corner):
    y0, y1, x0, x1 = box
    np.testing.assert_array_equal(object_corners((slice(y0, y1), slice(x0, x1)), (300, 400)), [corner])


@pytest.mark.parametrize("box", [(10, 200, 30, 300), (0, 300, 0, 400), (215, 300, 100, 184)])
def test_large_object_is_covered_by_patches_inside_the_image(box):
    y0, y1, x0, x1 = box
    covered = np.zeros((300, 400), bool)
    corners = object_corners((slice(y0, y1), slice(x0, x1)), (300, 400))
    for y, x in corners:
        assert 0 <= y <= 216
        assert 0 <= x <= 316
        covered[y : y + 84, x : x + 84] = True
    assert covered[y0:y1, x0:x1].all()
    assert len(np.unique(corners, axis=0)) == len(corners)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.uint16, np.int32, np.int64, np.uint64])
def test_boxes_of_labels(dtype):
    labels = np.zeros((50, 60), dtype)
    labels[10:20, 30:33] = 1
    assert label_boxes(labels) == {1: (slice(10, 20), slice(30, 33))}
    assert label_boxes(np.zeros_like(labels)) == {}


@pytest.mark.parametrize("high", [900, 2**31 - 1, 2**62])
def test_gaps_and_huge_labels_are_kept_by_name(high):
    labels = np.zeros((50, 60), np.int64)
    labels[0, 0], labels[49, 59] = 7, high
    boxes = label_boxes(labels)
    assert boxes == {7: (slice(0, 1), slice(0, 1)), high: (slice(49, 50), slice(59, 60))}


def test_image_that_is_one_object_has_a_box():
    assert label_boxes(np.full((5, 6), 10**9)) == {10**9: (slice(0, 5), slice(0, 6))}


def test_negative_labels_are_refused():
    with pytest.raises(ValueError, match=r"0 \(background\) or above, got -3"):
        label_boxes(np.array([[0, -3], [1, 2]]))


@pytest.mark.parametrize("shape", [(84, 84), (85, 168), (512, 512), (100, 300)])
def test_weights_count_every_pixel_once(shape):
    weights = patch_weights(shape)
    assert len(weights) == len(patch_corners(shape))
    assert weights.sum() * 84**2 == pytest.approx(shape[0] * shape[1])


def test_constant_patches_are_told_from_those_with_equal_corners():
    patches = np.zeros((3, 84, 84), np.float32)
    patches[1, 40, 40] = 1
    patches[2, 0, 0] = 1
    np.testing.assert_array_equal(constant_patches(patches), [True, False, False])


def test_standardised_patches_have_mean_0_and_variance_1_and_constant_ones_are_0(rng):
    patches = rng.uniform(50, 5000, (3, 84, 84)).astype(np.float32) * np.float32([1, 1e-3, 10])[:, None, None]
    patches = np.concatenate([patches, np.full((1, 84, 84), 65535, np.float32)])
    standardised = standardise(patches)
    assert standardised.dtype == np.float32
    np.testing.assert_allclose(standardised.mean(axis=(1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(standardised.var(axis=(1, 2)), [1, 1, 1, 0], atol=1e-5)
