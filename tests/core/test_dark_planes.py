"""Planes without light in stacks of microscopes that lose it out of focus."""

from __future__ import annotations

import numpy as np
import pytest

from parfocal import measure_image_focus, status
from parfocal.focus_quality.dark_planes import light_above_background


@pytest.fixture
def confocal(nuclei):
    """In focus at plane 1; plane 2 is as sharp, with a fiftieth of the light (z, y, x)."""
    from parfocal.focus_quality.synthesis import defocus_image

    shown = nuclei.astype(np.float32)
    soft = defocus_image(shown, 6.0)
    return np.stack([0.6 * soft, shown, 0.02 * shown]) + 10


@pytest.mark.parametrize("modality", ["confocal", "light_sheet"])
def test_a_plane_next_to_no_light_is_refused_where_light_is_lost_out_of_focus(confocal, modality):
    found = measure_image_focus(confocal, modality=modality)
    assert [plane.estimate.status for plane in found.planes] == [status.OK, status.OK, status.NO_CONTENT]
    assert "2.0 percent of that of the brightest plane" in found.planes[2].estimate.reason
    assert found.sharpest_plane_index == 1


def test_widefield_planes_and_single_images_keep_their_answers(confocal):
    assert measure_image_focus(confocal).planes[2].estimate.answered
    assert measure_image_focus(confocal[2], modality="confocal").status == status.OK


def test_objects_of_a_dark_plane_are_refused_with_it(confocal, nuclei):
    labels = (nuclei > np.percentile(nuclei, 90)).astype(int)
    dark = measure_image_focus(confocal, labels_yx=labels, modality="confocal").planes[2]
    assert dark.objects[1].status == status.NO_CONTENT


def test_light_is_measured_where_the_mask_is_and_passes_over_nan():
    plane = np.zeros((50, 50))
    plane[:5, :5] = 100
    plane[0, 0] = np.nan
    assert light_above_background(plane, None) == 100
    assert light_above_background(plane, np.arange(50)[:, None] * np.ones(50) > 10) == 0
    assert np.isnan(light_above_background(np.full((3, 3), np.nan), None))
