"""Models as packages of bioimage.io: what is in them, what their own validator says, and that Parfocal loads them."""

from __future__ import annotations

import errno
import json
import shutil
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from tiny_sorter import write_edge_sorter

import parfocal.sharing.export as export
from parfocal import measure_image_focus
from parfocal.cli import main
from parfocal.registry import ModelError, load_model, shipped_file
from parfocal.sharing.examples import example_input
from parfocal.sharing.export import export_bioimageio
from parfocal.sorting.members import first_member
from parfocal.sorting.recipe import write_ensemble

pytestmark = pytest.mark.current_python

SORTER = first_member("default")
MODELS = [
    "focus_quality/default",
    SORTER.relative_to(shipped_file(".")).as_posix(),
    "restoration/default",
    "focal_position/default",
    "bead_distance/nikon_like",
]
DATA = Path(__file__).parents[2] / "data" / "core"


@pytest.fixture
def no_network(monkeypatch):
    """Make every address out of reach, and count the tries."""
    tries = []

    def refuse(*given, **named):
        tries.append(given)
        raise OSError("no network in this test")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return tries


@pytest.mark.current_python
@pytest.mark.parametrize("name", MODELS)
def test_the_validator_of_bioimageio_accepts_a_model_of_each_task(name, tmp_path, no_network):
    from bioimageio.core import test_description as validate

    package = export_bioimageio(name, tmp_path / "model.zip")
    summary = validate(package)
    assert summary.status == "passed", summary.display()
    assert not no_network
    task = name.split("/")[0]
    seen = np.load(read_member(package, "test_input.npy"), allow_pickle=False)
    told = np.load(read_member(package, "test_output.npy"), allow_pickle=False)
    np.testing.assert_allclose(load_model(package, task).predict(seen), told, rtol=1e-5, atol=1e-5)
    assert {path.name for path in shipped_file(name).iterdir()} < set(zipfile.ZipFile(package).namelist())


def read_member(package, name):
    return zipfile.ZipFile(package).open(name)


def test_a_package_measures_as_the_model_that_it_was_made_of(tmp_path, nuclei, no_network, capsys):
    package = tmp_path / "mine.zip"
    given = ["export", "focus_quality/default", "-o", str(package)]
    assert main(given) == 0
    assert capsys.readouterr().out == f"written: {package}\n"
    assert not no_network
    told = [measure_image_focus(nuclei, model=model).estimate.defocus_level for model in ("default", str(package))]
    assert told[0] == told[1]
    written = package.read_bytes()
    assert main(given) == 2
    assert "mine.zip exists: choose another name, or give --overwrite" in capsys.readouterr().err
    assert package.read_bytes() == written
    package.write_bytes(b"old")
    assert main([*given, "--bioimageio", "--overwrite"]) == 0
    assert zipfile.is_zipfile(package)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.zip"]


def test_a_package_says_who_made_it_under_which_licence_and_what_goes_in(tmp_path):
    import yaml

    package = export_bioimageio("focus_quality/default", tmp_path / "mine.zip")
    told = yaml.safe_load(read_member(package, "rdf.yaml"))
    assert (told["type"], told["license"]) == ("model", "BSD-3-Clause")
    assert told["authors"][0]["name"] == "The Parfocal developers"
    assert told["cite"][0]["doi"] == "10.1186/s12859-018-2087-4"
    assert [axis.get("size") for axis in told["inputs"][0]["axes"]] == [None, 84, 84, None]
    assert len(told["outputs"][0]["axes"][1]["channel_names"]) == 11
    readme = read_member(package, "README.md").read().decode()
    assert "at mean 0 and deviation 1" in readme
    assert (shipped_file("focus_quality") / "default" / "card.md").read_text() in readme


def test_the_test_input_is_made_of_the_image_that_is_named(tmp_path, nuclei):
    image = DATA / "dsb2018_4ff152d76db095f7.png"
    package = export_bioimageio(SORTER, tmp_path / "mine.zip", test_image=image)
    seen = np.load(read_member(package, "test_input.npy"), allow_pickle=False)
    np.testing.assert_array_equal(seen, example_input(load_model(SORTER, "sorting"), nuclei))
    assert not np.array_equal(seen, example_input(load_model(SORTER, "sorting")))


@pytest.mark.parametrize("architecture", ["default", "xue2021"])
def test_an_example_is_the_same_each_time_and_answered_with_numbers(architecture, tmp_path):
    network = load_model(write_edge_sorter(tmp_path / "own", architecture), "sorting")
    first, second = example_input(network), example_input(network)
    np.testing.assert_array_equal(first, second)
    assert first.dtype == np.float32
    assert np.isfinite(network.predict(first)).all()


def test_a_model_of_several_networks_is_exported_one_by_one(tmp_path):
    folder = tmp_path / "both"
    for name, architecture in (("squares", "default"), ("whole", "xue2021")):
        write_edge_sorter(folder / name, architecture, parameters=2)
    write_ensemble(folder, {"squares": 3.0, "whole": 1.0}, {"nuclei": (4, 5)})
    with pytest.raises(ModelError, match=r"made of several networks.*export .*squares, .*whole one by one"):
        export_bioimageio(folder, tmp_path / "mine.zip")


@pytest.mark.parametrize(
    ("model", "output", "error", "told"),
    [
        ("focus_quality/defualt", "a.zip", ModelError, r"give one of .*focus_quality/default.* or the path"),
        ("focus_quality/default", "a.tar", ValueError, r"must end with .zip, got .*a.tar"),
        ("focus_quality/default", "no/a.zip", FileNotFoundError, "no folder .*no to write a.zip into"),
    ],
)
def test_what_cannot_be_exported_says_why(model, output, error, told, tmp_path):
    with pytest.raises(error, match=told):
        export_bioimageio(model, tmp_path / output)
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_told_before_the_work_and_nothing_stays(tmp_path, monkeypatch):
    def refuse(path):
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    with monkeypatch.context() as here:
        here.setattr(Path, "touch", refuse)
        here.setattr(export, "load_model", None)
        told = "a.zip cannot be written: it lies on a disk that is read-only; choose a folder on another one"
        with pytest.raises(OSError, match=told):
            export_bioimageio("focus_quality/default", tmp_path / "a.zip")

    def fill(source, target):
        Path(target).write_bytes(b"half of it")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(export.shutil, "copyfile", fill)
    (tmp_path / "made.zip").touch()
    with pytest.raises(OSError, match="No space left"):
        export._put(tmp_path / "made.zip", tmp_path / "a.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["made.zip"]


def test_a_folder_is_not_replaced_by_a_package(tmp_path):
    (tmp_path / "a.zip").mkdir()
    with pytest.raises(FileExistsError, match="a.zip is a folder: choose another name"):
        export_bioimageio("focus_quality/default", tmp_path / "a.zip", overwrite=True)


def test_a_folder_beside_the_user_is_reached_by_a_dot(tmp_path, monkeypatch):
    own = shutil.copytree(SORTER, tmp_path / "focus_quality" / "default")
    monkeypatch.chdir(tmp_path)
    assert export._folder_of("./focus_quality/default") == own.resolve()
    assert export._folder_of("focus_quality/default") == (shipped_file("focus_quality") / "default").resolve()


def test_a_test_image_that_is_too_small_says_how_large_it_must_be(tmp_path):
    import imageio.v3 as iio

    iio.imwrite(tmp_path / "small.png", np.arange(100 * 90, dtype=np.uint8).reshape(90, 100))
    with pytest.raises(ValueError, match="must be at least 128 x 128 px for this model, got 100 x 90"):
        export_bioimageio(SORTER, tmp_path / "a.zip", test_image=tmp_path / "small.png")


def test_a_damaged_model_is_not_exported(tmp_path):
    folder = shutil.copytree(SORTER, tmp_path / "own")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "sha256": "0" * 64}))
    with pytest.raises(ModelError, match="is damaged: its SHA-256"):
        export_bioimageio(folder, tmp_path / "a.zip")


def test_without_the_extra_the_error_says_what_to_install(tmp_path):
    code = (
        "import sys; sys.modules['bioimageio'] = None\n"
        "from parfocal.cli import main\n"
        f"sys.exit(main(['export', 'focus_quality/default', '--bioimageio', '-o', {str(tmp_path / 'a.zip')!r}]))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 2
    assert """-e ".[bioimageio]\"""" in run.stderr
