from __future__ import annotations

import numpy as np
import pytest

from parfocal.beads.simulation import (
    BeadAppearance,
    Light,
    Sample,
    Stage,
    pixel_profiles,
    plan_bead_scene,
    reference_offset_um,
    simulate_bead_crops,
    simulate_bead_stack,
)
from parfocal.focus_quality.synthesis import Camera
from parfocal.optics import Optics

pytestmark = pytest.mark.current_python

OPTICS = Optics(0.55, 0.2, 1.0, 1.0)
Z = np.arange(0.0, 41.0, 4.0)
SHAPE = (90, 120)
NOISELESS = {"light": Light(level_electrons=1e8), "camera": Camera(gain=1e-4, offset=0, read_noise=0)}


def made_up_bead(background=1.0, diameter=8.0, focus=5.0, reach=60.0):
    """A bright spot in a dark disc, sharpest `focus` um above the centre; quicker than optics, and known exactly."""
    radius, distance = np.linspace(0, 20, 101), np.linspace(-reach, reach, 121)
    blur = 1.5 + np.abs(distance - focus)[:, None] ** 1.5 / 40
    spot = np.exp(-(radius**2) / (2 * blur**2)) * 2 / blur
    disc = 0.8 / (1 + np.exp((radius - diameter / 2) / (0.3 * blur)))
    intensity = 1 - disc + spot if background else spot / spot.max()
    return BeadAppearance(radius, distance, intensity, background, diameter, OPTICS, 0.1)


BEAD, GLOW = made_up_bead(), made_up_bead(0.0)


def stack(bead=BEAD, seed=0, **settings):
    return simulate_bead_stack(bead, 1.0, SHAPE, Z, np.random.default_rng(seed), **settings)


def centroid(plane):
    """Of the deviation from the background, without what noise and the far tail add."""
    weight = np.abs(plane / np.median(plane) - 1.0)
    weight[weight < 0.003] = 0
    y, x = np.indices(plane.shape)
    return (weight * y).sum() / weight.sum(), (weight * x).sum() / weight.sum()


def test_the_same_seed_gives_the_same_stack():
    settings = {"sample": Sample(height_spread_um=2, touching_pairs=1, dust=3, cells=4), "stage": Stage((0.1, 0), 0.5)}
    first, again, other = stack(seed=3, **settings), stack(seed=3, **settings), stack(seed=4, **settings)
    np.testing.assert_array_equal(first.stack_zyx, again.stack_zyx)
    np.testing.assert_array_equal(first.centres_yx_px, again.centres_yx_px)
    assert (first.stack_zyx != other.stack_zyx).any()


def test_planes_one_by_one_are_those_of_the_stack():
    rng = np.random.default_rng(5)
    planes = list(plan_bead_scene(BEAD, 1.0, SHAPE, Z, rng).planes(rng))
    np.testing.assert_array_equal(np.stack(planes), stack(seed=5).stack_zyx)


def test_reference_plane_lies_where_it_was_asked_for_and_beads_below_it():
    offset = reference_offset_um(BEAD, 1.0)
    assert stack().reference_focal_plane_um == 20.0
    made = stack(reference_focal_plane_um=13.0)
    assert made.reference_focal_plane_um == 13.0
    np.testing.assert_allclose(made.bead_z_um, 13.0 - offset)
    np.testing.assert_allclose(made.scene.bead_reference_z_um, 13.0)


def test_the_centre_is_brightest_at_the_reference_plane():
    made = simulate_bead_stack(
        BEAD, 1.0, (41, 41), np.arange(0, 41.0), np.random.default_rng(0), centres_yx_px=[[20, 20]], **NOISELESS
    )
    assert made.z_um[made.stack_zyx[:, 20, 20].argmax()] == pytest.approx(20.0, abs=0.5)


def test_beads_lie_at_their_sub_pixel_centres():
    made = stack(centres_yx_px=[[44.3, 60.7]], **NOISELESS)
    assert centroid(made.stack_zyx[5]) == pytest.approx((44.3, 60.7), abs=0.02)


def test_drift_moves_beads_plane_by_plane():
    made = stack(centres_yx_px=[[40.0, 60.0]], stage=Stage(drift_yx_px_per_plane=(0.5, -0.3)), **NOISELESS)
    np.testing.assert_allclose(made.scene.drift_yx_px[[0, 10]], [[0, 0], [5, -3]])
    assert centroid(made.stack_zyx[10]) == pytest.approx((45.0, 57.0), abs=0.02)


def test_dust_stays_in_place_while_the_sample_drifts():
    made = stack(n_beads=0, sample=Sample(dust=6), stage=Stage(drift_yx_px_per_plane=(2.0, 0.0)), **NOISELESS)
    assert made.stack_zyx[0].min() < 0.9 * np.median(made.stack_zyx[0])
    np.testing.assert_allclose(made.stack_zyx[0].astype(int), made.stack_zyx[-1], atol=10)


def test_jitter_moves_the_planes_but_not_what_the_stage_reports():
    scene = stack(stage=Stage(z_jitter_um=0.5)).scene
    np.testing.assert_array_equal(scene.z_um, Z)
    assert 0.2 < (scene.true_z_um - Z).std() < 0.9
    plain = stack(centres_yx_px=[[45, 60]], seed=1, **NOISELESS)
    shaken = stack(centres_yx_px=[[45, 60]], seed=1, stage=Stage(z_jitter_um=0.5), **NOISELESS)
    profiles = pixel_profiles(BEAD, 1.0)
    expected = profiles.at(shaken.scene.true_z_um - shaken.bead_z_um[0])[:, 0] * 1e4
    np.testing.assert_allclose(shaken.stack_zyx[:, 45, 60], expected, atol=5)
    assert (plain.stack_zyx[:, 45, 60] != shaken.stack_zyx[:, 45, 60]).any()


def test_tilt_and_curvature_raise_beads_as_stated():
    centres = np.array([[44.5, 59.5], [84.5, 59.5], [44.5, 109.5]])
    made = stack(centres_yx_px=centres, sample=Sample(tilt_yx_um_per_mm=(50.0, -20.0), curvature_um_per_mm2=400.0))
    heights = made.bead_z_um - made.bead_z_um[0]
    np.testing.assert_allclose(heights, [0, 50 * 0.04 + 400 * 0.04**2, -20 * 0.05 + 400 * 0.05**2], atol=1e-9)


def test_heights_spread_as_stated():
    centres = np.random.default_rng(0).uniform(0, 90, (400, 2))
    scene = plan_bead_scene(
        BEAD, 1.0, SHAPE, Z, np.random.default_rng(1), centres_yx_px=centres, sample=Sample(height_spread_um=3.0)
    )
    assert scene.bead_z_um.std() == pytest.approx(3.0, rel=0.1)
    np.testing.assert_allclose(scene.bead_reference_z_um - scene.bead_z_um, reference_offset_um(BEAD, 1.0))


def test_pairs_touch_border_beads_are_cut_and_the_rest_keeps_its_distance():
    scene = plan_bead_scene(
        BEAD, 1.0, (200, 300), Z, np.random.default_rng(2), n_beads=8, sample=Sample(touching_pairs=2, border_beads=5)
    )
    centres = scene.centres_yx_px
    assert (len(centres), scene.touching.sum(), scene.at_border.sum()) == (17, 4, 5)
    pairs = centres[scene.touching].reshape(2, 2, 2)
    np.testing.assert_allclose(np.hypot(*(pairs[:, 0] - pairs[:, 1]).T), 8.0)
    to_border = np.minimum(centres + 0.5, np.array([199.5, 299.5]) - centres).min(axis=1)
    assert (to_border[scene.at_border] < 4).all()
    alone = ~(scene.touching | scene.at_border)
    assert (to_border[alone] >= 8).all()
    apart = np.hypot(*np.moveaxis(centres[alone][:, None] - centres[None], -1, 0))
    assert np.sort(apart, axis=1)[:, 1].min() >= 16


def test_given_beads_are_told_apart():
    scene = plan_bead_scene(
        BEAD, 1.0, SHAPE, Z, np.random.default_rng(0), centres_yx_px=[[40, 40], [40, 48], [80, 100], [2, 60]]
    )
    assert scene.touching.tolist() == [True, True, False, False]
    assert scene.at_border.tolist() == [False, False, False, True]


@pytest.mark.parametrize(("bead", "combine"), [(BEAD, np.multiply), (GLOW, np.add)])
def test_beads_multiply_in_bright_field_and_add_up_in_fluorescence(bead, combine):
    places = [[40, 50], [44, 57]]
    one, two = (stack(bead, centres_yx_px=[place]).scene.expected_plane(4) for place in places)
    both = stack(bead, centres_yx_px=places).scene.expected_plane(4)
    np.testing.assert_allclose(both / 1e4, combine(one / 1e4, two / 1e4), atol=1e-9)


def test_a_plane_is_what_the_pixel_profile_says():
    made = stack(centres_yx_px=[[40, 50]]).scene
    profiles = pixel_profiles(BEAD, 1.0)
    profile = profiles.at(made.true_z_um[3:4] - made.bead_z_um)[0]
    y, x = np.indices(SHAPE)
    expected = np.interp(np.hypot(y - 40, x - 50), profiles.radius_px, profile, right=1.0)
    np.testing.assert_allclose(made.expected_plane(3) / 1e4, expected, atol=1e-6)


def test_exposure_multiplies_the_light_and_stray_light_adds():
    dim = stack(light=Light(1000.0)).scene.expected_plane(0)
    bright = stack(light=Light(1000.0, exposure=2.5, stray_electrons=40.0)).scene.expected_plane(0)
    np.testing.assert_allclose(bright, 2.5 * (dim + 40.0))


def test_uneven_light_has_the_stated_size():
    scene = stack(n_beads=0, light=Light(100.0, vignetting=0.3, gradient_yx=(0.0, 0.1))).scene
    plane = scene.expected_plane(0)
    assert plane[[0, -1]][:, [0, -1]].mean() == pytest.approx(70.0)
    assert plane[:, -1].mean() / plane[:, 0].mean() == pytest.approx(1.05 / 0.95)


@pytest.mark.parametrize(("bits", "kind"), [(8, np.uint8), (12, np.uint16), (16, np.uint16)])
def test_counts_fit_the_bit_depth_and_saturate_at_its_end(bits, kind):
    top = 2**bits - 1
    made = stack(light=Light(level_electrons=1e4), camera=Camera(gain=0.8 * top / 1e4, offset=0, max_count=top))
    assert made.stack_zyx.dtype == kind
    assert made.stack_zyx.max() == top
    assert np.median(made.stack_zyx) == pytest.approx(0.8 * top, rel=0.01)


def test_noise_is_that_of_photons():
    made = stack(n_beads=0, light=Light(level_electrons=400.0), camera=Camera(offset=0, read_noise=3))
    assert made.stack_zyx.std() == pytest.approx(np.sqrt(409), rel=0.01)


def test_cells_are_faint_in_focus_and_change_sides_around_it():
    scene = stack(n_beads=0, sample=Sample(cells=12), seed=6).scene
    below, focus, above = (scene.cells.transmission(z, np.zeros(2)) - 1 for z in (-20.0, 0.0, 20.0))
    refracted = (above - below) / 2
    assert np.abs(refracted).max() > 0.1
    assert np.abs(focus).max() < 0.4
    assert focus.max() < 0.05
    np.testing.assert_allclose((above + below) / 2, focus, atol=0.15)


def test_cells_drift_with_the_sample():
    scene = stack(n_beads=0, sample=Sample(cells=12)).scene
    still, moved = (scene.cells.transmission(15.0, np.array(d)) for d in ((0.0, 0.0), (4.0, -3.0)))
    np.testing.assert_allclose(moved[4:, :-3], still[:-4, 3:], atol=1e-9)


def test_each_bead_gets_one_of_several_appearances():
    beads = [made_up_bead(focus=3.0), made_up_bead(focus=9.0)]
    scene = plan_bead_scene(beads, 1.0, SHAPE, Z, np.random.default_rng(0), n_beads=10)
    offsets = np.array([reference_offset_um(bead, 1.0) for bead in beads])
    assert set(scene.appearance_index) == {0, 1}
    np.testing.assert_allclose(scene.bead_reference_z_um - scene.bead_z_um, offsets[scene.appearance_index])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_beads": 500}, "no place left for another bead in a field of 90 x 120 pixels"),
        ({"centres_yx_px": [1.0, 2.0]}, r"centres_yx_px must be finite and of shape \(n, 2\)"),
        ({"reference_focal_plane_um": 90.0}, "um are needed, but the appearance holds -60 to 60 um"),
        ({"bead": GLOW, "sample": Sample(cells=1)}, "cells are simulated in bright field only"),
        ({"bead": [BEAD, GLOW]}, "all in bright field or all in fluorescence"),
        ({"bead": []}, "all in bright field or all in fluorescence"),
    ],
)
def test_what_cannot_be_simulated_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        stack(**settings)


@pytest.mark.parametrize("z_um", [[], [[0.0, 1.0]], [0.0, np.nan]])
def test_positions_must_be_a_line_of_numbers(z_um):
    with pytest.raises(ValueError, match="z_um must be a line of finite positions"):
        plan_bead_scene(BEAD, 1.0, SHAPE, np.array(z_um), np.random.default_rng(0))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Sample(dust=-1), "dust must be 0 or more and finite, got -1"),
        (lambda: Sample(minimum_distance_diameters=0.5), "minimum_distance_diameters must be 1 or more"),
        (lambda: Stage(z_jitter_um=np.nan), "z_jitter_um must be 0 or more and finite, got nan"),
        (lambda: Light(vignetting=1.5), "vignetting and gradient_yx must be at most 1"),
        (lambda: Light(gradient_yx=(0.0, -2.0)), "vignetting and gradient_yx must be at most 1"),
    ],
)
def test_settings_outside_their_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_crops_show_the_bead_at_the_distance_from_its_reference_plane():
    distance = np.array([-20.0, 0.0, 7.5])
    made = simulate_bead_crops(BEAD, 1.0, 31, distance, np.random.default_rng(0), centre_jitter_px=0.0, **NOISELESS)
    z = 20.0 + distance
    whole = simulate_bead_stack(
        BEAD, 1.0, (31, 31), [0.0, 40.0, *z], np.random.default_rng(0), centres_yx_px=[[15, 15]], **NOISELESS
    )
    np.testing.assert_allclose(made.crops_nyx, whole.stack_zyx[2:], atol=6)
    np.testing.assert_array_equal(made.distance_um, distance)


def test_crops_tell_where_the_bead_lies_and_how_bright_they_are():
    made = simulate_bead_crops(
        BEAD,
        1.0,
        41,
        np.zeros(40),
        np.random.default_rng(1),
        centre_jitter_px=3.0,
        exposure_range=(0.5, 2.0),
        **NOISELESS,
    )
    found = np.array([centroid(crop) for crop in made.crops_nyx])
    np.testing.assert_allclose(found, made.centres_yx_px, atol=0.02)
    np.testing.assert_allclose(np.median(made.crops_nyx, axis=(1, 2)), 1e4 * made.exposure, rtol=2e-3)
    assert made.exposure.min() >= 0.5 and made.exposure.max() <= 2.0 and np.ptp(made.exposure) > 0.5
    assert np.abs(made.centres_yx_px - 20).max() <= 3.0


def test_crops_are_the_same_for_the_same_seed():
    first, again = (
        simulate_bead_crops(
            [BEAD, made_up_bead(focus=8.0)], 1.0, 32, np.linspace(-30, 30, 20), np.random.default_rng(7)
        )
        for _ in range(2)
    )
    np.testing.assert_array_equal(first.crops_nyx, again.crops_nyx)
    assert set(first.appearance_index) == {0, 1}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size_px": 1}, "size_px must be 2 or more"),
        ({"exposure_range": (0.0, 1.0)}, "exposure_range rising above 0"),
        ({"exposure_range": (2.0, 1.0)}, "exposure_range rising above 0"),
        ({"centre_jitter_px": -1.0}, "centre_jitter_px 0 or more"),
        ({"distance_um": np.array([100.0])}, "but the appearance holds -60 to 60 um"),
    ],
)
def test_crops_outside_the_range_are_refused(changes, message):
    good = {"appearance": BEAD, "pixel_size_um": 1.0, "size_px": 16, "distance_um": np.zeros(1)}
    with pytest.raises(ValueError, match=message):
        simulate_bead_crops(**{**good, **changes}, rng=np.random.default_rng(0))
