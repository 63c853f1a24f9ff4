from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pandas as pd
import pytest
import tifffile

import parfocal.models
from parfocal import measure_image_focus
from parfocal.cli import main

DEFAULT_MODEL = Path(next(iter(parfocal.models.__path__))) / "focus_quality" / "default"


def bad_images(nuclei):
    """Arrays that are no good, by file name, with the status that each must get."""
    broken = nuclei.astype(np.float32)
    broken[3, 4], broken[5, 6] = np.nan, np.inf
    return {
        "83x83.tif": (nuclei[:83, :83], "too_small"),
        "1x10000.tif": (np.resize(nuclei, (1, 10000)), "too_small"),
        "zero.tif": (np.zeros_like(nuclei), "blank"),
        "saturated.tif": (np.full_like(nuclei, 255), "saturated"),
        "not_finite.tif": (broken, "not_finite"),
        "bool.tif": (nuclei > 30, "unreadable"),
        "complex.tif": (nuclei.astype(np.complex64), "unreadable"),
        "tczyx.tif": (np.stack([nuclei] * 8).reshape(2, 2, 2, *nuclei.shape), "unreadable"),
    }


def good_images(nuclei):
    colours = np.repeat(nuclei[..., None], 3, axis=2)
    return {
        "84x84.tif": nuclei[100:184, 100:184],
        "int64.tif": nuclei.astype(np.int64),
        "rgb.tif": colours,
        "rgba.png": np.concatenate([colours, np.full_like(colours[..., :1], 255)], axis=2),
        "good.png": nuclei,
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory, nuclei):
    folder = tmp_path_factory.mktemp("bad")
    for name, (pixels, _) in bad_images(nuclei).items():
        tifffile.imwrite(folder / name, pixels, photometric="minisblack")
    for name, pixels in good_images(nuclei).items():
        iio.imwrite(folder / name, pixels) if name.endswith("png") else tifffile.imwrite(folder / name, pixels)
    (folder / "empty.tif").touch()
    (folder / "text.tif").write_text("this is a text file\n")
    (folder / "truncated.tif").write_bytes((folder / "int64.tif").read_bytes()[:100_000])
    (folder / "damaged.nd2").write_bytes(b"\0" * 500)
    (folder / "damaged.lif").write_bytes(b"\0" * 500)
    (folder / "damaged.czi").write_bytes(b"\0" * 500)
    return folder


@pytest.fixture(scope="module")
def batch(folder, tmp_path_factory):
    """One run of the real program over the folder: its output and the table by file name."""
    out = tmp_path_factory.mktemp("out")
    command = [sys.executable, "-m", "parfocal.cli", "measure", str(folder), "-o", str(out), "--workers", "2"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(out / "measurements.csv")
    return done, table.set_index(table["file"].map(lambda name: Path(name).name))


BAD_STATUS = {name: wanted for name, (_, wanted) in bad_images(np.zeros((256, 256), np.uint8)).items()}


@pytest.mark.parametrize(("name", "wanted"), BAD_STATUS.items())
def test_a_bad_image_gets_a_status_with_a_reason_and_no_numbers(batch, name, wanted):
    row = batch[1].loc[name]
    assert (row["status"], bool(row["answered"])) == (wanted, False)
    assert len(row["reason"]) > 10
    assert np.isnan([row["defocus_level"], row["certainty"]]).all()


@pytest.mark.parametrize(
    "name", ["empty.tif", "text.tif", "truncated.tif", "damaged.nd2", "damaged.lif", "damaged.czi"]
)
def test_a_file_that_cannot_be_read_is_a_row_with_its_reason(batch, name):
    row = batch[1].loc[name]
    assert row["status"] == "unreadable"
    assert len(row["reason"]) > 10


@pytest.mark.parametrize("name", ["int64.tif", "rgb.tif", "rgba.png"])
def test_unusual_types_and_colours_of_the_same_picture_give_the_same_level(batch, name):
    row, good = batch[1].loc[name], batch[1].loc["good.png"]
    assert (row["status"], good["status"]) == ("ok", "ok")
    assert row["defocus_level"] == pytest.approx(good["defocus_level"], abs=1e-4)


def test_the_smallest_image_that_holds_a_patch_is_measured(batch):
    row = batch[1].loc["84x84.tif"]
    assert (row["status"], row["height_px"], row["width_px"]) == ("ok", 84, 84)


def test_the_whole_batch_is_done_and_nothing_floods_the_terminal(batch, folder):
    done, table = batch
    assert len(table) == len(list(folder.iterdir()))
    assert done.stderr == ""
    assert "unreadable" in done.stdout
    assert len(done.stdout.splitlines()) < 15


@pytest.mark.parametrize(
    ("shape", "error"), [((0, 100), None), ((100, 0), None), ((0, 100, 100), "shape"), ((2, 2, 2, 90, 90), "shape")]
)
def test_arrays_without_pixels_or_with_too_many_axes(shape, error):
    image = np.zeros(shape, np.uint8)
    if error is None:
        assert measure_image_focus(image).status == "too_small"
    else:
        with pytest.raises(ValueError, match=error):
            measure_image_focus(image)


def test_text_is_no_image():
    with pytest.raises(TypeError, match="integers or floats"):
        measure_image_focus("nuclei.tif")


def test_a_folder_without_images_ends_with_a_message(tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("x")
    assert main(["measure", str(tmp_path), "-o", str(tmp_path / "out")]) == 2
    assert f"no image below the folder {tmp_path}" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_output_folder_that_cannot_be_written_ends_before_any_measuring(tmp_path, nuclei, capsys, monkeypatch):
    iio.imwrite(tmp_path / "a.png", nuclei)
    (tmp_path / "file").touch()
    monkeypatch.setattr("parfocal.batch.files.run_in_processes", lambda *_: pytest.fail("measured"))
    assert main(["measure", str(tmp_path / "a.png"), "-o", str(tmp_path / "file" / "out")]) == 2
    assert "file/out cannot be written: Not a directory" in capsys.readouterr().err


@pytest.fixture
def model(tmp_path):
    return shutil.copytree(DEFAULT_MODEL, tmp_path / "model")


def spoil(model, how):
    if how == "missing weights":
        (model / "weights.onnx").unlink()
    elif how == "missing config":
        (model / "config.json").unlink()
    elif how == "damaged weights":
        content = (model / "weights.onnx").read_bytes()
        (model / "weights.onnx").write_bytes(content[: len(content) // 2])
    elif how == "damaged config":
        (model / "config.json").write_text('{"task": ')
    elif how == "foreign task":
        config = json.loads((model / "config.json").read_text())
        (model / "config.json").write_text(json.dumps({**config, "task": "restoration"}))
    elif how == "foreign folder":
        shutil.rmtree(model)
        model.mkdir()
        (model / "saved_model.pb").write_bytes(b"\0")


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("missing weights", "weights.onnx cannot be read"),
        ("missing config", "config.json is missing: this is no Parfocal model folder"),
        ("damaged weights", "weights.onnx is damaged: its SHA-256"),
        ("damaged config", "config.json is damaged"),
        ("foreign task", "is a model for 'restoration', needed is one for 'focus_quality'"),
        ("foreign folder", "config.json is missing"),
    ],
)
def test_a_model_folder_that_is_no_good_ends_with_its_file(model, tmp_path, nuclei, capsys, how, message):
    spoil(model, how)
    iio.imwrite(tmp_path / "a.png", nuclei)
    command = ["measure", str(tmp_path / "a.png"), "-o", str(tmp_path / "out"), "--model", str(model)]
    assert main(command) == 2
    told = capsys.readouterr().err
    assert message in told
    assert "Traceback" not in told
    assert not (tmp_path / "out").exists()
