"""Images further out of focus than the last level: found at half the size."""

from __future__ import annotations

import numpy as np
import pytest

from parfocal import measure_image_focus, restore_defocus
from parfocal.focus_quality import plane
from parfocal.focus_quality.beyond import doubled, halved, is_beyond
from parfocal.focus_quality.synthesis import Camera, defocus_image


@pytest.fixture(scope="module")
def dense():
    """Dense nuclei at level 15, which look like level 5: a grid of discs, none like the other."""
    rng, image = np.random.default_rng(5), np.zeros((420, 420))
    y, x = np.indices(image.shape)
    for cy, cx in [(cy, cx) for cy in range(10, 420, 21) for cx in range(10, 420, 21)]:
        away = np.hypot(y - cy - rng.uniform(-4, 4), x - cx - rng.uniform(-4, 4))
        image = np.maximum(image, rng.uniform(0.6, 1.0) * (away < rng.uniform(6, 8)))
    return Camera().expose(1000 * np.maximum(defocus_image(image, 30.0), 0) + 50, rng)


def test_dense_structures_far_out_of_focus_get_the_last_level(dense, monkeypatch):
    found = measure_image_focus(dense).estimate
    assert found.defocus_level > 9 and "worst_level_or_beyond" in found.warnings
    assert restore_defocus(dense).planes[0].status == "out_of_range"
    monkeypatch.setattr(plane, "is_beyond", lambda level, level_at_half: False)
    assert measure_image_focus(dense).estimate.defocus_level < 8, "the second look had nothing to do"


def test_patches_and_objects_are_those_of_the_second_look(dense):
    labels = np.zeros(dense.shape, int)
    labels[100:220, 150:300] = 3
    found = measure_image_focus(dense, labels_yx=labels, mask_yx=np.ones(dense.shape, bool))
    patches = found.planes[0].patches
    assert patches.size_px == 168 and patches.corners_yx.max() <= 420 - 168
    assert found.objects[3].defocus_level > 9


@pytest.mark.parametrize("true", [3, 6, 9])
def test_levels_that_there_are_stay_as_they_are(real_images, true, monkeypatch):
    exposed = [Camera().expose(4 * defocus_image(i, 2.0 * true) + 50, np.random.default_rng(1)) for i in real_images]
    found = [measure_image_focus(image).estimate.defocus_level for image in exposed]
    monkeypatch.setattr(plane, "is_beyond", lambda level, level_at_half: False)
    assert found == [measure_image_focus(image).estimate.defocus_level for image in exposed]


def test_levels_at_half_the_size_count_twice():
    levels = doubled(np.eye(11))
    assert levels.argmax(axis=1).tolist() == [0, 2, 4, 6, 8, 10, 10, 10, 10, 10, 10]
    assert (levels.sum(axis=1) == 1).all()
    assert is_beyond(5.0, 10.0) and not is_beyond(8.0, 9.2) and not is_beyond(3.0, 8.0)
    assert not is_beyond(5.0, float("nan")) and not is_beyond(float("nan"), 10.0)


def test_halving_takes_means_of_any_type():
    image = np.array([[1, 3, 9], [5, 7, 9], [9, 9, 9]], np.uint8)
    assert halved(image).tolist() == [[4.0]]
    assert halved(np.full((2, 2), 2**31 - 1, np.int32)).item() == 2**31 - 1
