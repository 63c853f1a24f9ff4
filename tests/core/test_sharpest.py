"""The sharpest plane: the middle of those that are not told apart."""

from __future__ import annotations

import numpy as np
import pytest

from parfocal.focus_quality.sharpest import sharpest_plane


@pytest.mark.parametrize(
    ("levels", "index"),
    [
        ([3.0, 0.4, 2.0], 1),
        ([0.5], 0),
        ([2.0, 0.30, 0.28, 0.31, 0.29, 0.27, 2.0], 3),
        ([0.2, 0.2], 1),
        ([0.1, 0.2, 3.0], 0),
        ([np.inf, 0.3, np.inf, 0.25, np.inf], 3),
        ([0.2, 1.0, 0.21], 0),
    ],
)
def test_planes_next_to_the_sharpest_that_are_as_sharp_share_it(levels, index):
    assert sharpest_plane(np.array(levels)) == index


def test_the_nucleus_is_sharpest_in_its_middle_plane(nucleus_stack):
    from parfocal import measure_image_focus

    assert measure_image_focus(nucleus_stack).sharpest_plane_index == 4
