"""Packages of models: loaded as folders are, and refused before anything is written where they are hostile."""

from __future__ import annotations

import errno
import hashlib
import json
import random
import re
import stat
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import parfocal.sharing.unpack as unpack
from parfocal import measure_image_focus
from parfocal.cli import main
from parfocal.registry import ModelError, load_model, model_folder, shipped_file

pytestmark = pytest.mark.current_python

TASK = "focus_quality"
MODEL = shipped_file(TASK) / "default"


@pytest.fixture
def own_temp(tmp_path, monkeypatch):
    """Where packages are unpacked, so that a test sees what was left there."""
    folder = tmp_path / "temp"
    folder.mkdir()
    monkeypatch.setattr(unpack.tempfile, "tempdir", str(folder))
    return folder


def pack(path, extra=(), left_out=(), compression=zipfile.ZIP_DEFLATED):
    """Write the shipped model as a package, with further members (name or ZipInfo, content)."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        for file in sorted(MODEL.iterdir()):
            if file.name not in left_out:
                archive.write(file, file.name)
        for member, content in extra:
            archive.writestr(member, content)
    return path


def link(name, target):
    member = zipfile.ZipInfo(name)
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    return member, target


def test_a_package_gives_the_numbers_of_its_folder(tmp_path, nuclei):
    package = pack(tmp_path / "mine.zip")
    named, packed = (measure_image_focus(nuclei, model=model).estimate for model in ("default", str(package)))
    assert packed.defocus_level == named.defocus_level
    assert load_model(package, TASK) is load_model(package, TASK)
    assert model_folder(package, TASK).name == "mine"


@pytest.mark.parametrize("command", ["measure", "sort", "restore", "beads", "screen", "hold-focus"])
def test_help_says_that_a_package_is_a_model(command, capsys):
    assert main([command, "--help"]) == 0
    described = re.split(r"\n  --", capsys.readouterr().out)
    models = [text for text in described if re.match(r"[a-z-]*model TEXT", text)]
    assert models
    assert all("package (.zip)" in " ".join(text.split()) for text in models)


def test_what_was_unpacked_goes_with_the_process(tmp_path):
    package = pack(tmp_path / "mine.zip")
    code = f"from parfocal.registry import model_folder; print(model_folder({str(package)!r}, {TASK!r}))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert Path(told).name == "mine"
    assert not Path(told).parent.exists()


def test_a_package_that_was_replaced_is_unpacked_again(tmp_path):
    package = pack(tmp_path / "mine.zip")
    before = model_folder(package, TASK)
    pack(package, [("more.txt", b"more")])
    assert (model_folder(package, TASK) / "more.txt").read_bytes() == b"more"
    assert not (before / "more.txt").exists()


@pytest.mark.parametrize(
    "name",
    ["../evil.txt", "/evil.txt", "below/evil.txt", "..", "C:evil.txt", "C:\\evil.txt", "..\\evil.txt", "//host/evil"]
    + ["folder/", ".hidden", "evil\n.txt", "", "evil.", "nul", "COM1.txt", 101 * "n", "\u0131evil"],
)
def test_a_name_that_leads_elsewhere_is_refused_and_nothing_is_written(tmp_path, own_temp, name):
    package = pack(tmp_path / "mine.zip", [(zipfile.ZipInfo(name), b"")])
    with pytest.raises(ModelError, match=r"mine.zip is refused: .* is no plain file name"):
        model_folder(package, TASK)
    assert not list(own_temp.iterdir())
    assert not list(tmp_path.rglob("evil*"))


def test_a_link_is_refused(tmp_path, own_temp):
    package = pack(tmp_path / "mine.zip", [link("weights2.onnx", "/etc/passwd")])
    with pytest.raises(ModelError, match="'weights2.onnx' in it is a link"):
        model_folder(package, TASK)
    assert not list(own_temp.iterdir())


def test_two_files_of_one_name_are_refused(tmp_path, own_temp):
    package = pack(tmp_path / "mine.zip", [("CONFIG.json", b"{}")])
    with pytest.raises(ModelError, match="two files in it have one name"):
        model_folder(package, TASK)


def test_too_many_files_are_refused(tmp_path, own_temp):
    package = pack(tmp_path / "mine.zip", [(f"{number}.txt", b"") for number in range(unpack.MOST_FILES)])
    with pytest.raises(ModelError, match=f"allowed are {unpack.MOST_FILES} files"):
        model_folder(package, TASK)
    assert not list(own_temp.iterdir())


def test_too_much_when_unpacked_is_refused(tmp_path, own_temp, monkeypatch):
    monkeypatch.setattr(unpack, "MOST_BYTES", 2_000_000)
    package = pack(tmp_path / "mine.zip", [("zeros.bin", bytes(2_000_000))])
    assert package.stat().st_size < 1_000_000
    with pytest.raises(ModelError, match="and 2000000 bytes"):
        model_folder(package, TASK)
    assert not list(own_temp.iterdir())


def test_a_file_that_is_larger_than_the_archive_says_is_not_written_beyond_it(tmp_path, own_temp):
    package = pack(tmp_path / "mine.zip", [("zeros.bin", bytes(3_000_000))])
    content = package.read_bytes()
    size = struct.pack("<L", 3_000_000)
    assert content.count(size) == 2
    package.write_bytes(content.replace(size, struct.pack("<L", 1000)))
    with pytest.raises(ModelError, match="cannot be unpacked"):
        model_folder(package, TASK)
    assert not list(own_temp.iterdir())


def test_other_compressions_are_refused(tmp_path):
    package = pack(tmp_path / "mine.zip", compression=zipfile.ZIP_BZIP2)
    with pytest.raises(ModelError, match="compressed in another way than by deflate"):
        model_folder(package, TASK)


def test_an_encrypted_file_is_refused(tmp_path):
    package = pack(tmp_path / "mine.zip")
    content = bytearray(package.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    package.write_bytes(bytes(content))
    with pytest.raises(ModelError, match="is encrypted"):
        model_folder(package, TASK)


@pytest.mark.parametrize("keep", [0, 200, 20_000])
def test_an_archive_that_was_cut_says_so(tmp_path, own_temp, keep):
    package = pack(tmp_path / "mine.zip")
    package.write_bytes(package.read_bytes()[:keep])
    with pytest.raises(ModelError, match="mine.zip cannot be unpacked .*: copy or export it again"):
        model_folder(package, TASK)
    assert not list(own_temp.iterdir())


def test_a_damaged_archive_leaves_nothing(tmp_path, own_temp):
    package = pack(tmp_path / "mine.zip")
    content = bytearray(package.read_bytes())
    content[20_000:20_100] = bytes(100)
    package.write_bytes(bytes(content))
    with pytest.raises(ModelError, match="cannot be unpacked"):
        model_folder(package, TASK)
    assert not list(own_temp.iterdir())


def test_other_weights_than_the_config_was_written_for_are_refused(tmp_path):
    package = pack(tmp_path / "mine.zip", [("weights.onnx", b"something else")], left_out=["weights.onnx"])
    with pytest.raises(ModelError, match="weights.onnx in .*mine.zip is damaged: its SHA-256 is"):
        load_model(package, TASK)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"task": "sorting"}, "mine.zip is a model for 'sorting', needed is one for 'focus_quality'"),
        ({"format_version": 9}, "mine.zip has format 9, this Parfocal reads up to 1: update Parfocal"),
        ({"sha256": "0"}, "weights.onnx in {}mine.zip is damaged: its SHA-256 is"),
        ({"weights": "gone.onnx"}, "gone.onnx in {}mine.zip cannot be read"),
        ({"weights": "../mine.zip"}, "config.json in {}mine.zip is damaged: weights must name a file beside it"),
    ],
)
def test_errors_name_the_package_and_not_where_it_was_unpacked(changes, told, tmp_path, own_temp):
    config = {**json.loads((MODEL / "config.json").read_text()), **changes}
    package = pack(tmp_path / "mine.zip", [("config.json", json.dumps(config))], left_out=["config.json"])
    with pytest.raises(ModelError) as raised:
        load_model(package, TASK)
    assert told.format(f"{tmp_path}/") in str(raised.value)
    assert str(own_temp) not in str(raised.value)


def test_a_full_disk_is_told_as_such(tmp_path, own_temp, monkeypatch):
    def fill(source, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    package = pack(tmp_path / "mine.zip")
    monkeypatch.setattr(unpack.shutil, "copyfileobj", fill)
    with pytest.raises(ModelError, match="mine.zip cannot be unpacked: the disk is full; make room, and try again"):
        model_folder(package, TASK)
    assert not list(own_temp.iterdir())


def test_whatever_byte_is_changed_it_is_a_model_error_and_nothing_stays(tmp_path, own_temp):
    """Also where zipfile fails by an error of its own, as at a name that is no text."""
    package, small = tmp_path / "mine.zip", tmp_path / "small.zip"
    with zipfile.ZipFile(small, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", 30 * b'{"a": 1}')
        archive.writestr("card.md", bytes(range(200)))
    whole, rng = small.read_bytes(), random.Random(2018)
    headers = [at for at in range(len(whole)) if whole[at : at + 2] == b"PK"]
    refused = 0
    for _ in range(600):
        content = bytearray(whole)
        for _ in range(rng.choice([1, 2, 4])):
            content[min(rng.choice(headers) + rng.randrange(46), len(whole) - 1)] = rng.randrange(256)
        package.write_bytes(content)
        try:
            unpack._unpacked.__wrapped__(package, 0, 0)
        except ModelError as error:
            refused += str(error).startswith(str(package))
        else:
            unpack._FOLDERS.pop().cleanup()
        assert not list(own_temp.iterdir())
    assert refused > 300


def test_weights_that_name_another_file_of_the_computer_are_refused(tmp_path, monkeypatch):
    import onnx

    secret = tmp_path / "secret.bin"
    secret.write_bytes(bytes(16))
    tensor = onnx.TensorProto(name="w", data_type=1, dims=[4], data_location=onnx.TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=secret.name)
    seen, told = (onnx.helper.make_tensor_value_info(name, 1, [4]) for name in "xy")
    graph = onnx.helper.make_graph([onnx.helper.make_node("Add", ["x", "w"], ["y"])], "g", [seen], [told], [tensor])
    weights = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    content = weights.SerializeToString()
    config = {**json.loads((MODEL / "config.json").read_text()), "sha256": hashlib.sha256(content).hexdigest()}
    extra = [("weights.onnx", content), ("config.json", json.dumps(config))]
    package = pack(tmp_path / "mine.zip", extra, left_out=["weights.onnx", "config.json"])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match="weights.onnx in .*mine.zip holds no network that can be run"):
        load_model(package, TASK)


@pytest.mark.parametrize(
    ("extra", "told"),
    [
        ([], "is no model of Parfocal"),
        ([("rdf.yaml", "type: model")], "is a model of bioimage.io, but none of Parfocal"),
    ],
)
def test_a_package_of_others_says_so(tmp_path, extra, told):
    package = pack(tmp_path / "mine.zip", extra, left_out=["config.json"])
    with pytest.raises(ModelError, match=told):
        load_model(package, TASK)
