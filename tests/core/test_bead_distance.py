"""The parts of the distance network: crops, normalisation, batches, networks, combining beads, errors, likeness."""

from __future__ import annotations

import numpy as np
import pytest

from parfocal.beads.distance.calibration import Calibration, calibrate
from parfocal.beads.distance.combine import ErrorTable, combine, error_table
from parfocal.beads.distance.crops import (
    LabelledCrops,
    middle,
    read_labelled_crops,
    split_by_stack,
    write_labelled_crops,
)
from parfocal.beads.distance.expectation import expected_profiles, field_deviation
from parfocal.beads.distance.likeness import KnownProfiles, radial_profiles
from parfocal.beads.distance.network import build_network
from parfocal.beads.distance.normalise import background, normalise
from parfocal.beads.distance.quality import crop_status
from parfocal.beads.distance.sampler import CropSampler, shifted, warped
from parfocal.beads.distance.scale import scale_problem, to_trained_pixels
from parfocal.beads.distance.settings import learning_rate_at, training_settings
from parfocal.beads.distance.simulated import OPTICS, Variation, simulated_fields
from parfocal.beads.simulation import A2K_LIKE


def blobs(n, size=40, seed=0):
    """Dark Gaussian spots of random width in the middle of crops with background 200, float32."""
    rng = np.random.default_rng(seed)
    away = np.hypot(*(np.indices((size, size)) - (size - 1) / 2))
    width = rng.uniform(3, 6, n)[:, None, None]
    return (200 * (1 - 0.8 * np.exp(-((away / width) ** 2)))).astype(np.float32)


@pytest.fixture(scope="module")
def crops():
    counts = np.rint(blobs(30)).astype(np.uint8)
    return LabelledCrops(counts, np.linspace(-29, 29, 30), np.repeat(np.arange(6), 5), 1.5, 28.5)


@pytest.fixture(scope="module")
def look():
    return (A2K_LIKE.appearance(distance_range_um=(-100.0, 160.0)),)


def test_labelled_crops_survive_the_file(crops, tmp_path):
    path = write_labelled_crops(crops, tmp_path / "set")
    for given in (path, tmp_path / "set"):
        read = read_labelled_crops(given)
        np.testing.assert_array_equal(read.crops_nyx, crops.crops_nyx)
        np.testing.assert_array_equal(read.distance_um, crops.distance_um)
        np.testing.assert_array_equal(read.stack_index, crops.stack_index)
        assert (read.pixel_size_um, read.bead_diameter_um) == (1.5, 28.5)
    with pytest.raises(FileExistsError, match="exists: choose another folder"):
        write_labelled_crops(crops, tmp_path / "set")


def test_file_without_labelled_crops_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no labelled crops at .*nowhere"):
        read_labelled_crops(tmp_path / "nowhere")
    np.savez(tmp_path / "other.npz", crops_nyx=np.zeros((2, 4, 4)))
    with pytest.raises(ValueError, match="distance_um, stack_index, pixel_size_um, bead_diameter_um missing"):
        read_labelled_crops(tmp_path / "other.npz")
    (tmp_path / "text.npz").write_text("no arrays")
    with pytest.raises(ValueError, match="text.npz"):
        read_labelled_crops(tmp_path / "text.npz")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"crops_nyx": np.zeros((3, 4, 5))}, r"square crops \(n, y, x\), got shape \(3, 4, 5\)"),
        ({"distance_um": np.zeros(2)}, "distance_um must have one value for each of the 3 crops"),
        ({"distance_um": np.array([0, np.nan, 1])}, "distance_um must be finite, 1 values are not"),
        ({"pixel_size_um": 0.0}, "pixel_size_um and bead_diameter_um must be above 0, got 0.0 and 28.5"),
    ],
)
def test_labelled_crops_that_do_not_fit_are_refused(change, message):
    fields = {"crops_nyx": np.zeros((3, 4, 4)), "distance_um": np.zeros(3), "stack_index": np.zeros(3)}
    with pytest.raises(ValueError, match=message):
        LabelledCrops(**{**fields, "pixel_size_um": 1.5, "bead_diameter_um": 28.5, **change})


def test_stacks_are_held_back_whole(crops):
    train, held = split_by_stack(crops, 0.34, seed=1)
    assert len(np.unique(held.stack_index)) == 2
    assert not set(train.stack_index) & set(held.stack_index)
    assert len(train) + len(held) == len(crops)
    single = crops.select(crops.stack_index == 0)
    assert [len(part) for part in split_by_stack(single, 0.2, seed=1)] == [4, 1]


def test_middle_cuts_evenly_and_refuses_small_crops():
    picture = np.arange(36.0).reshape(1, 6, 6)
    np.testing.assert_array_equal(middle(picture, 2), [[[14, 15], [20, 21]]])
    with pytest.raises(ValueError, match="at least 8 x 8 px, got 6 x 6"):
        middle(picture, 8)


def test_normalisations_by_hand():
    crops = blobs(3)
    z = normalise(crops, "z_score")
    np.testing.assert_allclose(z.mean(axis=(1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(z.std(axis=(1, 2)), 1, atol=1e-5)
    np.testing.assert_allclose(normalise(crops, "none", 255.0), crops / 255, rtol=1e-6)
    centred = normalise(crops, "zero_centre", 255.0)
    np.testing.assert_allclose(centred, (crops - crops.mean(axis=(1, 2), keepdims=True)) / 255, atol=1e-6)
    np.testing.assert_allclose(normalise(crops, "average_background"), crops / 200 - 1, atol=2e-3)
    with pytest.raises(ValueError, match="normalisation must be one of none, z_score, .* got 'log'"):
        normalise(crops, "log")


def test_background_holds_where_a_neighbour_looks_in():
    crops = blobs(1)
    crops[0, :12, :3] = 20
    assert background(crops)[0] == pytest.approx(200, abs=0.5)


def test_average_background_drops_exposure_and_none_does_not():
    crops = blobs(2)
    np.testing.assert_allclose(
        normalise(crops * 3, "average_background"), normalise(crops, "average_background"), atol=1e-6
    )
    assert np.abs(normalise(crops * 3, "none") - normalise(crops, "none")).max() > 1


def test_shift_moves_the_picture_and_repeats_its_edge():
    picture = np.arange(16.0).reshape(4, 4)
    np.testing.assert_array_equal(shifted(picture, (1, 0), 2), [[9, 10], [13, 14]])
    np.testing.assert_array_equal(shifted(picture, (0, 2), 2), [[7, 7], [11, 11]])


def test_paper_augmentation_moves_the_bead_and_keeps_its_contrast():
    crop = blobs(1, 64)[0]
    rng = np.random.default_rng(0)
    made = np.stack([warped(crop, rng, 64) for _ in range(40)])
    darkness = 200 - made
    centre = [(darkness * np.indices((64, 64))[axis]).sum(axis=(1, 2)) / darkness.sum(axis=(1, 2)) for axis in (0, 1)]
    for along in centre:
        assert 4 < np.abs(along - 31.5).max() < 5.6
        assert along.std() > 2
    area = darkness.sum(axis=(1, 2)) / (200 - crop).sum()
    assert 0.95**2 - 0.01 < area.min() < 0.95 < 1.05 < area.max() < 1.05**2 + 0.01
    np.testing.assert_allclose(made.min(axis=(1, 2)), crop.min(), atol=6)


def test_exact_augmentation_leaves_every_count_as_it_is(crops):
    sampler = CropSampler(crops, 30, "none", 1.0, seed=3, augmentation="exact")
    inputs, labels = sampler.batch(0, 30)
    assert inputs.shape == (30, 30, 30, 1)
    assert inputs.dtype == labels.dtype == np.float32
    assert (inputs == np.rint(inputs)).all()
    assert sorted(labels[:, 0]) == sorted(crops.distance_um.astype(np.float32))
    lowest = {float(distance): crop.min() for distance, crop in zip(crops.distance_um.astype("f"), crops.crops_nyx)}
    assert all(crop.min() == lowest[float(label)] for crop, label in zip(inputs, labels[:, 0]))


def test_batches_depend_on_seed_and_step_alone(crops):
    def batch(seed, step):
        return CropSampler(crops, 32, "none", 1.0, seed, "exact").batch(step, 8)

    for one, other in zip(batch(1, 5), batch(1, 5)):
        np.testing.assert_array_equal(one, other)
    for seed, step in ((2, 5), (1, 6)):
        assert (batch(seed, step)[0] != batch(1, 5)[0]).any()
    following = CropSampler(crops, 32, "none", 1.0, 1, "exact").batches(5, 8)
    for step in (5, 6):
        np.testing.assert_array_equal(next(following)[0], batch(1, step)[0])


def test_labels_beyond_the_limits_are_set_to_them(crops):
    _, labels = CropSampler(crops, 32, "none", 1.0, limits_um=(-10.0, 20.0)).batch(0, 30)
    assert (labels.min(), labels.max()) == (-10, 20)


def test_resnet_18_has_its_eleven_million_parameters_and_the_default_is_slim():
    assert build_network("chalfoun2024", 64).count_params() == pytest.approx(11.18e6, rel=0.005)
    for px in (64, 128):
        assert 150_000 < build_network("default", px).count_params() < 200_000


def test_output_is_in_micrometres_of_the_scale():
    crops = normalise(blobs(2, 64), "average_background")[..., None]
    one, hundred = (np.asarray(build_network("default", 64, s, seed=2)(crops, training=False)) for s in (1.0, 100.0))
    assert one.shape == (2, 1)
    np.testing.assert_allclose(hundred, 100 * one, rtol=1e-4)


def test_weight_decay_adds_half_the_squared_weights():
    network = build_network("default", 64, weight_decay=1e-2)
    squares = sum(np.sum(np.square(w.numpy())) for w in network.trainable_weights if len(w.shape) > 1)
    assert float(sum(network.losses)) == pytest.approx(0.005 * squares, rel=1e-4)
    assert not build_network("default", 64).losses


def test_unknown_architecture_and_bad_sizes_are_errors():
    with pytest.raises(ValueError, match=r"architecture must be one of \['chalfoun2024', 'default'\], got 'vgg'"):
        build_network("vgg")
    with pytest.raises(ValueError, match="crop_px must be 32 or more and scale_um above 0, got 16 and 1.0"):
        build_network("default", 16)


def test_settings_are_those_of_the_paper_for_chalfoun2024():
    paper = training_settings("chalfoun2024")
    assert (paper.learning_rate, paper.batch_size, paper.weight_decay, paper.members) == (1e-4, 32, 5e-4, 10)
    assert (paper.validation_steps, paper.patience, paper.validation_share) == (2000, 10, 0.2)
    assert (paper.normalisation, paper.augmentation, paper.huber_share) == ("none", "chalfoun2024", 0)
    assert learning_rate_at(15 * 100 - 1, paper, 100) == 1e-4
    assert learning_rate_at(15 * 100, paper, 100) == pytest.approx(0.9e-4)
    assert learning_rate_at(45 * 100, paper, 100) == pytest.approx(0.9**3 * 1e-4)


def test_default_rate_rises_then_falls_to_one_percent():
    settings = training_settings("default", steps=1000)
    rates = [learning_rate_at(step, settings) for step in range(1000)]
    assert rates[0] == pytest.approx(settings.learning_rate / 200, rel=1e-3)
    assert np.argmax(rates) == 199
    assert rates[-1] == pytest.approx(0.01 * settings.learning_rate, rel=0.01)


def test_wrong_settings_say_what_would_be_right():
    with pytest.raises(ValueError, match=r"config must be one of \['chalfoun2024', 'default'\], got 'x'"):
        training_settings("x")
    with pytest.raises(ValueError, match="members must be at least 1, got 0"):
        training_settings("default", members=0)
    with pytest.raises(ValueError, match="normalisation must be one of none, .* got 'log'"):
        training_settings("default", normalisation="log")


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
