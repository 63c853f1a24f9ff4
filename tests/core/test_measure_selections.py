"""Masks, objects and stacks in measure_image_focus."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from parfocal import measure_image_focus, status
from parfocal.focus_quality.patches import patch_corners, patch_weights
from parfocal.focus_quality.synthesis import defocus_image


@pytest.fixture(scope="module")
def mask():
    """Leave out the left third, not at a patch's border."""
    chosen = np.ones((256, 256), bool)
    chosen[:, :95] = False
    return chosen


@pytest.fixture(scope="module")
def labels():
    """Four objects: one at the border, one large, a gap in the numbers."""
    image = np.zeros((256, 256), np.int32)
    image[90:110, 130:150] = 1
    image[40:55, 40:60] = 2
    image[230:256, 240:256] = 5
    image[130:250, 20:180] = 9
    return image


@pytest.mark.parametrize("garbage", [0.0, 1e12, np.nan, np.inf, -np.inf])
def test_what_is_masked_out_does_not_change_the_answer(nuclei, mask, garbage):
    spoiled = np.where(mask, nuclei.astype(float), garbage)
    clean, found = (measure_image_focus(i, mask_yx=mask).estimate for i in (nuclei, spoiled))
    assert found.status == status.OK
    assert found.defocus_level == pytest.approx(clean.defocus_level, abs=1e-4)
    assert found.mean_certainty == pytest.approx(clean.mean_certainty, abs=1e-4)
    assert found.warnings == clean.warnings


def test_mask_that_leaves_nothing_out_changes_nothing(nuclei):
    with_mask = measure_image_focus(nuclei, mask_yx=np.ones(nuclei.shape, bool)).estimate
    np.testing.assert_array_equal(with_mask.probabilities, measure_image_focus(nuclei).estimate.probabilities)


def test_mask_may_be_numbers(nuclei, mask):
    as_numbers = measure_image_focus(nuclei, mask_yx=mask.astype(np.uint8) * 255).estimate
    assert as_numbers.defocus_level == measure_image_focus(nuclei, mask_yx=mask).estimate.defocus_level


def test_mask_chooses_the_sharp_half(nuclei):
    half = np.zeros(nuclei.shape, bool)
    half[:, :128] = True
    image = np.where(half, nuclei, defocus_image(nuclei, 14.0))
    sharp, blurred = (measure_image_focus(image, mask_yx=m).estimate.defocus_level for m in (half, ~half))
    assert sharp < 1.5
    assert blurred > 4.0  # level 7, but the patches across the border show both halves


def test_nothing_left_is_masked_out(nuclei):
    result = measure_image_focus(nuclei, mask_yx=np.zeros(nuclei.shape, bool))
    assert (result.status, result.estimate.reason) == (status.MASKED_OUT, "the mask leaves no pixel to measure")


def test_too_little_left_is_masked_out_with_its_reason(nuclei):
    speck = np.zeros(nuclei.shape, bool)
    speck[100:120, 100:120] = True
    estimate = measure_image_focus(nuclei, mask_yx=speck).estimate
    assert (estimate.status, estimate.reason) == (
        status.MASKED_OUT,
        "the mask leaves less than 25 percent of every patch",
    )
    assert np.isnan(estimate.mean_certainty)


def test_mean_certainty_is_that_of_the_patches_under_the_mask(nuclei, mask):
    result = measure_image_focus(nuclei, mask_yx=mask)
    patches = result.planes[0].patches
    corners = patch_corners(nuclei.shape)
    share = np.array([mask[y : y + 84, x : x + 84].mean() for y, x in corners])
    seen = share >= 0.25
    np.testing.assert_array_equal(patches.corners_yx, corners[seen])  # the others are no patches of the result
    share = (share * patch_weights(nuclei.shape))[seen]
    assert result.estimate.mean_certainty == pytest.approx(np.average(patches.certainty, weights=share))


def test_every_object_has_an_estimate(nuclei, labels):
    objects = measure_image_focus(nuclei, labels_yx=labels).objects
    assert list(objects) == [1, 2, 5, 9]
    assert all(isinstance(label, int) for label in objects)
    assert all(estimate.status in (status.OK, status.NO_CONTENT) for estimate in objects.values())
    assert sum(estimate.answered for estimate in objects.values()) >= 3


def test_objects_measured_together_equal_objects_measured_alone(nuclei, labels):
    together = measure_image_focus(nuclei, labels_yx=labels).objects
    for label, expected in together.items():
        alone = measure_image_focus(nuclei, labels_yx=np.where(labels == label, label, 0)).objects[label]
        np.testing.assert_allclose(alone.probabilities, expected.probabilities, atol=5e-5)
        assert alone.status == expected.status


@pytest.mark.parametrize("rename", [lambda n: n * 1000, lambda n: n * (2**31 // 9 - 1), lambda n: 10 - n])
def test_names_of_objects_do_not_matter(nuclei, labels, rename):
    named = np.where(labels > 0, rename(labels.astype(np.int64)), 0)
    plain, renamed = (measure_image_focus(nuclei, labels_yx=names).objects for names in (labels, named))
    for label, expected in plain.items():
        np.testing.assert_allclose(renamed[rename(label)].probabilities, expected.probabilities, atol=5e-5)


def test_huge_label_takes_no_memory(nuclei, labels):
    tracemalloc.start()
    measure_image_focus(nuclei, labels_yx=np.where(labels == 9, 2**40, labels.astype(np.int64)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100e6


def test_object_is_told_apart_from_its_blurred_neighbour(nuclei):
    """Left half in focus, right half out of focus: each object has the level of its own place."""
    image = np.hstack([nuclei, defocus_image(nuclei, 14.0)])
    labels = np.zeros(image.shape, np.uint8)
    labels[90:160, 60:190], labels[90:160, 316:446] = 1, 2
    objects = measure_image_focus(image, labels_yx=labels).objects
    assert objects[1].defocus_level < 1.5
    assert objects[2].defocus_level > 5.0


def test_small_objects_survive_the_change_of_scale(nuclei):
    labels = np.zeros(nuclei.shape, np.uint8)
    labels[100, 100] = 3
    optics = {"pixel_size_um": 0.3, "numerical_aperture": 0.5, "emission_wavelength_um": 0.5}
    objects = measure_image_focus(nuclei, labels_yx=labels, **optics).objects
    assert list(objects) == [3]
    assert objects[3].status in (status.OK, status.NO_CONTENT)


def test_objects_of_a_refused_image_carry_its_status(labels):
    objects = measure_image_focus(np.zeros((256, 256)), labels_yx=labels).objects
    assert {label: estimate.status for label, estimate in objects.items()} == dict.fromkeys([1, 2, 5, 9], status.BLANK)


def test_object_under_the_mask_only_is_masked_out(nuclei, labels, mask):
    objects = measure_image_focus(nuclei, labels_yx=labels, mask_yx=mask).objects
    assert objects[2].status == status.MASKED_OUT
    assert objects[1].status == status.OK


def test_stack_gives_a_row_per_plane_and_the_sharpest(nucleus_stack):
    result = measure_image_focus(nucleus_stack, z_step_um=1.998)
    assert len(result.planes) == 9
    assert result.sharpest_plane_index == 4
    assert result.sharpest_plane_z_um == pytest.approx(4 * 1.998)
    assert result.estimate is result.planes[4].estimate
    levels = np.array([plane.estimate.defocus_level for plane in result.planes])
    assert (np.diff(levels[:5]) < 0).all()
    assert (np.diff(levels[4:]) > 0).all()


def test_plane_of_a_stack_has_the_value_it_has_alone(nucleus_stack):
    stack = measure_image_focus(nucleus_stack[2:5])
    for plane, image in zip(stack.planes, nucleus_stack[2:5]):
        assert plane.estimate.defocus_level == measure_image_focus(image).estimate.defocus_level


def test_reversed_stack_mirrors_the_sharpest_plane(nucleus_stack):
    shortened = nucleus_stack[:7]
    assert measure_image_focus(shortened).sharpest_plane_index == 4
    assert measure_image_focus(shortened[::-1]).sharpest_plane_index == 2


def test_without_z_step_there_is_no_z(nucleus_stack, nuclei):
    assert np.isnan(measure_image_focus(nucleus_stack).sharpest_plane_z_um)
    assert np.isnan(measure_image_focus(nuclei, z_step_um=2.0).sharpest_plane_z_um)


def test_blank_and_not_finite_planes_are_passed_over(nucleus_stack):
    stack = nucleus_stack.astype(np.float32)
    stack[0], stack[1, 5, 5], stack[8] = 7.0, np.nan, np.inf
    result = measure_image_focus(stack)
    assert result.status == status.OK
    assert result.sharpest_plane_index == 4
    found = [plane.estimate.status for plane in result.planes]
    assert found[:2] == [status.BLANK, status.NOT_FINITE]
    assert found[8] == status.NOT_FINITE
    assert set(found[2:8]) == {status.OK}


def test_stack_without_an_answer_gives_its_most_frequent_reason(nucleus_stack):
    stack = nucleus_stack[:4].astype(np.float32)
    stack[0], stack[1:] = np.nan, 3.0
    result = measure_image_focus(stack)
    assert result.status == status.BLANK
    assert result.sharpest_plane_index is None
    assert np.isnan(result.features()["Score"])


def test_masks_and_labels_may_be_given_per_plane(nucleus_stack):
    mask = np.ones(nucleus_stack.shape, bool)
    mask[4] = False
    labels = np.zeros(nucleus_stack.shape, np.uint8)
    labels[2, 20:60, 20:60], labels[4, 20:60, 20:60], labels[6, 50:90, 50:90] = 1, 1, 2
    result = measure_image_focus(nucleus_stack, mask_yx=mask)
    assert result.planes[4].estimate.status == status.MASKED_OUT
    assert result.sharpest_plane_index in (3, 5)
    objects = measure_image_focus(nucleus_stack, labels_yx=labels)
    assert [list(plane.objects) for plane in objects.planes] == [[], [], [1], [], [1], [], [2], [], []]
    assert list(objects.objects) == [1, 2]


def test_object_of_a_stack_has_the_level_of_its_sharpest_plane(nucleus_stack):
    labels = np.zeros(nucleus_stack.shape[1:], np.uint8)
    labels[20:80, 20:80] = 1
    result = measure_image_focus(nucleus_stack, labels_yx=labels)
    per_plane = [plane.objects[1].defocus_level for plane in result.planes]
    assert result.objects[1].defocus_level == min(per_plane)
    assert int(np.argmin(per_plane)) == 4
