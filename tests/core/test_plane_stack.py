"""Commands on stacks whose planes are read when they are asked for."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from parfocal import flag_defocused, measure_image_focus
from parfocal.answers import measured
from parfocal.images.plane_stack import PlaneStack
from parfocal.images.planes import counts_per_unit


def lazy(stack_zyx):
    return PlaneStack(lambda index: stack_zyx[index], stack_zyx.shape, stack_zyx.dtype)


@pytest.fixture
def stack(nuclei, blurred):
    """Sharp, defocused, and blank; the first with a hot pixel."""
    planes = np.stack([nuclei.astype(np.uint16) * 9, blurred, np.full_like(blurred, 7)])
    planes[0, 50, 60] = 60000
    return planes


def test_planes_are_those_of_the_reader_whatever_is_done_with_them(stack):
    found = lazy(stack)
    np.testing.assert_array_equal(np.stack(list(found)), stack)
    np.testing.assert_array_equal(found[-1], stack[2])
    with pytest.raises(IndexError):
        found[3]
    part = found.cropped(slice(10, 40), slice(20, 999))
    assert part.shape == (3, 30, 236)
    np.testing.assert_array_equal(part.changed(lambda plane: plane + 1)[1], stack[1, 10:40, 20:] + 1)
    assert list(found.each(lambda plane: int(plane.max()))) == stack.max(axis=(1, 2)).tolist()


def test_measured_numbers_are_those_of_the_array(stack):
    mask_yx = np.zeros(stack.shape[1:], bool)
    mask_yx[20:200, 30:220] = True
    for mask in (None, mask_yx):
        expected = measured(measure_image_focus, stack, {}, mask)
        found = measured(measure_image_focus, lazy(stack), {}, mask)
        assert found.features() == pytest.approx(expected.features(), nan_ok=True)
        assert [plane.estimate.status for plane in found.planes] == [plane.estimate.status for plane in expected.planes]


def test_sorted_numbers_are_those_of_the_array(stack):
    mask_yx = np.zeros(stack.shape[1:], bool)
    mask_yx[20:200, 30:220] = True
    for mask in (None, mask_yx):
        expected = measured(flag_defocused, stack, {}, mask)
        found = measured(flag_defocused, lazy(stack), {}, mask)
        assert [plane.probability for plane in found.planes] == pytest.approx(
            [plane.probability for plane in expected.planes], nan_ok=True
        )
        assert [plane.warnings for plane in found.planes] == [plane.warnings for plane in expected.planes]


@pytest.mark.parametrize("top", [0.5, 700.0])
def test_the_scale_of_floats_is_that_of_all_planes(top, stack):
    floats = (stack / 60000.0 * top).astype(np.float32)
    floats[0, 0, 0] = np.nan
    assert counts_per_unit(lazy(floats), lazy(floats)) == counts_per_unit(floats, floats)


class Enough(Exception):
    """Ends a measurement that would take long."""


def test_of_a_stack_that_does_not_fit_into_memory_a_plane_at_a_time_is_held(nuclei):
    def read(index):
        if index == 2:
            raise Enough
        return np.tile(nuclei.astype(np.uint16), (4, 4))

    huge = PlaneStack(read, (2000, 1024, 1024), np.uint16)
    tracemalloc.start()
    with pytest.raises(Enough):
        measure_image_focus(huge, mask_yx=np.ones((1024, 1024), bool))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**27
