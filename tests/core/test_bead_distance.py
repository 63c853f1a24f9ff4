"""The parts of the distance network: crops, normalisation, batches, networks, combining beads, errors, likeness."""

from __future__ import annotations

import numpy as np
import pytest

from parfocal.beads.distance.crops import (
    LabelledCrops,
    middle,
    read_labelled_crops,
    split_by_stack,
    write_labelled_crops,
)
from parfocal.beads.distance.network import build_network
from parfocal.beads.distance.normalise import background, normalise
from parfocal.beads.distance.sampler import CropSampler, shifted, warped
from parfocal.beads.distance.settings import learning_rate_at, training_settings
from parfocal.beads.simulation import A2K_LIKE

pytestmark = pytest.mark.current_python


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
    # Sums in single precision differ with the number of threads.
    np.testing.assert_allclose(hundred, 100 * one, rtol=1e-4, atol=1e-3 * np.abs(hundred).max())


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
