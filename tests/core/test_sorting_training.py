"""Training of sorters: runs of a few steps that write a model, and what is refused."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import imageio.v3 as iio
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from sorting_pictures import discs, write_focused, write_labelled
from tiny_sorter import write_edge_sorter

from parfocal import flag_defocused
from parfocal.registry import ModelError, load_model
from parfocal.sorting import training
from parfocal.sorting.examples import Example
from parfocal.sorting.export import write_onnx
from parfocal.sorting.fit import probabilities, run_fit
from parfocal.sorting.members import load_sorter
from parfocal.sorting.network import build_network
from parfocal.sorting.settings import training_settings
from parfocal.sorting.training import train_sorter
from parfocal.training.export import read_start

# Passes that are one step.
ONE_STEP = 0.01


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
    sorter = load_sorter(folder)
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
    recipe = {name: config["training"][name] for name in ("optimizer", "learning_rate", "schedule")}
    assert recipe == {"optimizer": "sgd", "learning_rate": 1e-3, "schedule": "halved"}
    # Every tenth of the passes, as 5 of the paper's 50.
    assert config["training"]["halve_every"] == pytest.approx(ONE_STEP / 10)
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
        ({"config": "vgg"}, ValueError, "config must be one of default, xue2021, resnet50v2, ensemble, got 'vgg'"),
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


def test_a_shorter_run_goes_through_the_whole_schedule():
    whole, short = training_settings("xue2021"), training_settings("xue2021", epochs=10)
    assert (whole.epochs, whole.halve_every, short.halve_every) == (50, 5, 1)
    assert training_settings("default", True, epochs=20).halve_every == 10
    assert training_settings("xue2021", epochs=10, halve_every=4).halve_every == 4


def test_a_model_without_weights_to_go_on_from_is_refused(tmp_path):
    images = write_labelled(tmp_path / "images", 1)
    edges = write_edge_sorter(tmp_path / "edges")
    with pytest.raises(ModelError, match="holds no weights to go on from"):
        train_sorter(str(images), str(tmp_path / "model"), start_from=edges)
    other = write_edge_sorter(tmp_path / "other", task="restoration")
    with pytest.raises(ModelError, match="is a model for 'restoration'"):
        train_sorter(str(images), str(tmp_path / "model"), start_from=other)
