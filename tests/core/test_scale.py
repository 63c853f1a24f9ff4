from __future__ import annotations

import numpy as np
import pytest

from parfocal import Optics
from parfocal.focus_quality.scale import ModelScale
from parfocal.optics.optics import MODEL_OPTICS


def test_without_optics_nothing_is_resampled_and_no_um_are_given(rng):
    scale = ModelScale.of(None)
    image = rng.random((90, 90))
    assert scale.resample(image) is image
    assert np.isnan(scale.defocus_distance_um(3.0))
    assert scale.blur_diameter_px(3.0) == pytest.approx(3 * 2 / 0.65)


def test_model_optics_are_left_as_they_are():
    scale = ModelScale.of(MODEL_OPTICS)
    assert scale.zoom == 1.0
    assert scale.defocus_distance_um(3.0) == pytest.approx(6.0)
    assert scale.reason_out_of_range() == ""


@pytest.mark.parametrize(
    ("optics", "zoom"),
    [
        (Optics(pixel_size_um=0.325), 0.5),
        (Optics(pixel_size_um=1.3), 1.0),
        (Optics(0.5, 1.0, 1.0, 0.325), 1.0),
        (Optics(0.5, 1.0, 1.0, 0.1625), 0.5),
        (Optics(0.6, 1.2, 1.33, 0.08125), 0.25),
    ],
)
def test_pixels_are_brought_to_065_lateral_units_and_never_enlarged(optics, zoom):
    assert ModelScale.of(optics).zoom == pytest.approx(zoom)


@pytest.mark.parametrize("pixel_size_um", [0.1, 0.325, 0.65, 1.3])
def test_um_and_blur_follow_from_the_geometry_at_any_pixel_size(pixel_size_um):
    optics = Optics(pixel_size_um=pixel_size_um)
    scale = ModelScale.of(optics)
    distance_um = scale.defocus_distance_um(4.0)
    assert scale.blur_diameter_px(4.0) == pytest.approx(optics.blur_diameter_px(distance_um))
    assert distance_um == pytest.approx(8.0 * max(1.0, pixel_size_um / 0.65))


@pytest.mark.parametrize(
    ("pixel_size_um", "reason"),
    [(0.65 / 7.9, ""), (0.65 / 8.5, "8.5 times finer"), (0.65 * 3.9, ""), (0.65 * 4.5, "4.5 times coarser")],
)
def test_optics_far_from_the_model_are_out_of_range(pixel_size_um, reason):
    found = ModelScale.of(Optics(pixel_size_um=pixel_size_um)).reason_out_of_range()
    assert reason in found
    assert bool(found) == bool(reason)


def test_reduction_keeps_the_mean_and_gives_the_stated_shape(nuclei):
    scale = ModelScale.of(Optics(pixel_size_um=0.325))
    reduced = scale.resample(nuclei)
    assert reduced.shape == scale.resampled_shape(nuclei.shape) == (128, 128)
    assert reduced.mean() == pytest.approx(nuclei.mean(), rel=0.01)


def test_masks_are_reduced_with_the_image():
    mask = np.zeros((200, 300), bool)
    mask[50:100, 60:120] = True
    reduced = ModelScale.of(Optics(pixel_size_um=0.325)).resample_mask(mask)
    expected = np.zeros((100, 150), bool)
    expected[25:50, 30:60] = True
    np.testing.assert_array_equal(reduced, expected)


def test_small_object_keeps_a_pixel_when_reduced():
    scale = ModelScale.of(Optics(pixel_size_um=0.65 / 7))
    y, x = scale.resample_box((slice(10, 11), slice(69, 71)))
    assert (y, x) == (slice(1, 2), slice(9, 11))
