from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import parfocal.registry as registry
from parfocal import measure_image_focus
from parfocal.registry import ModelError, load_model, model_folder

TASK = "focus_quality"


@pytest.fixture
def own_model(tmp_path):
    """Copy of the shipped model that a test may damage."""
    return shutil.copytree(model_folder("default", TASK), tmp_path / "own")


def change_config(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_shipped_model_and_its_copy_are_the_same(own_model, nuclei):
    named, copied = (measure_image_focus(nuclei, model=model) for model in ("default", str(own_model)))
    assert named.estimate.defocus_level == copied.estimate.defocus_level


def test_unknown_name_lists_what_there_is():
    with pytest.raises(ModelError, match=r"no model 'defualt' for focus_quality: give one of \[.*'default'.*\]"):
        load_model("defualt", TASK)


def test_missing_config_is_named(own_model):
    (own_model / "config.json").unlink()
    with pytest.raises(ModelError, match="config.json is missing: this is no Parfocal model folder"):
        load_model(own_model, TASK)


@pytest.mark.parametrize("text", ["{not json", "[1, 2]", "", 100_000 * "["])
def test_damaged_config_is_named(own_model, text):
    (own_model / "config.json").write_text(text)
    with pytest.raises(ModelError, match="config.json is damaged"):
        load_model(own_model, TASK)


def test_missing_weights_are_named(own_model):
    (own_model / "weights.onnx").unlink()
    with pytest.raises(ModelError, match="weights.onnx cannot be read .*: copy the model folder again"):
        load_model(own_model, TASK)


def test_damaged_weights_are_named(own_model):
    weights = own_model / "weights.onnx"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    with pytest.raises(ModelError, match="weights.onnx is damaged: its SHA-256 is"):
        load_model(own_model, TASK)


def test_foreign_file_in_place_of_the_weights_is_named(own_model):
    content = b"a text about something else"
    (own_model / "weights.onnx").write_bytes(content)
    change_config(own_model, sha256=registry.hashlib.sha256(content).hexdigest())
    with pytest.raises(ModelError, match="weights.onnx holds no network that can be run"):
        load_model(own_model, TASK)


def test_model_of_another_task_is_refused(own_model):
    change_config(own_model, task="restore_defocus")
    with pytest.raises(ModelError, match="own is a model for 'restore_defocus', needed is one for 'focus_quality'"):
        load_model(own_model, TASK)


def test_a_newer_format_is_refused_whatever_else_it_says(own_model):
    change_config(own_model, format_version=registry.FORMAT_VERSION + 1, task="a later one", weights=["several"])
    with pytest.raises(ModelError, match="own has format 2, this Parfocal reads up to 1: update Parfocal"):
        load_model(own_model, TASK)


@pytest.mark.parametrize("version", [None, "one"])
def test_a_format_that_is_no_number_is_damage(own_model, version):
    change_config(own_model, format_version=version)
    with pytest.raises(ModelError, match=f"config.json is damaged: format_version must be a number, got {version!r}"):
        load_model(own_model, TASK)


@pytest.mark.parametrize("weights", ["../elsewhere.onnx", "below/weights.onnx"])
def test_weights_lie_beside_the_config(own_model, weights):
    path = own_model / weights
    path.parent.mkdir(exist_ok=True)
    shutil.copy(own_model / "weights.onnx", path)
    change_config(own_model, weights=weights)
    with pytest.raises(ModelError, match="config.json is damaged: weights must name a file beside it"):
        load_model(own_model, TASK)


def test_a_folder_with_the_name_of_a_shipped_model_is_reached_by_a_dot(own_model, monkeypatch):
    own_model.rename(own_model.parent / "default")
    monkeypatch.chdir(own_model.parent)
    assert model_folder("./default", TASK).resolve() == own_model.parent / "default"
    assert model_folder("default", TASK) == registry.shipped_file(TASK) / "default"


def test_onnx_runtime_tells_nobody_of_its_use(tmp_path):
    """It would leave a file of its session in the temporary folder, and an identifier in the folder of the user."""
    code = "from parfocal.registry import load_model; load_model('default', 'focus_quality')"
    known = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    places = dict.fromkeys(("TMPDIR", "TEMP", "TMP", "HOME", "XDG_CACHE_HOME", "LOCALAPPDATA"), str(tmp_path))
    subprocess.run([sys.executable, "-c", code], env={**known, **places}, check=True)
    assert not list(tmp_path.iterdir())


def test_a_number_of_threads_that_is_none_is_told(monkeypatch):
    monkeypatch.setenv("PARFOCAL_THREADS", "two")
    with pytest.raises(ValueError, match="PARFOCAL_THREADS must be a whole number from 1 on, got 'two'"):
        registry.thread_count()


def test_measuring_with_a_damaged_model_raises_and_gives_no_numbers(own_model, nuclei):
    (own_model / "weights.onnx").unlink()
    with pytest.raises(ModelError, match="weights.onnx cannot be read"):
        measure_image_focus(nuclei, model=str(own_model))


def test_threads_load_a_model_once_and_share_it(own_model, monkeypatch):
    calls = []
    read = registry._checked_weights
    monkeypatch.setattr(registry, "_checked_weights", lambda *given: calls.append(1) or read(*given))
    with ThreadPoolExecutor(8) as pool:
        models = list(pool.map(lambda _: load_model(own_model, TASK), range(16)))
    assert len(calls) == 1
    assert all(model is models[0] for model in models)


def test_threads_predict_the_same(nuclei):
    alone = measure_image_focus(nuclei).estimate.probabilities
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda _: measure_image_focus(nuclei).estimate.probabilities, range(8)))
    for probabilities in together:
        np.testing.assert_array_equal(probabilities, alone)


def test_batch_equals_single_patches(rng):
    model = load_model("default", TASK)
    batch = rng.normal(1000, 100, (70, 84, 84, 1)).astype(np.float32)
    single = np.concatenate([model.predict(batch[i : i + 1]) for i in range(70)])
    np.testing.assert_allclose(model.predict(batch), single, atol=5e-5)
    np.testing.assert_allclose(model.predict(batch, batch_size=7), single, atol=5e-5)


def test_thread_number_is_taken_from_the_environment():
    code = (
        "import numpy as np; from parfocal.registry import load_model;"
        "m = load_model('default', 'focus_quality');"
        "print(m._session.get_session_options().intra_op_num_threads)"
    )
    for given in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-c", code], env={"PARFOCAL_THREADS": given}, capture_output=True, text=True
        )
        assert run.stdout.strip() == given, run.stderr
