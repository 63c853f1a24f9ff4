"""What is known of crops of beads before and after the networks: likeness, errors, limits, scale, simulation."""

from __future__ import annotations

import numpy as np
import pytest

from parfocal.beads.distance.calibration import Calibration, calibrate
from parfocal.beads.distance.combine import ErrorTable, combine, error_table
from parfocal.beads.distance.crops import (
    LabelledCrops,
    middle,
)
from parfocal.beads.distance.expectation import expected_profiles, field_deviation
from parfocal.beads.distance.likeness import KnownProfiles, radial_profiles
from parfocal.beads.distance.normalise import background
from parfocal.beads.distance.quality import crop_status
from parfocal.beads.distance.scale import scale_problem, to_trained_pixels
from parfocal.beads.distance.simulated import OPTICS, Variation, simulated_fields
from parfocal.beads.simulation import A2K_LIKE

pytestmark = pytest.mark.current_python


def blobs(n, size=40, seed=0):
    """Dark Gaussian spots of random width in the middle of crops with background 200, float32."""
    rng = np.random.default_rng(seed)
    away = np.hypot(*(np.indices((size, size)) - (size - 1) / 2))
    width = rng.uniform(3, 6, n)[:, None, None]
    return (200 * (1 - 0.8 * np.exp(-((away / width) ** 2)))).astype(np.float32)


@pytest.fixture(scope="module")
def look():
    return (A2K_LIKE.appearance(distance_range_um=(-100.0, 160.0)),)


def test_outlying_bead_does_not_move_the_mean():
    told = np.array([[1.0, 2.0], [1.1, 2.1], [0.9, 1.9], [1.0, 2.0], [0.95, 2.05], [80.0, 90.0], [np.nan, np.nan]])
    found = combine(told)
    np.testing.assert_allclose(found.member_distance_um, [0.99, 2.01])
    assert found.distance_um == pytest.approx(1.5)
    np.testing.assert_array_equal(found.used, [True] * 5 + [False] * 2)


def test_error_table_tells_scatter_of_beads_from_what_they_share():
    rng = np.random.default_rng(5)
    field = np.repeat(np.arange(4000), 6)
    truth = rng.uniform(-50, 50, 4000)[field]
    shared = np.where(truth > 0, 3.0, 1.0) * rng.standard_normal(4000)[field]
    table = error_table(truth + shared + 2.0 * rng.standard_normal(len(field)), truth, field, (-50, 50))
    np.testing.assert_allclose(table.bead_sd_um, 2.0, rtol=0.05)
    np.testing.assert_allclose(table.field_sd_um, [1.0] * 4 + [3.0] * 4, rtol=0.15)
    assert table.standard_error_um(30.0, 4, 0.0, 0.0) == pytest.approx(np.hypot(1.0, 3.0), rel=0.1)
    assert table.standard_error_um(30.0, 4, 8.0, 5.0) == pytest.approx(np.hypot(4.0, 5.0))
    assert ErrorTable.from_dict(table.as_dict()).bead_sd_um == pytest.approx(table.bead_sd_um, abs=5e-4)


def test_bins_without_a_field_take_the_error_of_all():
    field = np.repeat(np.arange(100), 2)
    truth = np.full(200, 40.0)
    error = np.tile([1.0, -1.0], 100)
    table = error_table(truth + error, truth, field, (-50, 50))
    np.testing.assert_allclose(table.bead_sd_um, np.sqrt(2))
    np.testing.assert_allclose(table.field_sd_um, 0, atol=1e-9)


def test_radial_profile_is_relative_and_does_not_see_a_neighbour():
    crops = blobs(2, 64)
    disturbed = crops.copy()
    disturbed[:, 48:, 48:] = 20
    np.testing.assert_allclose(radial_profiles(disturbed * 7), radial_profiles(crops), atol=0.02)
    assert radial_profiles(crops).shape == (2, 24)
    assert radial_profiles(crops)[:, 0].max() < 0.25


def test_unlikeness_is_small_only_at_the_right_distance():
    widths = np.linspace(3, 9, 61)
    away = np.hypot(*(np.indices((64, 64)) - 31.5))
    made = 200 * (1 - 0.8 * np.exp(-((away / widths[:, None, None]) ** 2)))
    known = KnownProfiles(radial_profiles(made).astype(np.float32), widths.astype(np.float32))
    profiles = radial_profiles(made)
    right = known.unlikeness(profiles, widths, 0.2)
    wrong = known.unlikeness(profiles, widths[::-1], 0.2)
    assert right.max() < 2e-3
    assert np.median(wrong) > 0.05
    assert np.isinf(known.unlikeness(profiles, widths + 20, 0.2)).all()
    assert known.unlikeness(np.ones((1, 24)), np.array([6.0]), 0.2) > 0.2


def test_known_profiles_survive_the_file(tmp_path):
    known = KnownProfiles(np.ones((3, 24), np.float32), np.arange(3, dtype=np.float32))
    known.write(tmp_path / "profiles.npz")
    read = KnownProfiles.read(tmp_path / "profiles.npz")
    np.testing.assert_array_equal(read.profiles, known.profiles)
    np.testing.assert_array_equal(read.distance_um, known.distance_um)


def test_unusable_crops_are_named():
    crops = blobs(4) + np.random.default_rng(1).normal(0, 1, (4, 40, 40)).astype(np.float32)
    crops[1] = 7
    crops[2] = np.minimum(crops[2], 150)
    crops[3, 0, 0] = np.nan
    assert crop_status(crops).tolist() == ["ok", "blank", "saturated", "not_finite"]
    assert crop_status(crops[:0]).tolist() == []


def test_other_pixel_size_is_resampled_to_the_same_picture(look):
    """The same beads on pixels of 1.5 and 1.3 um: resampled they agree but for the pixels' own width and noise."""
    from dataclasses import replace

    optics = OPTICS["a2k_like"]
    fine = replace(optics, preset=replace(optics.preset, optics=replace(optics.preset.optics, pixel_size_um=1.3)))
    plain = Variation(stray_share=0, gradient=0, neighbour_share=0, centre_jitter_px=0)
    distance = np.array([-60.0, -20.0, 15.0, 50.0])
    trained, other = (
        simulated_fields(o, look, distance, np.random.default_rng(1), plain, margin, np.ones(4))
        for o, margin in ((optics, 0), (fine, 6))
    )
    scaled = to_trained_pixels(other.crops_nyx, 1.3, 1.5, 64)
    assert scaled.shape == (4, 64, 64)
    difference = scaled / 125 - trained.crops_nyx / 125
    assert np.sqrt(np.mean(difference**2)) < 0.035
    np.testing.assert_array_equal(to_trained_pixels(trained.crops_nyx, 1.502, 1.5, 60), middle(trained.crops_nyx, 60))


@pytest.mark.parametrize(
    ("pixel_size", "size", "expected"),
    [
        (1.5, 64, None),
        (1.5, 63, ("too_small", "crops are 63 px wide, at 1.5 um a pixel 64 are needed")),
        (1.25, 77, None),
        (1.25, 76, ("too_small", "77 are needed")),
        (1.0, 200, ("out_of_range", "pixel_size_um is 1, the model was trained at 1.5 and takes 0.8 to 1.25 times")),
    ],
)
def test_crops_that_cannot_be_scaled_are_named(pixel_size, size, expected):
    found = scale_problem(size, pixel_size, 1.5, 64)
    assert (found and found[0]) == (expected and expected[0])
    assert expected is None or expected[1] in found[1]


def test_simulated_field_shares_distance_and_exposure(look):
    rng = np.random.default_rng(3)
    fields = simulated_fields(OPTICS["a2k_like"], look, np.array([-40.0, 30.0, 0.0]), rng, Variation(5))
    assert fields.crops_nyx.shape == (15, 74, 74)
    assert fields.crops_nyx.dtype == np.uint8
    np.testing.assert_array_equal(fields.distance_um, np.repeat([-40.0, 30.0, 0.0], 5))
    np.testing.assert_array_equal(fields.stack_index, np.repeat([0, 1, 2], 5))
    level = background(fields.crops_nyx).reshape(3, 5)
    assert (np.ptp(level, axis=1) < 0.05 * level.mean(axis=1)).all()
    assert np.ptp(level.mean(axis=1)) > 0.1 * level.mean()


def test_simulated_neighbours_look_in_and_leave_the_middle_alone(look):
    distance = np.full(6, 5.0)
    plain = {"stray_share": 0.0, "gradient": 0.0, "centre_jitter_px": 0.0}
    crowded, lone = (
        simulated_fields(
            OPTICS["a2k_like"],
            look,
            distance,
            np.random.default_rng(2),
            Variation(neighbour_share=s, **plain),
            0,
            np.ones(6),
        ).crops_nyx.astype(float)
        for s in (1.0, 0.0)
    )
    inside = np.hypot(*(np.indices((64, 64)) - 31.5)) < 8
    assert (np.abs(crowded - lone)[:, ~inside].max(axis=1) > 60).all()
    assert np.abs(crowded - lone)[:, inside].mean() < 6


def drawn_beads(distance, contrast=0.8):
    """Crops (n, 64, 64) of dark spots whose width tells the distance, without noise."""
    away = np.hypot(*(np.indices((64, 64)) - 31.5))
    return 200 * (1 - contrast * np.exp(-((away / (6 + distance[:, None, None] / 15)) ** 2)))


def test_stray_light_does_not_make_a_bead_unlike():
    distance = np.linspace(-30, 30, 61)
    known = KnownProfiles(radial_profiles(drawn_beads(distance)).astype(np.float32), distance.astype(np.float32))
    stray = known.unlikeness(radial_profiles(drawn_beads(distance) + 10.0), distance, 2.0)
    assert stray.max() < 2e-3
    assert known.unlikeness(radial_profiles(drawn_beads(distance, 0.6)), distance, 2.0).min() > 0.02


def test_beads_together_show_what_one_hides_in_its_noise():
    """Beads one percent of the background weaker, under noise of half a percent in every ring."""
    rng = np.random.default_rng(6)
    at = rng.uniform(-30, 30, 4000)
    width = np.arange(24) / 24

    def noisy(distance, contrast):
        clean = 1 - contrast * np.exp(-((width / (0.3 + distance[:, None] / 300)) ** 2))
        return clean + 0.005 * rng.standard_normal((len(distance), 24))

    known = KnownProfiles(noisy(at, 0.8).astype(np.float32), at.astype(np.float32))
    expected = expected_profiles(known, (-30.0, 30.0), np.zeros(200))
    distance = rng.uniform(-30, 30, 3000)
    good, weak = (expected.deviations(noisy(distance, contrast), distance) for contrast in (0.8, 0.79))
    assert np.cov(good.T) == pytest.approx(np.eye(24), abs=0.35)
    alone, together = ([[field_deviation(part) for part in np.split(d, n)] for d in (good, weak)] for n in (3000, 100))
    assert np.mean(np.array(alone[1]) > np.quantile(alone[0], 0.99)) < 0.6
    assert min(together[1]) > max(together[0])


def test_error_of_the_distance_allows_deviation_along_the_curve_only():
    distance = np.linspace(-30, 30, 2001)
    slope = np.linspace(0, 0.01, 24)
    rng = np.random.default_rng(2)
    known = KnownProfiles(1 + slope * distance[:, None] + 0.005 * rng.standard_normal((2001, 24)), distance)
    sure, unsure = (expected_profiles(known, (-30.0, 30.0), np.full(200, error)) for error in (0.0, 5.0))
    at = np.zeros(1)
    along, across = 1 + 4 * slope[None], 1 + 0.02 * (-1.0) ** np.arange(24)[None]
    assert field_deviation(sure.deviations(along, at)) > 4 * field_deviation(unsure.deviations(along, at))
    assert field_deviation(unsure.deviations(across, at)) > 0.8 * field_deviation(sure.deviations(across, at))


def test_calibration_limits_follow_the_distance():
    """Beads that scatter in contrast more at positive distances are believed there, and only there."""
    rng = np.random.default_rng(8)
    known_at = np.linspace(-30, 30, 121)
    known = KnownProfiles(radial_profiles(drawn_beads(known_at)).astype(np.float32), known_at.astype(np.float32))
    truth = np.repeat(rng.uniform(-30, 30, 200), 3)
    scatter = np.where(truth > 0, 8.0, 1.0)[:, None, None] * rng.standard_normal((600, 64, 64))
    held = LabelledCrops(drawn_beads(truth) + scatter, truth, np.repeat(np.arange(200), 3), 1.5, 28.5)
    told = np.stack([truth + rng.normal(0, 1, 600), truth + rng.normal(0, 1, 600)], axis=1)
    made = calibrate(lambda crops: told, known, held, 64, (-30.0, 30.0))
    assert Calibration.from_dict(made.as_dict()).as_dict() == made.as_dict()
    below, above = made.relative_unlikeness(np.full(2, 0.015), np.array([-15.0, 15.0]))
    assert above < made.unlikeness < below
    assert 1.0 < made.field_unlikeness < made.unlikeness
    assert (made.field_beads, made.deviation_limit(30)) == (3, made.field_deviation)
    assert made.deviation_limit(1) == pytest.approx(np.sqrt(3) * made.field_deviation)
    assert made.errors.bead_sd_um == pytest.approx([np.sqrt(0.5)] * 8, rel=0.3)
    with pytest.raises(ValueError, match="no crop that was kept back lies within -30 to 30 um"):
        calibrate(lambda crops: told, known, held.select(np.zeros(600, bool)), 64, (-30.0, 30.0))
