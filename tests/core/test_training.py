"""Training: the images that are taken, the loss, and runs of a few steps that write a model which loads."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import imageio.v3 as iio
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from parfocal import measure_image_focus
from parfocal.focus_quality import fit, network, settings
from parfocal.focus_quality.dataset import BlurredImage, PatchSampler, has_content
from parfocal.focus_quality.fit import learning_rate_at
from parfocal.focus_quality.network import build_network, ranked_probability_score
from parfocal.focus_quality.settings import training_settings
from parfocal.focus_quality.synthesis import defocus_image, defocus_levels
from parfocal.focus_quality.training import train_focus_quality
from parfocal.registry import load_model
from parfocal.training.images import TrainingImage, find_training_images, reason_to_refuse, split_by_field
from parfocal.training.run_folder import claim_run_folder, refused_line


def discs(rng, size=100):
    """A sharp picture of bright discs on a dim background, uint8."""
    y, x = np.indices((size, size))
    picture = np.full((size, size), 10.0)
    for _ in range(12):
        radius = rng.uniform(4, 9)
        inside = np.hypot(y - rng.uniform(0, size), x - rng.uniform(0, size)) < radius
        picture[inside] = rng.uniform(80, 240)
    return np.rint(picture + rng.normal(0, 1.5, picture.shape)).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def image_folder(tmp_path_factory):
    """Ten good images, and one each that is blank, blurred, too small, and two that are no image at all."""
    rng = np.random.default_rng(7)
    folder = tmp_path_factory.mktemp("images")
    for i in range(10):
        iio.imwrite(folder / f"good{i}.png", discs(rng))
    bad = folder / "bad"
    bad.mkdir()
    iio.imwrite(bad / "blank.png", np.full((100, 100), 9, np.uint8))
    iio.imwrite(bad / "blurred.png", gaussian_filter(discs(rng).astype(float), 4).astype(np.uint8))
    iio.imwrite(bad / "small.png", discs(rng, 60))
    (bad / "text,with comma.tif").write_text("no picture")
    (bad / "two bytes.tif").write_text("x\n")
    return folder


@pytest.fixture(scope="module")
def quick():
    """Make every run tiny: two steps an epoch, eight patches a step."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit, "VALIDATION_BATCHES", 1)
        tiny = {
            name: replace(c, steps_per_epoch=2, batch_size=8, simulated_pictures=min(2, c.simulated_pictures))
            for name, c in settings.CONFIGS.items()
        }
        patch.setattr(settings, "CONFIGS", tiny)
        yield


@pytest.fixture(scope="module")
def trained(image_folder, tmp_path_factory, quick):
    """Model folder of a run of six steps that was never interrupted."""
    return train_focus_quality(image_folder, tmp_path_factory.mktemp("run") / "whole", steps=6)


def predictions(folder):
    patches = np.random.default_rng(3).normal(500, 50, (4, 84, 84, 1)).astype(np.float32)
    return load_model(folder, "focus_quality").predict(patches)


def test_training_writes_a_model_folder_that_measures(trained, nuclei):
    names = {"weights.onnx", "config.json", "card.md", "training_log.csv", "training_curve.png"}
    assert names <= {path.name for path in trained.iterdir()}
    config = json.loads((trained / "config.json").read_text())
    assert (config["architecture"], config["training"]["steps"], config["training"]["seed"]) == ("default", 6, 1)
    assert config["pooling"] == {"independence": 0.34, "smallest_share_near": 0.5}
    result = measure_image_focus(nuclei, model=str(trained))
    np.testing.assert_allclose(result.planes[0].patches.probabilities.sum(axis=1), 1.0, atol=1e-5)


def test_log_has_a_row_per_epoch(trained):
    with (trained / "training_log.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    assert [int(row["step"]) for row in rows] == [2, 4, 6]
    assert all(0 < float(row["loss"]) < 10 for row in rows)
    assert all(0 <= float(row["exact"]) <= float(row["within_one"]) <= 1 for row in rows)


def test_exported_weights_give_what_keras_gives(trained, tmp_path):
    from parfocal.focus_quality.export import write_onnx

    network = build_network("default", seed=4)
    write_onnx(network, tmp_path / "weights.onnx")
    import onnxruntime

    patches = np.random.default_rng(3).normal(500, 50, (4, 84, 84, 1)).astype(np.float32)
    session = onnxruntime.InferenceSession(str(tmp_path / "weights.onnx"), providers=["CPUExecutionProvider"])
    exported = session.run(None, {session.get_inputs()[0].name: patches})[0]
    np.testing.assert_allclose(exported, np.asarray(network(patches, training=False)), atol=1e-5)


def test_bad_images_are_refused_and_listed(trained):
    with (trained / "refused.csv").open(newline="") as lines:
        refused = {row["file"]: row["reason"] for row in csv.DictReader(lines)}
    expected = {
        "blank.png": "blank",
        "blurred.png": "not in focus: edge slope ratio",
        "small.png": "too small: 60 x 60 px, needs 84",
        "text,with comma.tif": "cannot be read",
        "two bytes.tif": "cannot be read",
    }
    # All of them, also the one that is kept back for tests.
    assert refused.keys() == expected.keys()
    for name, reason in expected.items():
        assert refused[name].startswith(reason)


@pytest.mark.current_python
def test_interrupted_run_resumes_to_the_same_weights(trained, image_folder, tmp_path, monkeypatch):
    """Six steps at once, and six steps with a break after the fifth, whose epoch is run again."""
    rate = fit.learning_rate_at

    def stop_at_the_sixth(step, settings):
        if step == 5:
            raise KeyboardInterrupt
        return rate(step, settings)

    with monkeypatch.context() as patch:
        patch.setattr(fit, "learning_rate_at", stop_at_the_sixth)
        with pytest.raises(KeyboardInterrupt):
            train_focus_quality(image_folder, tmp_path / "run", steps=6)
    assert not (tmp_path / "run" / "weights.onnx").exists()
    resumed = train_focus_quality(image_folder, tmp_path / "run", steps=6, resume=True)
    np.testing.assert_allclose(predictions(resumed), predictions(trained), atol=1e-6)
    rows = [(resumed / "training_log.csv").read_text(), (trained / "training_log.csv").read_text()]
    assert rows[0].count("\n") == rows[1].count("\n") == 4


@pytest.mark.current_python
def test_yang2018_trains_to_a_model_folder_that_measures(image_folder, tmp_path, quick, nuclei, monkeypatch):
    assert 28e6 < build_network("yang2018").count_params() < 30e6
    # Half a gigabyte of weights and checkpoints would take a minute to write.
    monkeypatch.setattr(network, "YANG2018_UNITS", 16)
    folder = train_focus_quality(image_folder, tmp_path / "yang", "yang2018", steps=1, learning_rate=1e-4)
    config = json.loads((folder / "config.json").read_text())
    assert config["input"] == "counts"
    result = measure_image_focus(nuclei[:84, :168], model=str(folder))
    assert result.planes[0].patches.probabilities.shape == (2, 11)


def test_folder_that_holds_something_is_not_written_to(image_folder, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="is not empty: choose another output folder, or resume the run in it"):
        train_focus_quality(image_folder, tmp_path)
    with pytest.raises(FileExistsError, match="holds no training run to resume: training.json is missing"):
        train_focus_quality(image_folder, tmp_path, resume=True)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_what_a_run_left_that_failed_at_once_is_in_nobodys_way(tmp_path):
    settings, folder = training_settings("default"), tmp_path / "run"
    claim_run_folder(folder, settings, resume=False)
    (folder / "refused.csv").write_text("file,source,reason\na.tif,s,blank\n")
    assert refused_line(folder) == f"1 image refused, with the reasons: {folder / 'refused.csv'}"
    claim_run_folder(folder, settings, resume=False)
    assert refused_line(folder) == ""  # the list was that of the run that failed
    (folder / "log.jsonl").write_text("{}\n")
    with pytest.raises(FileExistsError, match="is not empty"):
        claim_run_folder(folder, settings, resume=False)


@pytest.mark.parametrize("name", ["refused.txt", "training.json"])
def test_files_of_a_person_are_not_taken_for_those_of_a_run(name, tmp_path):
    (tmp_path / name).write_text('{"mine": 1}')
    with pytest.raises(FileExistsError, match="is not empty"):
        claim_run_folder(tmp_path, training_settings("default"), resume=False)
    assert (tmp_path / name).read_text() == '{"mine": 1}'


def test_run_of_another_architecture_is_not_resumed(trained, image_folder):
    with pytest.raises(ValueError, match="config must be that of the run in .*, 'default', got 'yang2018'"):
        train_focus_quality(image_folder, trained, "yang2018", resume=True)


def test_folder_without_a_usable_image_is_an_error(tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    with pytest.raises(FileNotFoundError, match="no training image below"):
        train_focus_quality(images, tmp_path / "run")
    iio.imwrite(images / "blank.png", np.full((100, 100), 9, np.uint8))
    with pytest.raises(FileNotFoundError, match="no image in .* can be trained from; see .*refused.csv"):
        train_focus_quality(images, tmp_path / "run", resume=True)


def test_settings_are_those_of_the_paper_for_yang2018():
    settings = training_settings("yang2018")
    assert (settings.steps, settings.learning_rate, settings.augment, settings.decay) == (1_000_000, 5e-6, True, False)
    assert training_settings("default", seed=0).seed == 0
    with pytest.raises(
        ValueError, match=r"config must be one of \['default', 'images_alone', 'yang2018'\], got 'yang'"
    ):
        training_settings("yang")
    with pytest.raises(ValueError, match="steps must be at least 1, got 0"):
        training_settings("default", steps=0)


def test_learning_rate_rises_then_falls_to_one_percent():
    settings = training_settings("default")
    rates = [learning_rate_at(step, settings) for step in range(settings.steps)]
    assert rates[0] == pytest.approx(settings.learning_rate / 200)
    assert np.argmax(rates) == 199
    assert rates[-1] == pytest.approx(0.01 * settings.learning_rate, rel=0.01)
    constant = training_settings("yang2018")
    assert learning_rate_at(500_000, constant) == constant.learning_rate


def test_ranked_probability_score_by_hand():
    """Truth level 1 of 4: cumulative 0, 1, 1, 1."""
    truth = np.tile(np.eye(4, dtype=np.float32)[1], (4, 1))
    predicted = np.array([[0, 1, 0, 0], [0, 0, 0, 1], [0.5, 0.5, 0, 0], [0.25] * 4], np.float32)
    score = np.asarray(ranked_probability_score(truth, predicted))
    np.testing.assert_allclose(score, [0.0, 2.0, 0.25, 0.25**2 + 0.5**2 + 0.25**2], atol=1e-6)


def test_a_neighbouring_level_costs_less_than_a_far_one():
    truth = np.tile(np.eye(11, dtype=np.float32)[3], (11, 1))
    score = np.asarray(ranked_probability_score(truth, np.eye(11, dtype=np.float32)))
    np.testing.assert_allclose(score, np.abs(np.arange(11) - 3), atol=1e-6)


def test_same_seed_gives_the_same_initial_weights():
    first, again, other = (build_network("default", seed).get_weights() for seed in (1, 1, 2))
    assert all((a == b).all() for a, b in zip(first, again))
    assert any((a != b).any() for a, b in zip(first, other))


def test_unknown_architecture_lists_the_known():
    with pytest.raises(ValueError, match=r"architecture must be one of \['default', 'yang2018'\], got 'resnet'"):
        build_network("resnet")


@pytest.fixture(scope="module")
def blurred(nuclei):
    levels = defocus_levels(np.maximum(nuclei - 4.0, 0) / 150).astype(np.float16)
    return [BlurredImage(levels, "a", "DNA", 0.01), BlurredImage(levels[:, :100, :90], "b", "DNA", 0.01)]


def test_batches_depend_on_seed_and_step_alone(blurred):
    first, again = PatchSampler(blurred, 1).batch(7, 6), PatchSampler(blurred, 1).batch(7, 6)
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    for other in (PatchSampler(blurred, 2).batch(7, 6), PatchSampler(blurred, 1).batch(8, 6)):
        assert (other[0] != first[0]).any()
    following = PatchSampler(blurred, 1).batches(7, 6)
    np.testing.assert_array_equal(next(following)[0], first[0])
    np.testing.assert_array_equal(next(following)[0], PatchSampler(blurred, 1).batch(8, 6)[0])


def test_patches_are_counts_with_one_level_or_the_uniform_target(blurred):
    patches, targets = PatchSampler(blurred, 1).batch(0, 64)
    assert patches.shape == (64, 84, 84, 1)
    assert patches.dtype == targets.dtype == np.float32
    assert (patches == np.rint(patches)).all()
    assert 0 <= patches.min() <= patches.max() <= 65535
    np.testing.assert_allclose(targets.sum(axis=1), 1.0, atol=1e-6)
    assert set(np.round(targets.max(axis=1), 4)) <= {1.0, np.float32(0.0909)}
    assert len(set(targets[targets.max(axis=1) == 1].argmax(axis=1))) == 11


def test_empty_patches_carry_the_uniform_target():
    empty = [BlurredImage(np.zeros((11, 90, 90), np.float16), "a", "", 0.01)]
    np.testing.assert_allclose(PatchSampler(empty, 1).batch(0, 8)[1], 1 / 11, atol=1e-6)


def test_smooth_noise_without_structure_carries_the_uniform_target():
    empty = [BlurredImage(np.zeros((11, 90, 90), np.float16), "a", "", 0.0)]
    patches, targets = PatchSampler(empty, 1, augment=False, smooth_noise=True).batch(0, 64)
    np.testing.assert_allclose(targets, 1 / 11, atol=1e-6)
    flat = (patches - patches.mean(axis=(1, 2), keepdims=True))[..., 0]
    neighbours = (flat[:, 1:] * flat[:, :-1]).mean(axis=(1, 2)) / (flat**2).mean(axis=(1, 2))
    assert 0.05 < (neighbours > 0.2).mean() < 0.4


def test_a_mixed_patch_shows_two_images_at_one_level():
    """One image is bright at the left or right, or above or below; the other one in the middle."""
    side, middle = np.zeros((2, 11, 84, 84), np.float16)
    side[:, :8] = middle[:, 32:52, 32:52] = 1.0
    images = [BlurredImage(side, "a", "", 0.0), BlurredImage(middle, "b", "", 0.0)]
    for share, both in ((0.0, 0.0), (1.0, 0.5)):
        shown = PatchSampler(images, 1, augment=False, mixed_share=share).batch(0, 64)[0][..., 0]
        border = max_over(shown, (slice(0, 6), slice(-6, None)))
        dark = np.median(shown, axis=(1, 2))
        noise = shown[:, 12:28, 12:28].std(axis=(1, 2))
        seen = [(bright - dark > 3 * noise) for bright in (border, shown[:, 36:48, 36:48].mean(axis=(1, 2)))]
        assert (seen[0] & seen[1]).mean() == pytest.approx(both, abs=0.2)


def max_over(patches, sides):
    """Brightest mean of the four borders."""
    rows = [patches[:, side].mean(axis=(1, 2)) for side in sides]
    return np.max([*rows, *(patches[:, :, side].mean(axis=(1, 2)) for side in sides)], axis=0)


def test_structure_must_stand_out_above_the_noise_of_the_means(rng):
    clean = np.kron(rng.random((21, 21)), np.ones((4, 4)))
    assert has_content(clean, 0.25)
    assert not has_content(clean, 0.35)


def test_sampler_standardises_for_networks_that_ask_for_it(blurred):
    counts, standard = (PatchSampler(blurred, 1, standardised=wanted).batch(3, 8)[0] for wanted in (False, True))
    assert counts.max() > 30
    np.testing.assert_allclose(standard.std(axis=(1, 2)), 1, atol=1e-4)
    np.testing.assert_allclose(
        standard, (counts - counts.mean((1, 2), keepdims=True)) / counts.std((1, 2), keepdims=True), atol=1e-3
    )


def test_fields_stay_on_one_side_of_the_split(tmp_path):
    images = [TrainingImage(tmp_path / f"{f}{s}.png", "a", s, f"field{f}") for f in range(20) for s in ("x", "y")]
    images.append(TrainingImage(tmp_path / "z.png", "b", "", "z", train=False))
    parts = split_by_field(images)
    fields = {name: {image.field for image in part} for name, part in parts.items()}
    assert [len(fields[name]) for name in ("train", "validation", "test", "left_out")] == [14, 2, 4, 1]
    assert sum(len(part) for part in parts.values()) == len(images)
    again = split_by_field(images[::-1])
    assert {name: {image.field for image in part} for name, part in again.items()} == fields


def test_sources_file_groups_images_and_leaves_out_what_it_does_not_name(tmp_path):
    (tmp_path / "set").mkdir()
    for name in ("w1_dna.png", "w1_er.png", "w2_dna.png", "note.png"):
        iio.imwrite(tmp_path / "set" / name, np.zeros((9, 9), np.uint8))
    rules = {"sources": [{"source": "s", "pattern": r"set/(?P<field>w\d)_(?P<stain>\w+)[.]png", "train": False}]}
    (tmp_path / "sources.json").write_text(json.dumps(rules))
    found = find_training_images(tmp_path, tmp_path / "sources.json")
    assert [(i.source, i.field, i.stain, i.train) for i in found] == [
        ("s", "w1", "dna", False),
        ("s", "w1", "er", False),
        ("s", "w2", "dna", False),
    ]


def test_real_images_in_focus_are_accepted_and_their_defocus_refused(real_images):
    for image in real_images:
        assert reason_to_refuse(image.astype(np.float32)) is None
        blurred = defocus_image(image, 12.0).astype(np.float32)
        assert "not in focus" in reason_to_refuse(blurred)
        blurred[60, 70] = 65535
        assert "not in focus" in reason_to_refuse(blurred), "a hot pixel is no edge in focus"


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (np.full((90, 90), np.nan, np.float32), "holds values that are not finite"),
        (np.full((90, 90), 3, np.float32), "blank"),
        (np.random.default_rng(2).poisson(100, (90, 90)).astype(np.float32), "shows nothing but noise"),
        (np.where(np.arange(90) < 60, np.arange(90), 60) * np.ones((90, 1)), "saturated: over 5 percent"),
    ],
)
def test_other_reasons_to_refuse(image, reason):
    assert reason_to_refuse(image).startswith(reason)
