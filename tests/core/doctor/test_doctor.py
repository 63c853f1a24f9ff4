"""What `parfocal doctor` finds: what works, what is missing, what is broken and what to do about it."""

from __future__ import annotations

import json
import shutil
import sys
import venv
from dataclasses import replace
from pathlib import Path

import pytest

import parfocal
import parfocal.doctor as doctor
from parfocal.cli import main
from parfocal.doctor import BROKEN, MISSING, WORKS, Finding, engine, finding, hosts, optional
from parfocal.doctor.examine import guarded
from parfocal.install import packages
from parfocal.install.cellprofiler import FILE, Modules, install, own_folder
from parfocal.install.written import read_written
from parfocal.registry import shipped_file

pytestmark = pytest.mark.current_python


@pytest.mark.current_python
def test_everything_that_an_installed_parfocal_needs_works_here():
    found = {one.what: one for one in doctor.examine()}
    for what in ("Python", "Parfocal", "libraries", "model focus_quality/default", "temporary folder", "worker"):
        assert found[what].state == WORKS, found[what]
    assert sum(what.startswith("model ") for what in found) == len(list(shipped_file(".").glob("*/*/config.json")))
    assert all(bool(one.remedy) == (one.state != WORKS) for one in found.values())


def test_a_damaged_model_is_broken_and_the_file_is_named(tmp_path):
    folder = shutil.copytree(shipped_file("focus_quality") / "default", tmp_path / "focus_quality" / "default")
    assert engine.model(folder).state == WORKS
    weights = folder / "weights.onnx"
    (folder.parent / "other").mkdir()
    damaged = shutil.copytree(folder, folder.parent / "damaged")
    (damaged / "weights.onnx").write_bytes(weights.read_bytes()[:-1])
    found = engine.model(damaged)
    assert (found.what, found.state) == ("model focus_quality/damaged", BROKEN)
    assert "weights.onnx is damaged: its SHA-256 is" in found.text
    assert "install Parfocal again, in its folder: " in found.remedy


def test_profiles_of_beads_are_checked_too(tmp_path):
    folder = shutil.copytree(shipped_file("bead_distance") / "a2k_like", tmp_path / "bead_distance" / "a2k_like")
    (folder / "profiles.npz").write_bytes(b"other")
    assert "profiles.npz is damaged" in engine.model(folder).text


def test_a_package_that_is_not_there_is_missing_with_the_command():
    found = finding.looked_up("something", {"json": "json", "no_such_module": "no-such"}, "formats", "to read")
    assert (found.state, found.text) == (MISSING, "not installed: no-such (to read)")
    assert found.remedy.endswith("""-e ".[formats]\"""")


def test_a_package_that_cannot_be_imported_is_broken(tmp_path, monkeypatch):
    (tmp_path / "half_there.py").write_text("raise OSError('libhalf.so: cannot be opened')")
    monkeypatch.syspath_prepend(tmp_path)
    found = guarded("half", lambda: finding.looked_up("half", {"half_there": "half"}, "formats", ""), "do this")
    assert found == [Finding("half", BROKEN, "OSError: libhalf.so: cannot be opened", "do this")]


@pytest.mark.parametrize(("given", "state"), [("2", WORKS), ("0", BROKEN), ("many", BROKEN)])
def test_the_number_of_threads_is_judged(given, state, monkeypatch):
    monkeypatch.setenv("PARFOCAL_THREADS", given)
    found = engine.processors()
    assert found.state == state
    assert given in found.text


def test_a_temporary_folder_that_cannot_be_written_into_is_broken(monkeypatch, tmp_path):
    monkeypatch.setattr(engine.tempfile, "tempdir", str(tmp_path / "gone"))
    found = engine.temporary_folder()
    assert found.state == BROKEN
    assert "TMPDIR" in found.remedy


def test_tensorflow_that_is_too_old_is_broken(monkeypatch):
    told = Finding("TensorFlow", WORKS, "tensorflow 2.3.0")
    monkeypatch.setattr(optional, "looked_up", lambda *given, **named: told)
    monkeypatch.setattr(optional, "version_of", lambda name: "2.3.0")
    found = optional.tensorflow(thorough=False)
    assert (found.state, found.text) == (BROKEN, "tensorflow 2.3.0, needed is 2.15 or later")


@pytest.mark.parametrize(
    ("version", "state"), [("17.0.15", WORKS), ("11.0.2", WORKS), ("1.8.0_392", BROKEN), ("9.0.4", BROKEN)]
)
def test_java_is_judged_by_its_folder_and_not_started(version, state, monkeypatch, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").write_text("not to be started")
    (tmp_path / "release").write_text(f'IMPLEMENTOR="x"\nJAVA_VERSION="{version}"\n')
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    found = hosts.java(thorough=False)
    assert found.state == state
    assert found.text.startswith(f"{version} in {tmp_path}")


def test_a_java_home_without_java_is_broken(monkeypatch, tmp_path):
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    (found,) = guarded("Java", lambda: hosts.java(False), "set JAVA_HOME")
    assert found.state == BROKEN
    assert "there is no bin/java in" in found.text


def test_modules_in_a_plugins_folder_are_looked_at(tmp_path):
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    found = hosts.cellprofiler_plugins(str(plugins))
    assert (found.state, found.remedy) == (MISSING, f"parfocal install cellprofiler {plugins}")
    install(plugins)
    assert hosts.cellprofiler_plugins(str(plugins)).state == WORKS
    written = read_written(Modules, plugins / FILE)
    (plugins / FILE).write_text(replace(written, python=str(tmp_path / "no" / "python")).text())
    gone = hosts.cellprofiler_plugins(str(plugins))
    assert (gone.state, "no Python at" in gone.text) == (BROKEN, True)
    (plugins / "flagdefocused.py").write_text("")
    assert hosts.cellprofiler_plugins(str(plugins)).text == "missing or changed: flagdefocused.py"
    (plugins / FILE).write_text(replace(written, parfocal="0.0.1").text())
    assert "they are of Parfocal 0.0.1" in hosts.cellprofiler_plugins(str(plugins)).text


def test_a_fiji_that_is_none_is_broken(tmp_path):
    (found,) = guarded("scripts in Fiji", lambda: hosts.fiji(str(tmp_path)), "parfocal install fiji PATH")
    assert found.state == BROKEN
    assert "it must be the folder that holds jars and plugins" in found.text
    nowhere = hosts.fiji(str(tmp_path / "nowhere"))
    assert nowhere.text.startswith(f"no Fiji in {tmp_path / 'nowhere'}: ")
    assert nowhere.remedy == "give the folder of a Fiji that is there"


def test_the_own_folder_of_the_modules_is_not_installed_into():
    found = hosts.cellprofiler_plugins(str(own_folder()))
    assert (found.state, "Parfocal's own folder" in found.text) == (MISSING, True)
    assert str(own_folder()) not in found.remedy


def test_an_environment_of_the_project_is_told_from_ones_own(tmp_path, monkeypatch):
    project = Path(parfocal.__file__).parents[1]
    told = "put extras into one of yours"
    monkeypatch.setattr(engine.sys, "prefix", str(project / ".venv-cp"))
    assert told in engine.python()[0].text
    monkeypatch.setattr(engine.sys, "prefix", str(tmp_path / ".venv"))
    assert told not in engine.python()[0].text


@pytest.mark.parametrize(("state", "status"), [(WORKS, 0), (MISSING, 0), (BROKEN, 1)])
def test_the_exit_status_is_that_of_what_is_broken(state, status, monkeypatch, capsys):
    found = [Finding("one", WORKS, "1.0"), Finding("two", state, "told", "do this")]
    monkeypatch.setattr(doctor, "examine", lambda *given: found)
    assert main(["doctor"]) == status
    assert capsys.readouterr().out == f"works    one: 1.0\n{state:8} two: told\n         -> do this\n"
    assert main(["doctor", "--json"]) == status
    assert [Finding(**one) for one in json.loads(capsys.readouterr().out)] == found


def test_a_package_below_one_that_is_not_there_is_missing():
    found = finding.looked_up("sharing", {"nowhere_at_all.spec": "nowhere"}, "bioimageio", "parfocal export")
    assert found.state == MISSING


@pytest.mark.parametrize(
    ("tools", "uv", "told"),
    [
        (("pip", "ensurepip"), "uv", "{python} -m pip install nd2"),
        (("ensurepip",), "uv", "uv pip install --python {python} nd2"),
        (("ensurepip",), None, "{python} -m ensurepip, then {python} -m pip install nd2"),
        ((), None, "install uv (https://docs.astral.sh/uv), then uv pip install --python {python} nd2"),
    ],
)
def test_packages_are_installed_by_what_there_is(tools, uv, told, monkeypatch):
    monkeypatch.setattr(packages, "_tools_of", lambda python: tools)
    monkeypatch.setattr(packages.shutil, "which", lambda name: uv)
    assert packages.install_command("nd2", "/my python") == told.format(python="'/my python'")


def test_a_python_is_asked_whether_it_has_pip(tmp_path):
    venv.create(tmp_path / "bare", with_pip=False)
    python = tmp_path / "bare" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    assert "pip" not in packages._tools_of(str(python))
    assert packages._tools_of(str(tmp_path / "no python")) == ("pip",)


def test_what_no_command_brings_to_this_python_is_said(monkeypatch):
    monkeypatch.setattr(optional, "looked_up", lambda *given: Finding("Micro-Manager", MISSING, "", "pip"))
    assert optional.micro_manager().remedy == "pip"
    monkeypatch.setattr(optional, "_OLDEST_PYTHON", (99, 0))
    assert optional.micro_manager().remedy == "use Parfocal in a Python 3.10 or later for that"
