from __future__ import annotations

import numpy as np
import pytest

from parfocal.images.planes import as_plane_selection, as_planes, counts_per_unit, fill_masked


@pytest.mark.parametrize("dtype", ["u1", "u2", "i4", "i8", "f2", "f4", "f8"])
def test_plane_and_stack_keep_type_and_values(dtype, rng):
    stack = rng.integers(0, 100, (4, 90, 95)).astype(dtype)
    planes, is_stack = as_planes(stack)
    assert is_stack
    assert planes.dtype == stack.dtype
    np.testing.assert_array_equal(planes, stack)
    plane, is_stack = as_planes(stack[1])
    assert not is_stack
    np.testing.assert_array_equal(plane, stack[1:2])


@pytest.mark.parametrize("n_colours", [3, 4])
def test_colours_are_averaged_without_alpha(n_colours, rng):
    picture = rng.integers(0, 256, (90, 95, n_colours)).astype(np.uint8)
    planes, is_stack = as_planes(picture)
    assert not is_stack
    np.testing.assert_allclose(planes[0], picture[..., :3].astype(float).mean(axis=-1), rtol=1e-6)


def test_stack_of_colour_planes_is_a_stack(rng):
    planes, is_stack = as_planes(rng.random((5, 90, 95, 3)))
    assert is_stack
    assert planes.shape == (5, 90, 95)


def test_three_planes_are_no_colours(rng):
    planes, is_stack = as_planes(rng.random((3, 90, 95)))
    assert is_stack
    assert planes.shape == (3, 90, 95)


def test_nested_lists_are_taken():
    planes, _ = as_planes([[1, 2], [3, 4]])
    np.testing.assert_array_equal(planes, [[[1, 2], [3, 4]]])


@pytest.mark.parametrize("values", [np.zeros((9, 9), bool), np.zeros((9, 9), complex), np.full((9, 9), "x")])
def test_what_is_no_real_number_is_refused(values):
    with pytest.raises(TypeError, match=f"image must hold integers or floats, got {values.dtype}"):
        as_planes(values)


def test_an_image_without_pixels_is_named_as_such():
    with pytest.raises(ValueError, match=r"image has no pixels: its shape is \(0, 9, 9\)"):
        as_planes(np.zeros((0, 9, 9)))


@pytest.mark.parametrize("shape", [(), (9,), (2, 2, 3, 9, 9), (2, 5, 9, 9)])
def test_other_axes_are_refused_with_the_shape(shape):
    with pytest.raises(
        ValueError, match=r"image must be \(y, x\), .* choose one time point and channel first"
    ) as error:
        as_planes(np.zeros(shape))
    assert str(shape) in str(error.value)


def test_selection_of_one_plane_holds_for_all():
    mask = np.eye(9, dtype=bool)
    selection = as_plane_selection(mask, "mask_yx", (9, 9), 4)
    assert selection.shape == (4, 9, 9)
    assert (selection == mask).all()
    assert as_plane_selection(None, "mask_yx", (9, 9), 4) is None


def test_selection_of_another_shape_is_refused_with_both_shapes():
    with pytest.raises(ValueError, match=r"mask_yx must have the image's shape \(4, 9, 9\), got \(9, 8\)"):
        as_plane_selection(np.ones((9, 8)), "mask_yx", (9, 9), 4)


def test_selection_of_another_type_is_refused():
    with pytest.raises(TypeError, match="labels_yx must hold integers, got float64"):
        as_plane_selection(np.ones((9, 9)), "labels_yx", (9, 9), 1, kinds="bui")
    with pytest.raises(TypeError, match="mask_yx must hold numbers or bool, got <U1"):
        as_plane_selection(np.full((9, 9), "x"), "mask_yx", (9, 9), 1)


def test_fill_keeps_what_is_used_and_continues_it_smoothly():
    ramp = np.tile(np.arange(100.0, 200.0), (100, 1))
    mask = np.zeros((100, 100), bool)
    mask[:, :60] = True
    filled = fill_masked(np.where(mask, ramp, np.nan), mask)
    np.testing.assert_array_equal(filled[mask], ramp[mask])
    assert np.isfinite(filled).all()
    assert abs(filled[50, 60] - filled[50, 59]) < 8.0
    assert filled[~mask].min() > 100.0


@pytest.mark.parametrize(
    ("image", "factor"),
    [
        (np.full((2, 2), 255, np.uint8), 257.0),
        (np.full((2, 2, 3), 255, np.uint8), 257.0),
        (np.full((2, 2), 4095, np.uint16), 1.0),
        (np.full((2, 2), 0.06), 65535.0),
        (np.full((2, 2), 900.0), 1.0),
        (np.array([[[0.1, 0.2]], [[0.1, np.nan]]]), 65535.0),
        (np.array([[[0.1, 0.2]], [[0.1, 3.0]]]), 1.0),
    ],
)
def test_counts_fill_16_bits_by_type_and_for_all_planes_alike(image, factor):
    assert counts_per_unit(image, as_planes(image)[0]) == factor


def test_what_is_masked_out_does_not_decide_the_unit():
    image, mask = np.array([[0.5, 1e9]]), np.array([[True, False]])
    assert counts_per_unit(image, image[None], mask[None]) == 65535.0
