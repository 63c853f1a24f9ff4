from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from bead_drawing import DIAMETER_PX, DIAMETER_UM, PIXEL_UM, draw_beads

from parfocal.beads import refusal
from parfocal.beads.bead import Bead
from parfocal.beads.detect import find_beads
from parfocal.beads.feature_table import measure_beads
from parfocal.beads.features import bead_features
from parfocal.beads.plane_input import camera_limit

BEADS = Path(__file__).parents[1] / "data" / "beads"
SHAPE = (160, 200)
CENTRES = np.array([[50.3, 50.6], [50.8, 140.2], [110.2, 95.4]])
BLURS = (4.0, 2.0, 1.0, 2.0, 4.0)


def beads_at(centres, diameter_um=DIAMETER_UM):
    return [Bead(float(y), float(x), diameter_um) for y, x in centres]


def stack_of(rng, centres=CENTRES, **kwargs):
    return np.stack([draw_beads(SHAPE, centres, rng, blur=blur, gradient=0.1, **kwargs) for blur in BLURS])


def test_features_of_a_drawn_bead_are_those_of_its_formula():
    image = draw_beads((121, 121), [(60.0, 60.0)], gradient=0, blur=2.0)
    features = bead_features(image, (60.0, 60.0), DIAMETER_UM, PIXEL_UM)
    r = np.linspace(0, 25, 20001)
    profile = 1 - 0.7 / np.sqrt(2) / (1 + np.exp((r - DIAMETER_PX / 2) / 1.2)) + 0.45 * np.exp(-((r / 4.8) ** 2) / 2)
    assert features.background == pytest.approx(1000, abs=0.5)
    assert features.centre_intensity == pytest.approx(np.interp(1.0, r, profile), abs=0.005)
    assert features.steepest_slope_per_um == pytest.approx(np.gradient(profile, r).min() / PIXEL_UM, rel=0.03)
    assert features.reason == ""


def test_bright_field_features_are_unchanged_by_exposure():
    image = draw_beads((121, 121), [(60.2, 59.7)], gradient=0)
    one, three = (bead_features(k * image, (60.2, 59.7), DIAMETER_UM, PIXEL_UM) for k in (1, 3))
    assert three.steepest_slope_per_um == pytest.approx(one.steepest_slope_per_um, rel=1e-9)
    assert three.centre_intensity == pytest.approx(one.centre_intensity, rel=1e-9)
    assert three.background == pytest.approx(3 * one.background, rel=1e-9)


def test_black_level_is_taken_off_in_bright_field():
    image = draw_beads((121, 121), [(60, 60)], gradient=0)
    plain = bead_features(image, (60, 60), DIAMETER_UM, PIXEL_UM)
    lifted = bead_features(image + 200, (60, 60), DIAMETER_UM, PIXEL_UM, black_level=200)
    assert lifted.centre_intensity == pytest.approx(plain.centre_intensity, rel=1e-9)
    assert lifted.steepest_slope_per_um == pytest.approx(plain.steepest_slope_per_um, rel=1e-9)


def test_fluorescent_features_are_counts_above_the_background():
    image = draw_beads((121, 121), [(60, 60)], glow=True)
    dim, bright = (
        bead_features(image + offset, (60, 60), DIAMETER_UM, PIXEL_UM, "fluorescence") for offset in (0, 500)
    )
    assert dim.centre_intensity == pytest.approx(1000, abs=1)
    assert bright.centre_intensity == pytest.approx(dim.centre_intensity, rel=1e-9)
    assert bright.steepest_slope_per_um == pytest.approx(dim.steepest_slope_per_um, rel=1e-9)
    assert dim.steepest_slope_per_um == pytest.approx(-1000 / 4 / 0.6 / PIXEL_UM, rel=0.2)


def test_features_are_sharpest_in_the_sharpest_plane(rng):
    table = measure_beads(stack_of(rng), beads_at(CENTRES), PIXEL_UM)
    assert table.steepest_slope_bz.shape == (3, 5)
    assert (table.steepest_slope_bz.argmin(axis=1) == 2).all()
    assert (table.centre_intensity_bz.argmax(axis=1) == 2).all()
    np.testing.assert_allclose(table.centres_bz_yx[:, 2], CENTRES, atol=0.02)
    assert table.reason_b == ("", "", "")


def test_beads_measured_together_equal_beads_measured_alone(rng):
    stack = stack_of(rng)
    together = measure_beads(stack, beads_at(CENTRES), PIXEL_UM)
    alone = measure_beads(stack, beads_at(CENTRES[1:2]), PIXEL_UM, others=beads_at(CENTRES[[0, 2]]))
    np.testing.assert_allclose(alone.centre_intensity_bz[0], together.centre_intensity_bz[1], rtol=1e-12)
    np.testing.assert_allclose(alone.steepest_slope_bz[0], together.steepest_slope_bz[1], rtol=1e-12)


def test_planes_are_read_once_in_order(rng):
    stack = stack_of(rng)
    np.testing.assert_array_equal(
        measure_beads((plane for plane in stack), beads_at(CENTRES), PIXEL_UM).centre_intensity_bz,
        measure_beads(stack, beads_at(CENTRES), PIXEL_UM).centre_intensity_bz,
    )


def test_background_is_that_of_the_light_at_the_bead(rng):
    image = draw_beads(SHAPE, CENTRES, rng, gradient=0.4)
    table = measure_beads([image], beads_at(CENTRES), PIXEL_UM)
    expected = 1000 * (1 + 0.4 * (CENTRES[:, 1] / SHAPE[1] - 0.5))
    np.testing.assert_allclose(table.background_bz[:, 0], expected, rtol=0.01)


def test_saturated_bead_is_excluded_in_its_plane_only(rng):
    stack = np.clip(stack_of(rng, level=120.0), 0, 255).astype(np.uint8)
    stack[2, 50, 50] = 255
    table = measure_beads(stack, beads_at(CENTRES), PIXEL_UM)
    expected = np.zeros((3, 5), bool)
    expected[0, 2] = True
    np.testing.assert_array_equal(np.isnan(table.steepest_slope_bz), expected)
    np.testing.assert_array_equal(table.reason_bz == refusal.SATURATED, expected)
    np.testing.assert_array_equal(table.saturated_bz > 0, expected)


@pytest.mark.parametrize(
    ("plane", "limit"),
    [
        (np.array([[3, 255]], np.uint8), 255),
        (np.array([[3, 200]], np.uint8), 255),
        (np.array([[4095, 4095, 3]], np.uint16), 4095),
        (np.array([[4095, 4000, 3]], np.uint16), 65535),
        (np.array([[1.0, 1.0, 0.2]]), 1.0),
        (np.array([[np.nan, 7.0, 7.0]]), np.inf),
    ],
)
def test_camera_limit_is_read_off_type_and_picture(plane, limit):
    assert camera_limit(plane) == limit


def test_given_saturation_level_counts(rng):
    table = measure_beads(stack_of(rng), beads_at(CENTRES), PIXEL_UM, saturation_level=1000.0)
    assert (table.reason_bz == refusal.SATURATED).any()


def test_image_saturated_everywhere_measures_nothing():
    stack = np.full((3, *SHAPE), 255, np.uint8)
    table = measure_beads(stack, beads_at(CENTRES), PIXEL_UM)
    assert np.isnan(table.centre_intensity_bz).all()
    assert table.reason_b == (refusal.NOT_MEASURED,) * 3
    assert not table.usable_b.any()


def test_pixels_that_are_not_finite_exclude_bead_and_plane(rng):
    stack = stack_of(rng)
    stack[1, 45:55, 45:55] = np.nan
    table = measure_beads(stack, beads_at(CENTRES), PIXEL_UM)
    assert table.reason_bz[0].tolist() == ["", refusal.NOT_FINITE, "", "", ""]
    assert (table.reason_bz[1:] == "").all()


def test_bead_without_free_background_says_so(rng):
    ring = CENTRES[0] + 22 * np.array([(np.sin(a), np.cos(a)) for a in np.arange(0, 6.28, 0.4)])
    table = measure_beads(stack_of(rng), beads_at(CENTRES[:1]), PIXEL_UM, others=beads_at(ring))
    assert (table.reason_bz == refusal.NO_BACKGROUND).all()
    assert table.reason_b == (refusal.NOT_MEASURED,)


def test_dark_plane_has_no_background_to_divide_by():
    assert bead_features(np.zeros(SHAPE), (50, 50), DIAMETER_UM, PIXEL_UM).reason == refusal.NO_BACKGROUND


def test_slow_drift_is_followed(rng):
    drift = np.array([0.15, -0.1])
    stack = [draw_beads(SHAPE, CENTRES + z * drift, rng, blur=b) for z, b in enumerate((2, 1.5, 1, 1, 1.5, 2, 3))]
    table = measure_beads(stack, beads_at(CENTRES), PIXEL_UM)
    expected = CENTRES[:, None] + np.arange(7)[None, :, None] * drift
    np.testing.assert_allclose(table.centres_bz_yx, expected, atol=0.12)
    np.testing.assert_allclose(table.drift_yx_px_per_plane, drift, atol=0.02)
    assert table.usable_b.all()


def test_bead_that_moves_is_named(rng):
    stack = []
    for z in range(8):
        centres = CENTRES.copy()
        centres[1, 0] += 5.0 * (z >= 4)
        stack.append(draw_beads(SHAPE, centres, rng))
    table = measure_beads(stack, beads_at(CENTRES), PIXEL_UM)
    assert table.reason_b == ("", refusal.MOVED, "")
    assert np.isfinite(table.centre_intensity_bz).all()


def test_jump_of_the_stage_moves_no_bead(rng):
    stack = [draw_beads(SHAPE, CENTRES + (4.0 if z >= 4 else 0.0), rng) for z in range(8)]
    assert measure_beads(stack, beads_at(CENTRES), PIXEL_UM).usable_b.all()


def test_plane_without_contrast_keeps_the_centre(rng):
    stack = [draw_beads(SHAPE, CENTRES, rng), rng.normal(1000, 10, SHAPE), np.full(SHAPE, 1000.0)]
    centres = measure_beads(stack, beads_at(CENTRES), PIXEL_UM).centres_bz_yx
    assert np.abs(centres[:, 1:] - CENTRES[:, None]).max() < 0.5


def test_no_bead_and_no_plane_give_empty_tables(rng):
    assert measure_beads(stack_of(rng), [], PIXEL_UM).centre_intensity_bz.shape == (0, 5)
    table = measure_beads([], beads_at(CENTRES), PIXEL_UM)
    assert table.centres_bz_yx.shape == (3, 0, 2)
    assert table.reason_b == (refusal.NOT_MEASURED,) * 3


def test_real_beads_repeat_between_two_acquisitions():
    tables = []
    for take in ("acq1", "acq2"):
        stack = tifffile.imread(BEADS / f"fluorescent_beads_{take}.tif")
        found = find_beads(stack, 15.0, 1.3668, "fluorescence")
        tables.append(measure_beads(stack, found.beads, 1.3668, "fluorescence", others=found.refused))
    first, second = tables
    assert first.usable_b.all()
    assert second.usable_b.all()
    # The lamp is 7 percent brighter in one plane of the second; the beads move by a tenth of a pixel.
    ratio = np.median(second.centre_intensity_bz / first.centre_intensity_bz, axis=0)
    np.testing.assert_allclose(ratio[2:7], 1.0, atol=0.08)
    assert np.abs(second.centres_bz_yx - first.centres_bz_yx)[:, 3:6].max() < 0.35
    for table in tables:
        assert np.median(table.centre_intensity_bz, axis=0).argmax() == 4
        assert np.median(table.steepest_slope_bz, axis=0).argmin() == 4


def test_real_centres_shift_as_the_centroids_do():
    first, second = (tifffile.imread(BEADS / f"fluorescent_beads_acq{k}.tif")[4] - 140.0 for k in (1, 2))
    y, x = np.indices(first.shape)
    beads = find_beads(first, 15.0, 1.3668, "fluorescence").beads
    for bead in beads:
        near = np.hypot(y - bead.y_px, x - bead.x_px) < 8
        moved = [
            np.subtract(*([(near * image * axis).sum() / (near * image).sum() for image in (second, first)]))
            for axis in (y, x)
        ]
        shift = [
            measure_beads([image], [bead], 1.3668, "fluorescence").centres_bz_yx[0, 0] for image in (second, first)
        ]
        np.testing.assert_allclose(shift[0] - shift[1], moved, atol=0.03)


@pytest.mark.parametrize(
    ("kwargs", "match"),
    [
        ({"pixel_size_um": -1.0}, "pixel_size_um must be above 0 um, got -1.0"),
        ({"contrast": "x"}, "contrast must be one of bright_field, fluorescence, got 'x'"),
        ({"beads": [Bead(5, 5, 10.0), Bead(9, 9, 12.0)]}, "beads must be of one diameter"),
        ({"beads": [Bead(float("nan"), 5, 10.0)]}, "beads must have a finite centre"),
        ({"planes": [np.ones((50, 50)), np.ones((9, 9))]}, r"plane 1 has \(9, 9\), the first \(50, 50\)"),
    ],
)
def test_wrong_arguments_say_what_is_wrong(kwargs, match):
    arguments = {"planes": [np.ones(SHAPE)], "beads": beads_at(CENTRES), "pixel_size_um": PIXEL_UM, **kwargs}
    with pytest.raises(ValueError, match=match):
        measure_beads(**arguments)
