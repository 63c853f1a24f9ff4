"""Training of the distance network: runs of a few steps that write a model folder which loads and answers."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from tiny_bead_network import tiny_network

from parfocal.beads.distance import fit, plan, predict_distances, settings, signed_distance, write_labelled_crops
from parfocal.beads.distance.crops import LabelledCrops
from parfocal.beads.distance.network import build_network
from parfocal.beads.distance.training import train_bead_distance
from parfocal.cli import main

pytestmark = pytest.mark.current_python


def drawn_crops(n_stacks=6, n_distances=12, size=40):
    """Dark spots whose width tells the distance, with noise: stacks of several exposures."""
    rng = np.random.default_rng(4)
    distance = np.tile(np.linspace(-30, 30, n_distances), n_stacks)
    stack = np.repeat(np.arange(n_stacks), n_distances)
    away = np.hypot(*(np.indices((size, size)) - (size - 1) / 2))
    width = (7 + distance / 10)[:, None, None]
    level = rng.uniform(100, 200, n_stacks)[stack][:, None, None]
    counts = level * (1 - 0.8 * np.exp(-((away / width) ** 2))) + rng.normal(0, 2, (len(distance), size, size))
    return LabelledCrops(np.rint(counts).clip(0, 255).astype(np.uint8), distance, stack, 1.5, 28.5)


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """Folder of labelled crops, three of which are blank, saturated and blank."""
    crops = drawn_crops()
    crops.crops_nyx[5] = 90
    crops.crops_nyx[17] = crops.crops_nyx[17].clip(0, 60)
    crops.crops_nyx[30] = 0
    folder = tmp_path_factory.mktemp("labelled")
    write_labelled_crops(crops, folder)
    return folder


@pytest.fixture(scope="module", autouse=True)
def quick():
    """Make every run tiny."""
    with pytest.MonkeyPatch.context() as patch:
        tiny = {name: replace(c, validation_steps=2, batch_size=8) for name, c in settings.CONFIGS.items()}
        patch.setattr(settings, "CONFIGS", tiny)
        patch.setattr(fit, "build_network", tiny_network)
        patch.setattr(plan, "_CALIBRATION_FIELDS", 12)
        patch.setattr(plan, "_CALIBRATION_DIAMETERS", 1)
        yield


@pytest.fixture(scope="module")
def trained(labelled, tmp_path_factory):
    """Model folder of two members of six steps that were never interrupted."""
    return train_bead_distance(tmp_path_factory.mktemp("run") / "whole", str(labelled), members=2, steps=6)


def test_training_writes_a_model_folder_that_answers(trained):
    names = {"weights.onnx", "profiles.npz", "start.npz", "config.json", "card.md", "training_log.csv"}
    assert names | {"training_curve.png"} <= {path.name for path in trained.iterdir()}
    config = json.loads((trained / "config.json").read_text())
    assert (config["task"], config["members"], config["crop_px"]) == ("bead_distance", 2, 40)
    assert "positive" in config["sign"]
    np.testing.assert_allclose(config["range_um"], [-28.8, 28.8])
    np.testing.assert_allclose(config["trained_range_um"], [-30, 30])
    crops = drawn_crops().crops_nyx[:4]
    assert predict_distances(crops, trained).shape == (4, 2)
    assert len(signed_distance(crops, 1.5, 28.5, trained).bead_status) == 4
    assert "2 networks" in (trained / "card.md").read_text()


def test_log_has_a_row_per_member_and_validation(trained):
    with (trained / "training_log.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    assert [(row["member"], row["step"]) for row in rows] == [(m, s) for m in "12" for s in "246"]
    assert all(float(row["validation_loss"]) > 0 for row in rows)


def test_unusable_crops_are_left_out_and_listed(trained):
    assert (trained / "refused.csv").read_text().split() == ["crop,reason", "5,blank", "17,saturated", "30,blank"]


def test_weights_give_what_keras_gives(tmp_path):
    import onnxruntime

    from parfocal.beads.distance.export import write_onnx

    members = [build_network("default", 64, 300.0, seed) for seed in (1, 2)]
    write_onnx(members, 64, tmp_path / "weights.onnx")
    crops = np.random.default_rng(3).normal(0, 0.3, (4, 64, 64, 1)).astype(np.float32)
    session = onnxruntime.InferenceSession(str(tmp_path / "weights.onnx"), providers=["CPUExecutionProvider"])
    exported = session.run(None, {"crops": crops})[0]
    expected = np.concatenate([np.asarray(member(crops, training=False)) for member in members], axis=1)
    np.testing.assert_allclose(exported, expected, atol=300e-5)
    assert np.abs(expected[:, 0] - expected[:, 1]).min() > 1e-3


def test_interrupted_run_resumes_to_the_same_weights(trained, labelled, tmp_path, monkeypatch):
    """The second member stops at its fourth step, after a validation at the second."""
    rate, seen = fit.learning_rate_at, []

    def stop(step, settings, per_pass):
        seen.append(step)
        if len(seen) == 6 + 4:
            raise KeyboardInterrupt
        return rate(step, settings, per_pass)

    with monkeypatch.context() as patch:
        patch.setattr(fit, "learning_rate_at", stop)
        with pytest.raises(KeyboardInterrupt):
            train_bead_distance(tmp_path / "run", str(labelled), members=2, steps=6)
    assert not (tmp_path / "run" / "weights.onnx").exists()
    resumed = train_bead_distance(tmp_path / "run", str(labelled), members=2, steps=6, resume=True)
    crops = drawn_crops().crops_nyx[:9]
    np.testing.assert_allclose(predict_distances(crops, resumed), predict_distances(crops, trained), atol=1e-3)


def test_fine_tuning_begins_where_the_model_ended(trained, labelled, tmp_path):
    tuned = train_bead_distance(
        tmp_path / "tuned", str(labelled), start_from=str(trained), members=3, steps=1, learning_rate=1e-12
    )
    crops = drawn_crops().crops_nyx[:9]
    begun, ended = predict_distances(crops, trained), predict_distances(crops, tuned)
    # Half precision of the weights, and one batch in the running means of the normalisation layer.
    np.testing.assert_allclose(ended, begun[:, [0, 1, 0]], atol=0.03)
    assert np.abs(begun[:, 0] - begun[:, 1]).max() > 0.1


def test_simulated_optics_train_a_model(tmp_path, capsys):
    arguments = ["--optics", "a2k_like", "--steps", "1", "--members", "1", "--n-crops", "40", "--normalisation", "none"]
    with pytest.MonkeyPatch.context() as patch:
        near = replace(plan.OPTICS["a2k_like"], range_um=(-60.0, 60.0), far_range_um=(-90.0, 90.0))
        patch.setitem(plan.OPTICS, "a2k_like", near)
        patch.setattr(plan, "training_crops", few_simulated)
        assert main(["train", "bead-distance", "-o", str(tmp_path / "m"), *arguments]) == 0
    assert "written" in capsys.readouterr().out
    config = json.loads((tmp_path / "m" / "config.json").read_text())
    assert (config["normalisation"], config["bead_diameter_range_um"]) == ("none", [27.0, 30.0])
    assert config["range_um"] == [-60, 60]
    np.testing.assert_allclose(config["trained_range_um"], [-67.2, 67.2])


def few_simulated(optics, n_crops, seed):
    from parfocal.beads.distance.simulated import training_crops

    return training_crops(optics, n_crops, seed, n_diameters=1)


def test_recipe_of_the_paper_trains(labelled, tmp_path):
    folder = train_bead_distance(tmp_path / "m", str(labelled), config="chalfoun2024", members=1, steps=2)
    config = json.loads((folder / "config.json").read_text())
    assert (config["architecture"], config["normalisation"]) == ("chalfoun2024", "none")
    assert (config["training"]["patience"], config["training"]["weight_decay"]) == (10, 5e-4)
    assert np.isfinite(predict_distances(drawn_crops().crops_nyx[:2], folder)).all()


def test_the_default_network_trains(labelled, tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit, "build_network", build_network)
        folder = train_bead_distance(tmp_path / "m", str(labelled), members=1, steps=1)
    config = json.loads((folder / "config.json").read_text())
    assert 150_000 < config["parameters"] < 200_000
    assert predict_distances(drawn_crops().crops_nyx[:2], folder).shape == (2, 1)


def test_patience_ends_a_member_and_takes_its_best_weights():
    settled = [{"step": 2.0 * i, "validation_loss": loss} for i, loss in enumerate((5, 3, 4, 3, 3.5), start=1)]
    patient = settings.training_settings("chalfoun2024", steps=1000)
    assert not fit._ended(settled, replace(patient, patience=4))
    assert fit._ended(settled, replace(patient, patience=3))
    assert not fit._ended(settled, replace(patient, patience=0))
    assert fit._ended(settled, replace(patient, patience=0, steps=10))


def test_folder_that_holds_something_is_not_written_to(labelled, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="is not empty: choose another output folder, or resume the run in it"):
        train_bead_distance(tmp_path, str(labelled))
    with pytest.raises(FileExistsError, match="holds no training run to resume: training.json is missing"):
        train_bead_distance(tmp_path, str(labelled), resume=True)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_run_of_another_architecture_is_not_resumed(trained, labelled):
    with pytest.raises(ValueError, match="config must be that of the run in .*, 'default', got 'chalfoun2024'"):
        train_bead_distance(trained, str(labelled), config="chalfoun2024", resume=True)


def test_source_must_be_given_once(tmp_path):
    for both in ({}, {"crops": "a", "optics": "a2k_like"}):
        with pytest.raises(ValueError, match="give either crops or optics, got"):
            train_bead_distance(tmp_path / "m", **both)


def test_too_few_crops_are_refused(tmp_path):
    crops = drawn_crops()
    write_labelled_crops(crops.select(np.arange(12)), tmp_path / "few")
    with pytest.raises(ValueError, match="at least 20 usable crops at different distances are needed, .* holds 12"):
        train_bead_distance(tmp_path / "m", str(tmp_path / "few"))


def test_training_can_be_imported_without_tensorflow():
    import subprocess
    import sys

    code = "import parfocal.beads.distance.training, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"tensorflow", "keras", "onnxruntime", "matplotlib", "pandas", "skimage"} & set(loaded)
