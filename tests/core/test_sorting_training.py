"""Training of sorters: examples, folds, batches, rates, and runs of a few steps that write a model."""

from __future__ import annotations

import csv
import json
import math
from collections import Counter
from dataclasses import replace

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
from scipy.ndimage import gaussian_filter
from tiny_sorter import write_edge_sorter

from parfocal import flag_defocused
from parfocal.focus_quality.scale import ModelScale
from parfocal.labels.command import label_images
from parfocal.labels.rows import COLUMNS
from parfocal.labels.table import labels_of_folder
from parfocal.registry import ModelError, load_model
from parfocal.sorting import cross_validation, fit, training
from parfocal.sorting.cross_validation import FoldScores, cross_validate
from parfocal.sorting.examples import Example, folds, labelled_examples, synthetic_examples
from parfocal.sorting.export import write_onnx
from parfocal.sorting.fit import Fit, probabilities, run_fit
from parfocal.sorting.inputs import default_input, paper_inputs
from parfocal.sorting.network import build_network
from parfocal.sorting.plane import PlaneSorter
from parfocal.sorting.sampler import CROP_PX, ExampleSampler
from parfocal.sorting.settings import learning_rate_at, training_settings
from parfocal.sorting.training import train_sorter
from parfocal.training.export import read_start
from parfocal.training.images import TrainingImage

# Passes that are one step.
ONE_STEP = 0.01


def discs(seed, size=100):
    """A sharp picture of bright discs on a dim background, float."""
    rng = np.random.default_rng(seed)
    y, x = np.indices((size, size))
    picture = np.full((size, size), 10.0)
    for _ in range(12):
        picture[np.hypot(y - rng.uniform(0, size), x - rng.uniform(0, size)) < rng.uniform(4, 9)] = rng.uniform(80, 240)
    return np.clip(gaussian_filter(picture, 0.6) + rng.normal(0, 1.5, picture.shape), 0, 255).astype(np.uint8)


def blur(picture):
    return np.rint(gaussian_filter(picture.astype(float), 6)).astype(np.uint8)


def write_focused(folder, count):
    folder.mkdir(parents=True)
    for i in range(count):
        iio.imwrite(folder / f"field{i}.png", discs(i))
    return folder


def write_labelled(folder, count):
    """Subfolders of sharp and defocused images, and one that is unusable."""
    for name, change in (("sharp", lambda p: p), ("defocused", blur)):
        (folder / name).mkdir(parents=True)
        for i in range(count):
            iio.imwrite(folder / name / f"{name[0]}{i}.png", change(discs(i)))
    (folder / "unusable").mkdir()
    iio.imwrite(folder / "unusable" / "u.png", discs(99))
    return folder


def shown(count, field=str, source="a", defocused=lambda i: i % 2 == 1, size=100):
    """Examples without files."""
    return [Example(discs(i, size) / 255, defocused(i), source, field(i), f"{i}.png") for i in range(count)]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A default sorter that was trained on synthetic exposures for a few steps: its folder."""
    top = tmp_path_factory.mktemp("run")
    write_focused(top / "images", 6)
    return train_sorter(str(top / "images"), str(top / "model"), synthetic=True, exposures=1, epochs=8.0)


def test_a_run_on_in_focus_images_leaves_a_model_that_sorts(trained):
    config = json.loads((trained / "config.json").read_text())
    assert (config["task"], config["architecture"], config["threshold"]) == ("sorting", "default", 0.5)
    assert config["modalities"] == ["widefield_fluorescence"]
    assert config["parameters"] == 87858
    assert config["training"]["epochs"] == 8.0
    rows = list(csv.DictReader((trained / "training_log.csv").open()))
    assert len(rows) >= 6
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])
    assert (trained / "training_curve.png").stat().st_size > 1000
    card = (trained / "card.md").read_text()
    assert "87,858 parameters" in card
    assert "of other fields than those trained on" in card
    flag = flag_defocused(discs(50, 200), model=str(trained), check_level=False)
    assert flag.answered and 0 < flag.probability < 1


@pytest.mark.parametrize("name", ["default", "xue2021"])
def test_the_model_that_is_written_gives_the_numbers_of_the_network(name, tmp_path):
    network = build_network(name, seed=3)
    write_onnx(network, tmp_path / "weights.onnx")
    folder = tmp_path / "model"
    write_edge_sorter(folder, name)
    digest = training_digest(tmp_path / "weights.onnx", folder)
    load = load_model(folder, "sorting")
    assert digest == load.config["sha256"]
    pictures = [discs(1, 300).astype(np.float32) / 255, gaussian_filter(discs(2, 163), 5).astype(np.float32) / 255]
    examples = [Example(picture, False, "a", "f", "n") for picture in pictures]
    inputs = np.random.default_rng(2).random(
        (2, 134 if name == "xue2021" else 97, 134 if name == "xue2021" else 113, 1)
    )
    inputs = inputs.astype(np.float32)
    np.testing.assert_allclose(load.predict(inputs), network(inputs, training=False).numpy(), rtol=1e-4, atol=1e-5)
    sorter = PlaneSorter(load, ModelScale())
    told = probabilities(network, examples)
    assert [sorter.probability(picture) for picture in pictures] == pytest.approx(list(told), abs=1e-4)


def training_digest(weights, folder):
    """Put weights into the folder of a model."""
    from parfocal.training.run_folder import file_digest

    (folder / "weights.onnx").write_bytes(weights.read_bytes())
    config = json.loads((folder / "config.json").read_text())
    config["sha256"] = file_digest(folder / "weights.onnx")
    (folder / "config.json").write_text(json.dumps(config))
    return config["sha256"]


def test_the_paper_s_network_is_trained_by_its_recipe(tmp_path, monkeypatch):
    monkeypatch.setitem(
        training_settings.__globals__["CONFIGS"], "xue2021", replace(training_settings("xue2021"), batch_size=2)
    )
    images = write_focused(tmp_path / "images", 3)
    folder = train_sorter(
        str(images), str(tmp_path / "model"), config="xue2021", synthetic=True, exposures=1, epochs=ONE_STEP
    )
    config = json.loads((folder / "config.json").read_text())
    recipe = {name: config["training"][name] for name in ("optimizer", "learning_rate", "schedule", "halve_every")}
    assert recipe == {"optimizer": "sgd", "learning_rate": 1e-3, "schedule": "halved", "halve_every": 5}
    assert config["training"]["keep_best"] and not config["training"]["turned"]
    assert 1.2e6 < config["parameters"] < 1.4e6
    assert flag_defocused(discs(9, 140), model=str(folder), check_level=False).answered


@pytest.mark.parametrize("by", ["table", "folders"])
def test_labelled_images_are_trained_on_however_they_are_labelled(by, tmp_path):
    images = write_labelled(tmp_path / "images", 3)
    (images / "sharp" / "broken.png").write_bytes(b"nothing")
    iio.imwrite(images / "defocused" / "blank.png", np.full((100, 100), 3, np.uint8))
    iio.imwrite(images / "defocused" / "small.png", discs(4, 60))
    if by == "table":
        rows = [f"{p.relative_to(images).as_posix()},{p.parent.name}" for p in sorted(images.rglob("*.png"))]
        (images / "labels.csv").write_text("\n".join(["file,label", *rows]) + "\n")
    folder = train_sorter(str(images), str(tmp_path / "model"), epochs=ONE_STEP)
    refused = (folder / "refused.txt").read_text().splitlines()
    assert [line.split(":")[0] for line in sorted(refused)] == [
        "defocused/blank.png",
        "defocused/small.png",
        "sharp/broken.png",
    ]
    assert any("cannot be read" in line for line in refused)
    card = (folder / "card.md").read_text()
    assert "| images | 3 | 3 |" in card or "| images | 2 | 2 |" in card
    assert "Not cross-validated: that takes 10 images" in card
    config = json.loads((folder / "config.json").read_text())
    assert config["modalities"] == []
    assert not (folder / "suspects.csv").exists()


def test_a_class_without_images_is_named_and_nothing_is_written(tmp_path):
    images = write_labelled(tmp_path / "images", 1)
    (images / "defocused" / "d0.png").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="must hold sharp and defocused images .*, none that can be read is defocused"):
        train_sorter(str(images), str(tmp_path / "model"))
    (images / "defocused" / "d0.png").unlink()
    with pytest.raises(ValueError, match="none that can be read is defocused"):
        train_sorter(str(images), str(tmp_path / "model"))
    with pytest.raises(FileNotFoundError, match="no labels in"):
        train_sorter(str(tmp_path / "images" / "sharp"), str(tmp_path / "model"))
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"config": "vgg"}, ValueError, "config must be one of default, xue2021, resnet50v2, got 'vgg'"),
        ({"epochs": 0.0}, ValueError, "epochs must be above 0, got 0.0"),
        ({"exposures": 0}, ValueError, r"exposures must be in \[1, 100\] exposures, got 0"),
        ({"start_from": "nothing"}, ModelError, "no model 'nothing' for sorting"),
    ],
)
def test_wrong_arguments_are_told_before_anything_is_read(arguments, error, message, tmp_path):
    with pytest.raises(error, match=message):
        train_sorter(str(tmp_path / "nowhere"), str(tmp_path / "model"), **arguments)


def test_a_folder_that_holds_something_is_not_trained_into(trained, tmp_path):
    images = write_labelled(tmp_path / "images", 1)
    with pytest.raises(FileExistsError, match="is not empty"):
        train_sorter(str(images), str(trained))


def test_transfer_starts_from_the_weights_and_has_a_rate_of_its_own(trained, tmp_path, monkeypatch):
    begun = []
    monkeypatch.setattr(training, "run_fit", lambda run: begun.append(run) or run_fit(run))
    images = write_labelled(tmp_path / "images", 2)
    folder = train_sorter(
        str(images), str(tmp_path / "model"), start_from=str(trained), learning_rate=0.0, epochs=ONE_STEP
    )
    config = json.loads((trained / "config.json").read_text())
    for before, given, after in zip(read_start(trained, config), begun[0].start, read_start(folder, config)):
        np.testing.assert_array_equal(before, given)
        np.testing.assert_array_equal(before, after)
    assert begun[0].settings.learning_rate == 0.0
    assert begun[0].settings.architecture == "default"
    usual = training_settings("default", True)
    assert (usual.learning_rate, usual.schedule, usual.halve_every, usual.epochs) == (2e-4, "halved", 25.0, 50.0)


def test_a_model_without_weights_to_go_on_from_is_refused(tmp_path):
    images = write_labelled(tmp_path / "images", 1)
    edges = write_edge_sorter(tmp_path / "edges")
    with pytest.raises(ModelError, match="holds no weights to go on from"):
        train_sorter(str(images), str(tmp_path / "model"), start_from=edges)
    other = write_edge_sorter(tmp_path / "other", task="restoration")
    with pytest.raises(ModelError, match="is a model for 'restoration'"):
        train_sorter(str(images), str(tmp_path / "model"), start_from=other)


def test_cross_validation_lists_suspects_that_label_images_shows(tmp_path, monkeypatch):
    images = write_labelled(tmp_path / "images", 10)
    (images / "sharp" / "wrong.png").write_bytes((images / "defocused" / "d3.png").read_bytes())
    stack = np.stack([discs(1) if z == 0 else blur(discs(z)) for z in range(6)])
    tifffile.imwrite(images / "stack.tif", stack)
    rows = [f"{p.relative_to(images).as_posix()},{p.parent.name},,0,,,1,first" for p in sorted(images.rglob("*.png"))]
    rows.append("stack.tif,plane,5,0,,,1,first")
    (images / "labels.csv").write_text("\n".join([",".join(COLUMNS), *rows]) + "\n")

    def judged(examples, settings, count, start=None):
        """Somebody who knows: what shows no fine structure is defocused."""
        rough = [float(np.abs(np.diff(default_input(example.pixels))).max()) for example in examples]
        return FoldScores("default", 1 / (1 + np.exp(60 * (np.array(rough) - 0.35))), np.full(len(rough), 0.5))

    monkeypatch.setattr(training, "cross_validate", judged)
    folder = train_sorter(str(images), str(tmp_path / "model"), epochs=ONE_STEP)
    suspects = [row["file"] for row in csv.DictReader((folder / "suspects.csv").open())]
    assert sorted(suspects) == ["sharp/wrong.png", "stack.tif"]
    assert "Labels that look wrong: 2 (`suspects.csv`)" in (folder / "card.md").read_text()
    session = label_images(str(images), suspects=str(folder / "suspects.csv"))
    seen = set()
    while (view := session.view()) is not None:
        seen.add(view.file)
        session.answer(
            view.number, "plane" if view.file == "stack.tif" else "defocused", 0 if "stack" in view.file else None
        )
    session.pictures.close()
    assert seen == set(suspects)
    assert not session.unreadable
    labels = {image.path.name: image for image in labels_of_folder(images)}
    assert (labels["wrong.png"].label, labels["stack.tif"].plane) == ("defocused", 0)


def test_cross_validation_trains_on_the_other_fields_and_judges_each_image_once(monkeypatch, tmp_path):
    examples = shown(20, field=lambda i: str(i // 4))
    fits = []

    def fitted(run, title):
        fits.append(run)
        return "network", []

    monkeypatch.setattr(cross_validation, "run_fit", fitted)
    told = {example.name: i / 20 for i, example in enumerate(examples)}
    monkeypatch.setattr(
        cross_validation, "probabilities", lambda network, held: np.array([told[example.name] for example in held])
    )
    settings = replace(training_settings("default"), keep_best=True)
    found = cross_validate(examples, settings, 5, cache=tmp_path)
    np.testing.assert_allclose(found.score, np.arange(20) / 20)
    assert len(fits) == 5 and not any(run.settings.keep_best for run in fits)
    for run in fits:
        assert not {e.field for e in run.train} & {e.field for e in run.validation}
        assert len(run.train) + len(run.validation) == 20
    again = cross_validate(examples, settings, 5, cache=tmp_path)
    assert len(fits) == 5
    np.testing.assert_array_equal(again.score, found.score)


def test_one_class_in_a_single_field_cannot_be_cross_validated(tmp_path):
    examples = shown(24, field=lambda i: "one" if i % 2 else str(i))
    said = training._cross_validated(examples, training_settings("default"), None, 5, tmp_path)
    assert "Not cross-validated: that takes 10 images and two fields of each class" in said
    assert "Not cross-validated" in training._cross_validated(
        shown(24), training_settings("default"), None, 0, tmp_path
    )


def test_one_fold_is_really_trained_and_judged(tmp_path):
    settings = training_settings("default", epochs=ONE_STEP)
    score = cross_validate(shown(4), settings, 2, cache=tmp_path).score
    assert np.isfinite(score).all() and len(set(score)) == 4


def test_validation_is_of_other_fields_where_there_are_enough():
    many = shown(40, field=lambda i: str(i // 2))
    train, held = training._split(many)
    assert not {e.field for e in train} & {e.field for e in held}
    assert {e.defocused for e in held} == {True, False}
    assert "of other fields" in training._validated(train, held)
    few = shown(4, field=lambda i: "one")
    assert "figures mean nothing" in training._validated(*training._split(few))


def test_folds_never_split_a_field_and_are_even_within_each_source():
    examples = shown(60, field=lambda i: str(i // 3)) + shown(14, field=lambda i: str(i // 2), source="b")
    fold = folds(examples, 5)
    by_field = {}
    for example, number in zip(examples, fold):
        by_field.setdefault((example.source, example.field), set()).add(int(number))
    assert all(len(numbers) == 1 for numbers in by_field.values())
    for source, fields in (("a", 20), ("b", 7)):
        counts = Counter(next(iter(numbers)) for (s, _), numbers in by_field.items() if s == source)
        assert sum(counts.values()) == fields
        assert max(counts.values()) - min(counts.values()) <= 1
    # They depend on names alone: neither on the order nor on what else is there.
    np.testing.assert_array_equal(folds(examples[::-1], 5), fold[::-1])
    np.testing.assert_array_equal(folds(examples[:60], 5), fold[:60])


@pytest.fixture(scope="module")
def focused(tmp_path_factory):
    folder = write_focused(tmp_path_factory.mktemp("focused") / "a", 2)
    return [TrainingImage(path, "a", "", path.stem) for path in sorted(folder.iterdir())]


def test_synthetic_examples_are_the_same_for_the_same_seed(focused):
    one, again, other = (synthetic_examples(focused, 2, seed, between=True) for seed in (1, 1, 2))
    assert len(one) == 2 * 2 * 3
    for a, b in zip(one, again):
        assert (a.level, a.target, a.name) == (b.level, b.target, b.name)
        np.testing.assert_array_equal(a.pixels, b.pixels)
    assert not any(np.array_equal(a.pixels, b.pixels) for a, b in zip(one, other))
    # Those of one image do not depend on how many there are.
    np.testing.assert_array_equal(synthetic_examples(focused, 1, 1)[0].pixels, one[0].pixels)


def test_synthetic_examples_have_the_levels_and_targets_of_their_class(focused):
    examples = synthetic_examples(focused, 12, 1, between=True)
    levels = np.array([example.level for example in examples])
    between = np.array([example.between for example in examples])
    assert np.mean(between) == pytest.approx(1 / 3)
    assert set(levels[~between]) & {0.0, 0.25, 0.5}
    assert ((levels <= 0.5) | (levels >= 3.0))[~between].all()
    assert ((levels > 0.5) & (levels < 3.0))[between].all()
    assert levels.max() <= 10.0
    assert not any(example.between for example in synthetic_examples(focused, 4, 1))
    for example in examples:
        assert example.target == pytest.approx(min(max((example.level - 1.5) / 2, 0), 1))
        assert example.defocused == (example.target >= 0.5)


def test_synthetic_defocus_blurs_and_keeps_the_scale(focused):
    sharp, defocused = ([e for e in synthetic_examples(focused, 6, 1) if e.defocused is kind] for kind in (False, True))

    def steepness(example):
        seen = gaussian_filter(example.pixels.astype(float), 1)
        return np.abs(np.diff(seen)).max() / np.ptp(seen)

    # Noise adds to the steepness of both; in the middle of them it is small.
    assert np.median(list(map(steepness, defocused))) < 0.6 * np.median(list(map(steepness, sharp)))
    medians = [np.percentile(example.pixels.astype(float), 99.5) for example in sharp]
    assert min(medians) > 0.6 and max(medians) < 2.2


def label_rows(folder, *rows):
    (folder / "labels.csv").write_text("\n".join(["file,label,plane,channel", *rows]) + "\n")
    return labelled_examples(labels_of_folder(folder), folder)


def test_of_a_stack_the_marked_plane_is_sharp_and_planes_far_from_it_are_defocused(tmp_path):
    stack = np.stack([discs(z) for z in range(16)])
    tifffile.imwrite(tmp_path / "s.tif", stack)
    examples, refused = label_rows(tmp_path, "s.tif,plane,5,")
    assert not refused
    assert [example.defocused for example in examples] == [True, True, False] + [True] * 7
    np.testing.assert_allclose(
        examples[2].pixels, labelled_examples_of(stack[5], tmp_path / "one")[0].pixels, rtol=0, atol=1e-3
    )
    assert {example.name for example in examples} == {"s.tif"}


def labelled_examples_of(image, folder):
    folder.mkdir()
    iio.imwrite(folder / "a.png", image)
    return label_rows(folder, "a.png,sharp,,")[0]


def test_the_channel_of_the_label_is_read(tmp_path):
    channels = np.stack([discs(1), discs(2)])
    tifffile.imwrite(tmp_path / "c.ome.tif", channels, ome=True, metadata={"axes": "CYX"})
    for channel in (0, 1):
        (example,), refused = label_rows(tmp_path, f"c.ome.tif,sharp,,{channel}")
        (expected,) = labelled_examples_of(channels[channel], tmp_path / str(channel))
        np.testing.assert_array_equal(example.pixels, expected.pixels)
    assert label_rows(tmp_path, "c.ome.tif,sharp,,2")[1] == ["c.ome.tif: cannot be read: the file has no channel 2"]


def test_stacks_whose_sharp_plane_is_not_known_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "s.tif", np.stack([discs(z) for z in range(5)]))
    for row, reason in (("sharp,", "which of its 5 planes is sharp"), ("plane,7", r"plane 7 (from 0) is marked")):
        examples, (line,) = label_rows(tmp_path, f"s.tif,{row},")
        assert not examples and reason in line
    assert [example.defocused for example in label_rows(tmp_path, "s.tif,defocused,,")[0]] == [True] * 5


def test_a_hot_pixel_of_a_labelled_image_is_left_out_as_in_use(tmp_path):
    image = discs(1).astype(np.uint16)
    hot = image.copy()
    hot[30, 40] = 65535
    for name, pixels in (("clean", image), ("hot", hot)):
        (tmp_path / name).mkdir()
        tifffile.imwrite(tmp_path / name / "a.tif", pixels)
    (clean,), (found,) = (label_rows(tmp_path / name, "a.tif,sharp,,")[0] for name in ("clean", "hot"))
    difference = np.abs(found.pixels.astype(float) - clean.pixels)
    difference[30, 40] = 0
    assert difference.max() < 0.01
    assert found.pixels[30, 40] < 2


def test_batches_are_the_same_for_the_same_step_and_halved_between_the_classes():
    examples = shown(4, defocused=lambda i: i == 3) + shown(9, source="b", defocused=lambda i: False)
    sampler = ExampleSampler(examples, "default", 1)
    one, again, other = (ExampleSampler(examples, "default", seed).batch(5, 8) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one[0], again[0])
    assert not np.array_equal(one[0], other[0])
    assert one[0].shape == (8, CROP_PX, CROP_PX, 1) and one[0].dtype == np.float32
    assert sampler.weights[3] == pytest.approx(0.5)
    assert sampler.weights.sum() == pytest.approx(1)
    # 9 sharp ones of b against 3 of a: a source of n weighs sqrt(n), counted over all of its examples.
    assert sampler.weights[4:].sum() / sampler.weights[:3].sum() == pytest.approx((9 / 3) / (3 / 2))


def test_the_paper_s_batches_go_through_all_squares_once_in_each_pass():
    examples = [Example(discs(i, 90 + 30 * (i == 2)) / 255, i > 2, "a", str(i), "n") for i in range(5)]
    wide = Example(np.concatenate([discs(7), discs(8), discs(9)], axis=1) / 255, True, "a", "w", "n")
    sampler = ExampleSampler([*examples, wide], "xue2021", 1, turned=False)
    assert sampler.count == 8
    seen = np.concatenate([sampler.batch(step, 4)[0] for step in range(2)])
    expected = np.concatenate([paper_inputs(example.pixels) for example in (*examples, wide)])
    order = [int(np.argmin(np.abs(expected - square).sum(axis=(1, 2, 3)))) for square in seen]
    assert sorted(order) == list(range(8))
    later = np.concatenate([sampler.batch(step, 4)[0] for step in (2, 3)])
    assert not np.array_equal(seen, later)
    truth = np.array([i in (3, 4, 5, 6, 7) for i in order], np.float32)
    np.testing.assert_array_equal(np.concatenate([sampler.batch(step, 4)[1] for step in range(2)]), truth)


def test_targets_between_are_what_is_to_be_learned():
    soft = replace(shown(1)[0], target=0.25)
    sampler = ExampleSampler([soft, shown(2)[1]], "default", 1)
    assert set(sampler.batch(0, 16)[1]) == {0.25, 1.0}


@pytest.mark.parametrize("name", ["sharp", "defocused"])
def test_a_sampler_without_a_class_names_it(name):
    with pytest.raises(ValueError, match=f"there is none that is {name}"):
        ExampleSampler(shown(3, defocused=lambda i: name == "sharp"), "default", 1)


def test_learning_rates_by_hand():
    paper = training_settings("xue2021")
    rates = [learning_rate_at(step, paper, 500, 10) for step in (0, 49, 50, 99, 100, 499)]
    assert rates == pytest.approx([1e-3, 1e-3, 5e-4, 5e-4, 2.5e-4, 1e-3 / 2**9])
    transfer = training_settings("xue2021", True)
    rates = [learning_rate_at(step, transfer, 500, 10) for step in (0, 249, 250, 499)]
    assert rates == pytest.approx([2e-4, 2e-4, 1e-4, 1e-4])
    usual = training_settings("default")
    rates = [learning_rate_at(step, usual, 1000, 10) for step in (0, 49, 500, 999)]
    cosine = [(1 + math.cos(math.pi * step / 1000)) / 2 for step in (0, 49, 500, 999)]
    by_hand = [2e-3 * start * (0.01 + 0.99 * c) for start, c in zip((0.01, 0.5, 1, 1), cosine)]
    assert rates == pytest.approx(by_hand)
    assert rates[-1] == pytest.approx(2e-5, rel=0.01)


def test_what_is_given_replaces_the_config_and_none_leaves_it():
    changed = training_settings("xue2021", epochs=3.0, learning_rate=None, seed=9)
    assert (changed.epochs, changed.learning_rate, changed.seed) == (3.0, 1e-3, 9)


@pytest.mark.parametrize("keep_best", [True, False])
def test_the_weights_of_the_lowest_validation_loss_are_kept_where_that_is_asked_for(keep_best, monkeypatch):
    losses = [0.5, 0.2, 0.4]

    def rows(network, optimizer, run, title):
        for number, loss in enumerate(losses):
            network.set_weights([np.full_like(w, number) for w in network.get_weights()])
            yield {"step": number, "loss": 1.0, "validation_loss": loss, "accuracy": 1.0}

    monkeypatch.setattr(fit, "_rows", rows)
    settings = replace(training_settings("default"), keep_best=keep_best)
    network, history = run_fit(Fit(settings, [], []))
    assert float(network.get_weights()[0].flat[0]) == (1 if keep_best else 2)
    assert [row["validation_loss"] for row in history] == losses


def test_runs_with_the_same_seed_give_the_same_weights():
    def weights(seed):
        settings = replace(training_settings("default", epochs=0.5, seed=seed), batch_size=2)
        return run_fit(Fit(settings, shown(4), shown(2)))[0].get_weights()

    one, again, other = weights(1), weights(1), weights(2)
    for a, b in zip(one, again):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-6)
    assert not np.allclose(one[0], other[0], atol=1e-3)
