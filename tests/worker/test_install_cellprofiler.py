"""`parfocal install cellprofiler` and `uninstall`: what is ours is written and taken away, and nothing else."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from parfocal.cli import main
from parfocal.install import cellprofiler, place
from parfocal.install.other_python import packages_of
from parfocal.install.written import digest

SOURCE = Path(__file__).resolve().parents[2] / "cp_plugins"
MODULE = "measureimagefocus.py"


@pytest.fixture(scope="module")
def packages():
    """Where this Python itself says that Parfocal lies."""
    return packages_of(sys.executable)


@pytest.fixture
def plugins(tmp_path, packages, monkeypatch):
    """A plugins folder in use; the Python has been asked before, which takes seconds."""
    monkeypatch.setattr(cellprofiler, "packages_of", lambda python: packages)
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "mine.py").write_text("mine")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "mine.cpython-39.pyc").write_bytes(b"mine")
    return folder


def files_of(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_modules_are_written_with_this_python_and_taken_away_again(plugins, packages):
    before = files_of(plugins)
    folder, python, names = cellprofiler.install(plugins, patience_s=60)
    assert (folder, python) == (plugins.resolve(), sys.executable)
    assert names == ["flagdefocused", "measurebeadfocalplane", "measureimagefocus", "restoredefocus"]
    written = {name for name in files_of(plugins) if name not in before}
    assert written == {path.name for path in SOURCE.glob("*.py")} - {"__init__.py"} | {cellprofiler.FILE}
    assert (plugins / MODULE).read_bytes() == (SOURCE / MODULE).read_bytes()
    told = json.loads((plugins / cellprofiler.FILE).read_text())
    assert (told["python"], told["patience_s"], told["packages"]) == (sys.executable, 60, packages)
    # What CellProfiler's Python makes of them.
    (plugins / "__pycache__" / "measureimagefocus.cpython-39.pyc").write_bytes(b"ours")
    removed, kept = cellprofiler.uninstall(plugins)
    assert (len(removed), kept) == (len(written) - 1, [])
    assert files_of(plugins) == before


def test_packages_lie_where_python_finds_them(packages):
    import parfocal.models

    assert Path(packages["parfocal"], "registry.py").is_file()
    assert Path(packages["parfocal.models"]) == Path(parfocal.models.__file__).parent


def test_a_folder_that_was_made_goes_too_and_one_in_nowhere_is_not_made(plugins):
    made = plugins.parent / "made"
    cellprofiler.install(made)
    cellprofiler.uninstall(made)
    assert not made.exists()
    with pytest.raises(FileNotFoundError, match=r"no folder .*nowhere.plugins: give CellProfiler's plugins folder"):
        cellprofiler.install(plugins.parent / "nowhere" / "plugins")


def test_a_module_of_the_user_is_not_overwritten_and_nothing_is_written(plugins):
    (plugins / MODULE).write_text("an older module of the same name")
    before = files_of(plugins)
    with pytest.raises(FileExistsError, match=f"{MODULE} is in the way and was not written by parfocal install: move"):
        cellprofiler.install(plugins)
    assert files_of(plugins) == before


def test_installing_again_replaces_what_an_older_version_wrote(plugins):
    cellprofiler.install(plugins)
    first = files_of(plugins)
    manifest = json.loads((plugins / cellprofiler.FILE).read_text())
    for name in (MODULE, "_parfocal_old.py"):
        (plugins / name).write_bytes(b"older")
        manifest["files"][name] = digest(b"older")
    (plugins / cellprofiler.FILE).write_text(json.dumps({**manifest, "of a later version": 1}))
    cellprofiler.install(plugins)
    assert files_of(plugins) == first


def test_a_module_that_was_changed_is_neither_replaced_nor_removed_but_named(plugins, capsys):
    cellprofiler.install(plugins)
    with open(plugins / MODULE, "a") as module:
        module.write("# mine\n")
    assert main(["install", "cellprofiler", str(plugins)]) == 2
    assert f"{MODULE} was changed since parfocal install wrote it: move it away first" in capsys.readouterr().err
    assert main(["uninstall", "cellprofiler", str(plugins)]) == 0
    assert f"left, since it was changed: {plugins / MODULE}" in capsys.readouterr().out
    assert sorted(path.name for path in plugins.glob("*.py")) == [MODULE, "mine.py"]


def test_what_cannot_be_is_told_with_what_would_be_right(plugins, capsys):
    cases = {
        (str(SOURCE),): "is Parfocal's own folder: give CellProfiler's plugins folder",
        (str(plugins / "mine.py"),): "mine.py is a file: give CellProfiler's plugins folder",
        (str(plugins), "--python", str(plugins)): "give the path of its program, such as",
        (str(plugins), "--python", "no-such-python"): "no Python at no-such-python: give the path of its program",
        (str(plugins), "--patience-s", "0"): "patience_s must be in [1, 86400] s, got 0.0",
    }
    before = files_of(plugins)
    for arguments, told in cases.items():
        assert main(["install", "cellprofiler", *arguments]) == 2
        assert told in capsys.readouterr().err
    assert main(["uninstall", "cellprofiler", str(plugins)]) == 2
    assert "nothing of Parfocal is installed in" in capsys.readouterr().err
    assert files_of(plugins) == before


def test_a_disk_that_is_full_in_the_midst_of_it_leaves_all_as_it_was(plugins, monkeypatch):
    """What an older version wrote is replaced, removed and added to, and each of these comes back."""
    cellprofiler.install(plugins)
    manifest = json.loads((plugins / cellprofiler.FILE).read_text())
    for name in (MODULE, "_parfocal_old.py"):
        (plugins / name).write_bytes(b"older")
        manifest["files"][name] = digest(b"older")
    new = "flagdefocused.py"
    (plugins / new).unlink()
    (plugins / cellprofiler.FILE).write_text(json.dumps(manifest))
    before, replaced = files_of(plugins), []

    def replace(source, target):
        replaced.append(Path(target).name)
        if replaced[-1] == cellprofiler.FILE:
            raise OSError(errno.ENOSPC, "No space left on device", str(target))
        os.rename(source, target)

    monkeypatch.setattr(place.os, "replace", replace)
    told = r"files cannot be written into .*plugins: the disk is full \(.*_parfocal_engine.json\); make room, and try"
    with pytest.raises(OSError, match=told):
        cellprofiler.install(plugins)
    assert {new, MODULE} < set(replaced)
    assert files_of(plugins) == before


@pytest.mark.parametrize("made", [True, False])
def test_a_folder_that_takes_no_files_is_told_and_left_as_it_is(made, plugins, monkeypatch, capsys):
    folder = plugins if made else plugins.parent / "made"

    def refuse(path, content):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    before = files_of(plugins)
    monkeypatch.setattr(Path, "write_bytes", refuse)
    assert main(["install", "cellprofiler", str(folder)]) == 2
    told = capsys.readouterr().err
    assert told.startswith(
        f"parfocal: error: Parfocal's files cannot be written into {folder}: you may not do that there"
    )
    assert told.endswith("; choose a folder of your own, or have its rights changed\n")
    assert folder.exists() == made
    assert files_of(plugins) == before


def test_files_that_cannot_be_removed_are_told_and_it_can_be_done_again(plugins, monkeypatch, capsys):
    cellprofiler.install(plugins)
    unlink = Path.unlink

    def refuse(path):
        if path.name == MODULE:
            raise PermissionError(errno.EACCES, "The process cannot access the file", str(path), 32)
        unlink(path)

    with monkeypatch.context() as here:
        here.setattr(Path, "unlink", refuse)
        assert main(["uninstall", "cellprofiler", str(plugins)]) == 2
    assert f"Parfocal's files cannot be taken out of {plugins}: " in capsys.readouterr().err
    cellprofiler.uninstall(plugins)
    assert sorted(path.name for path in plugins.glob("*.*")) == ["mine.py"]


def test_a_folder_in_the_place_of_a_module_is_in_the_way(plugins):
    (plugins / MODULE).mkdir()
    with pytest.raises(FileExistsError, match=f"{MODULE} is in the way and was not written by parfocal install"):
        cellprofiler.install(plugins)


def test_a_list_that_names_files_elsewhere_removes_nothing(plugins):
    cellprofiler.install(plugins)
    mine = plugins.parent / "mine.txt"
    mine.write_bytes(b"mine")
    manifest = json.loads((plugins / cellprofiler.FILE).read_text())
    manifest["files"]["../mine.txt"] = digest(b"mine")
    (plugins / cellprofiler.FILE).write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match="is damaged, so that it is not known"):
        cellprofiler.uninstall(plugins)
    assert mine.exists()


def test_a_damaged_list_says_how_to_go_on_and_nothing_else_is_touched(plugins, capsys):
    cellprofiler.install(plugins)
    (plugins / cellprofiler.FILE).write_text("nonsense{")
    before = files_of(plugins)
    for command in ("install", "uninstall"):
        assert main([command, "cellprofiler", str(plugins)]) == 2
        assert f"{cellprofiler.FILE} is damaged, so that it is not known" in capsys.readouterr().err
    assert files_of(plugins) == before
    (plugins / cellprofiler.FILE).unlink()
    cellprofiler.install(plugins)
    cellprofiler.uninstall(plugins)
    assert sorted(path.name for path in plugins.glob("*.py")) == ["mine.py"]


@pytest.mark.skipif(sys.platform == "win32", reason="the program is made by a shell")
def test_a_python_without_parfocal_or_with_another_version_is_refused(tmp_path):
    other = tmp_path / "python"
    other.write_text("#!/bin/sh\necho 'ModuleNotFoundError: No module named onnxruntime' >&2\nexit 1\n")
    other.chmod(0o755)
    with pytest.raises(
        ImportError, match=r"does not run in .*named onnxruntime\): install it there, .* -m pip install"
    ):
        packages_of(str(other))
    other.write_text("""#!/bin/sh\necho '{"parfocal": "9.9", "packages": {}}'\n""")
    with pytest.raises(
        ValueError, match=r"has Parfocal 9.9, this is 0.1.0: install with that one, by .* -m parfocal.cli"
    ):
        packages_of(str(other))


def test_a_link_to_python_is_kept_since_that_of_an_environment_is_one(plugins):
    link = plugins.parent / Path(sys.executable).name
    try:
        link.symlink_to(sys.executable)
    except OSError:
        shutil.copy(sys.executable, link)
    assert cellprofiler.install(plugins, str(link))[1] == str(link)
