"""Training of restoring networks: losses, pairs, networks, and runs of a few steps that write a model."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import imageio.v3 as iio
import numpy as np
import pytest

from parfocal.focus_quality.synthesis import defocus_image
from parfocal.optics.optics import MODEL_OPTICS
from parfocal.registry import ModelError, load_model, shipped_file
from parfocal.restoration import fit, settings
from parfocal.restoration.dataset import find_pairs, read_pairs, read_pixels, split_pairs
from parfocal.restoration.export import write_onnx
from parfocal.restoration.losses import laplace_loss, restoration_loss, ssim
from parfocal.restoration.network import build_network, floored, on_squares
from parfocal.restoration.restore import restore_defocus
from parfocal.restoration.sampler import PairSampler, Scene, SyntheticSampler, measured_level, random_crop
from parfocal.restoration.settings import learning_rate_at, training_settings
from parfocal.restoration.squares import from_squares, to_squares
from parfocal.restoration.synthesis import LARGEST_THICKNESS, blurred_pair, expose, random_thickness, thick_layers
from parfocal.restoration.training import train_restorer


def discs(rng, size=100):
    """A sharp picture of bright discs on a dim background, float."""
    y, x = np.indices((size, size))
    picture = np.full((size, size), 10.0)
    for _ in range(12):
        inside = np.hypot(y - rng.uniform(0, size), x - rng.uniform(0, size)) < rng.uniform(4, 9)
        picture[inside] = rng.uniform(80, 240)
    return picture


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Six in-focus images, and the same blurred, in two folders."""
    rng = np.random.default_rng(7)
    top = tmp_path_factory.mktemp("pairs")
    for name in ("sharp", "blurred"):
        (top / name).mkdir()
    for i in range(6):
        picture = discs(rng)
        noisy = picture + rng.normal(0, 1.5, picture.shape)
        iio.imwrite(top / "sharp" / f"field{i}.png", np.rint(noisy).clip(0, 255).astype(np.uint8))
        iio.imwrite(top / "blurred" / f"field{i}.png", np.rint(defocus_image(picture, 8.0)).astype(np.uint8))
    return top


@pytest.fixture(scope="module")
def quick():
    """Make every run tiny: two crops a step, a validation after each step."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit, "VALIDATION_CROPS", 2)
        tiny = {
            name: replace(c, validation_steps=1, batch_size=2, crop_px=64 if name == "default" else 52)
            for name, c in settings.CONFIGS.items()
        }
        patch.setattr(settings, "CONFIGS", tiny)
        yield


@pytest.fixture(scope="module")
def trained(folders, quick, tmp_path_factory):
    """A default network after two steps."""
    return train_restorer(str(folders / "sharp"), str(tmp_path_factory.mktemp("model") / "tiny"), steps=2)


def test_ssim_is_that_of_tensorflow(rng):
    import tensorflow as tf

    truth = rng.random((3, 40, 52, 2), dtype=np.float32)
    other = (0.7 * truth + 0.3 * rng.random(truth.shape)).astype(np.float32)
    assert np.asarray(ssim(truth, other)) == pytest.approx(np.asarray(tf.image.ssim(truth, other, 1.0)), abs=1e-5)


def test_the_combined_losses_are_sums_of_the_two(rng):
    truth, other = (rng.random((2, 24, 24, 1), dtype=np.float32) for _ in range(2))
    losses = {name: float(restoration_loss(name, truth, other)) for name in ("ssim", "l1", "l1_100ssim", "ssim_4l1")}
    assert losses["l1"] == pytest.approx(np.abs(truth - other).mean(), rel=1e-5)
    assert losses["l1_100ssim"] == pytest.approx(losses["l1"] + 100 * losses["ssim"], rel=1e-5)
    assert losses["ssim_4l1"] == pytest.approx(losses["ssim"] + 4 * losses["l1"], rel=1e-5)
    with pytest.raises(ValueError, match="loss must be one of ssim, l1"):
        restoration_loss("l2", truth, other)


def test_the_default_network_begins_as_the_unchanged_image(rng):
    bank = rng.random((1, 32, 48, 6), dtype=np.float32)
    assert np.asarray(build_network("default")(bank))[..., 0] == pytest.approx(bank[..., 0], abs=1e-6)


def test_run_on_squares_the_default_network_gives_the_same(rng):
    network = build_network("default")
    network.set_weights([w + 0.05 * rng.standard_normal(w.shape) for w in network.get_weights()])
    bank = rng.random((6, 32, 48), dtype=np.float32)
    image, log_scale = np.moveaxis(np.asarray(network(np.moveaxis(bank, 0, -1)[None]))[0], -1, 0)
    squares = np.asarray(on_squares(network)(to_squares(bank, len(bank))[None]))[0]
    assert np.std(image - bank[0]) > 0.1
    assert from_squares(squares[:16]) == pytest.approx(image, abs=1e-4)
    assert floored(from_squares(squares[16:]), lambda x: np.logaddexp(x, 0)) == pytest.approx(log_scale, abs=1e-4)


def test_written_as_onnx_the_default_network_gives_the_same_and_enlarges_by_a_known_factor(rng, tmp_path):
    import onnx
    import onnxruntime

    network = build_network("default")
    network.set_weights([w + 0.05 * rng.standard_normal(w.shape) for w in network.get_weights()])
    write_onnx(network, tmp_path / "weights.onnx")
    squares = to_squares(rng.random((6, 48, 80), dtype=np.float32), 6)[None]
    session = onnxruntime.InferenceSession(str(tmp_path / "weights.onnx"), providers=["CPUExecutionProvider"])
    assert session.run(None, {"planes": squares})[0] == pytest.approx(
        np.asarray(on_squares(network)(squares)), abs=1e-4
    )
    operators = [node.op_type for node in onnx.load(tmp_path / "weights.onnx").graph.node]
    assert operators.count("Resize") == 2
    assert not {"Tile", "Transpose"} & set(operators)


def test_the_scale_of_the_error_never_vanishes(rng):
    network = build_network("default")
    weights = network.get_weights()
    # The last convolution is that of the scale: kernel and bias.
    network.set_weights([*weights[:-2], np.zeros_like(weights[-2]), np.full_like(weights[-1], -1e4)])
    log_scale = np.asarray(network(rng.random((1, 32, 32, 6), dtype=np.float32)))[..., 1]
    assert np.array_equal(log_scale, np.full_like(log_scale, -7.0))
    assert np.isfinite(float(laplace_loss(np.zeros_like(log_scale), log_scale)))


@pytest.mark.parametrize("name", ["xue2021", "unet"])
def test_the_papers_networks_give_388_px_of_572(name):
    network = build_network(name, channels=3, first_filters=2)
    assert network(np.zeros((1, 572, 572, 3), np.float32)).shape == (1, 388, 388, 3)


def test_the_papers_network_does_not_see_gain_and_offset(rng):
    # Instance normalisation comes first, so that only the image's pattern is left.
    network = build_network("xue2021", first_filters=2)
    image = rng.random((1, 236, 236, 1), dtype=np.float32)
    assert np.asarray(network(3 * image + 7)) == pytest.approx(np.asarray(network(image)), abs=2e-3)


def test_unknown_names_and_channels_are_refused():
    with pytest.raises(ValueError, match="architecture must be one of default, xue2021, unet, got 'srcnn'"):
        build_network("srcnn")
    with pytest.raises(ValueError, match=r"channels must be in \[1, 1\] for default, got 3"):
        build_network("default", channels=3)


def test_the_papers_recipe_is_kept():
    paper = training_settings("xue2021")
    assert (paper.optimizer, paper.learning_rate, paper.batch_size, paper.epochs) == ("nadam", 1e-3, 2, 60)
    assert (paper.loss, paper.crop_px, paper.first_filters, paper.steps) == ("ssim", 388, 64, 0)
    assert learning_rate_at(0, paper, 100) == learning_rate_at(99, paper, 100) == 1e-3
    assert training_settings("xue2021", steps=5).epochs == 0
    assert training_settings("default", epochs=3).steps == 0


def test_pixels_outside_a_crop_are_mirrored(rng):
    pixels = np.arange(48.0).reshape(6, 8)[..., None]
    crop = random_crop(pixels, 6, 3, rng)
    assert crop.shape == (12, 12, 1)
    assert set(np.unique(crop)) <= set(np.unique(pixels))


def test_both_images_of_a_synthetic_pair_are_those_of_the_microscope(rng):
    picture = discs(rng, 128).astype(np.float32)[..., None]
    focused, blurred = blurred_pair(picture, {3.0: 1.0}, MODEL_OPTICS)
    assert focused[..., 0] == pytest.approx(defocus_image(picture[..., 0], 0.0)[32:-32, 32:-32], abs=1e-2)
    assert blurred[..., 0] == pytest.approx(defocus_image(picture[..., 0], 6.0)[32:-32, 32:-32], abs=1e-2)


def test_layers_of_a_specimen_add_up(rng):
    picture = discs(rng, 128).astype(np.float32)[..., None]
    near, far = (blurred_pair(picture, {level: 1.0}, MODEL_OPTICS)[1] for level in (2.0, 6.0))
    focused, both = blurred_pair(picture, {2.0: 0.25, 6.0: 0.75}, MODEL_OPTICS)
    assert both == pytest.approx(0.25 * near + 0.75 * far, abs=1e-2)
    assert focused == pytest.approx(blurred_pair(picture, {4.0: 1.0}, MODEL_OPTICS)[0], abs=1e-2)


def test_a_thick_specimen_reaches_to_both_sides_of_its_middle():
    rng = np.random.default_rng(5)
    drawn = [thick_layers(7.0, 8.0, rng) for _ in range(500)]
    assert all(sum(layers.values()) == pytest.approx(1.0) for layers in drawn)
    levels = {level for layers in drawn for level in layers}
    assert (min(levels), max(levels)) == (3.0, 11.0)
    means = [sum(level * share for level, share in layers.items()) for layers in drawn]
    assert np.mean(means) == pytest.approx(7.0, abs=0.15)


@pytest.mark.parametrize("middle", [0.0, 2.0, 9.0])
def test_no_part_of_a_thick_specimen_is_in_focus(middle):
    rng = np.random.default_rng(6)
    thickness = [random_thickness(middle, rng) for _ in range(200)]
    assert max(thickness) <= LARGEST_THICKNESS
    assert middle - max(thickness) / 2 >= middle / 4


def test_exposure_adds_noise_but_no_bias(rng):
    clean = np.full((64, 64, 1), 0.5, np.float32)
    shown = [expose(clean, rng) for _ in range(40)]
    assert np.mean(shown) == pytest.approx(0.5, abs=0.02)
    assert min(image.std() for image in shown) > 0.005


def test_the_level_in_training_errs_as_the_measured_one_does():
    rng = np.random.default_rng(1)
    drawn = {level: [measured_level(level, rng) for _ in range(2000)] for level in (0.0, 5.0)}
    assert np.mean(drawn[5.0]) == pytest.approx(5.0, abs=0.05)
    assert np.std(drawn[5.0]) == pytest.approx(0.52, abs=0.06)
    assert 0.3 < np.mean(drawn[0.0]) < 1.2
    assert min(drawn[0.0]) == 0.0
    thick = [measured_level(5.0, rng, thickness=6.0) for _ in range(2000)]
    assert np.mean(thick) == pytest.approx(4.1, abs=0.1)


def test_batches_depend_on_seed_and_step_alone(rng):
    scene = Scene((discs(rng, 128) / 240)[..., None].astype(np.float16), "a")
    small = replace(training_settings("default"), crop_px=64)
    first, again, other = (SyntheticSampler([scene], small, seed).batch(3, 2) for seed in (1, 1, 2))
    assert first.inputs.shape == (2, 64, 64, 6)
    assert np.array_equal(first.inputs, again.inputs)
    assert not np.array_equal(first.truth, other.truth)


def test_pairs_share_the_intensity_scale_of_the_defocused_image(folders):
    pair = find_pairs(folders / "sharp", folders / "blurred")[0]
    pixels = read_pairs([pair])[0]
    span = float(np.ptp(read_pixels(pair.defocused)))
    ratio = np.ptp(pixels.focused) / np.ptp(read_pixels(pair.focused))
    assert ratio == pytest.approx(np.ptp(pixels.defocused) / span, rel=1e-5)
    assert pixels.level == pytest.approx(4.0, abs=1.0)
    # To the loss the background of the truth is 0 and its bright structures are 1.
    seen_by_loss = (pixels.focused - pixels.offset) / pixels.scale
    assert np.percentile(seen_by_loss, [0.5, 99.9]) == pytest.approx([0.0, 1.0], abs=1e-4)


def test_crops_of_a_pair_are_of_the_same_place(folders):
    pairs = read_pairs(find_pairs(folders / "sharp", folders / "blurred"))
    batch = PairSampler(pairs, "xue2021", 52, seed=1).batch(0, 4)
    assert batch.inputs.shape == (4, 236, 236, 1)
    middle = batch.inputs[:, 92:-92, 92:-92]
    for shown, truth in zip(middle, batch.truth):
        assert np.corrcoef(shown.ravel(), truth.ravel())[0, 1] > 0.7


def test_fields_of_pairs_do_not_cross_the_split(folders):
    pairs = find_pairs(folders / "sharp", folders / "blurred")
    train, validation = split_pairs(pairs, 0.3)
    assert len(train) + len(validation) == 6
    assert {p.focused for p in train}.isdisjoint({p.focused for p in validation})


def test_an_image_without_a_partner_is_named(folders, tmp_path):
    iio.imwrite(tmp_path / "field0.png", np.zeros((9, 9), np.uint8))
    with pytest.raises(ValueError, match=r"needs a partner of the same name.*5 have none \(field1.png, field2.png"):
        find_pairs(folders / "sharp", tmp_path)


def test_a_pair_of_two_sizes_is_named(folders, tmp_path):
    for i in range(6):
        iio.imwrite(tmp_path / f"field{i}.png", np.eye(90, 80, dtype=np.uint8))
    with pytest.raises(ValueError, match=r"must have one size, got 100 x 100 px and 80 x 90 px: .*field0.png"):
        read_pairs(find_pairs(folders / "sharp", tmp_path))


def test_an_empty_folder_of_partners_is_named(folders, tmp_path):
    with pytest.raises(FileNotFoundError, match="no image below .*looked for .png"):
        train_restorer(str(folders / "sharp"), str(tmp_path / "model"), defocused=str(tmp_path))
    assert not (tmp_path / "model").exists()


def test_a_run_writes_a_model_that_loads(trained):
    config = json.loads((trained / "config.json").read_text())
    assert (config["task"], config["architecture"], config["largest_level"]) == ("restoration", "default", 10.0)
    assert [int(row["step"]) for row in csv.DictReader((trained / "training_log.csv").open())] == [1, 2]
    card = (trained / "card.md").read_text()
    assert "before they are restored; they are of fields that were not trained on" in card
    assert load_model(trained, "restoration").predict(np.zeros((1, 96, 8, 12), np.float32)).shape == (1, 32, 8, 12)


@pytest.mark.current_python
def test_a_run_goes_on_from_its_last_checkpoint(folders, quick, trained, tmp_path):
    sharp, output = str(folders / "sharp"), str(tmp_path / "model")
    train_restorer(sharp, output, steps=1)
    with pytest.raises(FileExistsError, match="is not empty: choose another output folder, or resume"):
        train_restorer(sharp, output, steps=2)
    train_restorer(sharp, output, steps=2, resume=True)
    rows = [json.loads(line) for line in (tmp_path / "model" / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [1, 2]


@pytest.mark.current_python
def test_the_papers_network_learns_from_pairs_and_restores(folders, quick, tmp_path):
    output = tmp_path / "paper"
    train_restorer(
        str(folders / "sharp"), str(output), str(folders / "blurred"), "xue2021", epochs=1, first_filters=2, seed=3
    )
    config = json.loads((output / "config.json").read_text())
    assert (config["channels"], config["training"]["epochs"]) == (1, 1)
    image = iio.imread(folders / "blurred" / "field0.png")
    restored = restore_defocus(image, model=str(output), check_focus=False)
    assert restored.status == "ok"
    assert restored.image.dtype == np.uint8
    assert restored.image.shape == image.shape


@pytest.mark.current_python
def test_transfer_begins_from_the_other_models_weights(folders, quick, trained, tmp_path):
    output = train_restorer(
        str(folders / "sharp"), str(tmp_path / "new"), str(folders / "blurred"), start_from=str(trained), steps=1
    )
    record = json.loads((output / "training.json").read_text())
    assert record["learning_rate"] == pytest.approx(training_settings("default").learning_rate / 10)
    old, new = (np.load(folder / "start.npz") for folder in (trained, output))
    moved = max(float(np.abs(old[name].astype(np.float32) - new[name]).max()) for name in old.files)
    assert 0 < moved < 0.01
    assert f"Trained on from the model `{trained}`." in (output / "card.md").read_text()


def test_a_model_for_something_else_is_no_start(folders, tmp_path):
    for other in ("sorting/default/whole", "focus_quality/default"):
        with pytest.raises(ModelError, match="needed is one for 'restoration'"):
            train_restorer(str(folders / "sharp"), str(tmp_path / "new"), start_from=str(shipped_file(other)))
    assert not (tmp_path / "new").exists()
