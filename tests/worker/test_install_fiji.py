"""`parfocal install fiji` and `uninstall`: exactly what is ours is written, replaced and taken away."""

from __future__ import annotations

import json
import sys
import zipfile

import pytest

from parfocal.cli import main
from parfocal.fiji_bridge.scripts import install, uninstall
from parfocal.fiji_bridge.scripts.folder import SCRIPTS
from parfocal.install.written import digest

FOCUS = "Measure_Image_Focus....groovy"


@pytest.fixture
def fiji(tmp_path):
    """Folder of a Fiji as far as the installer looks at it."""
    folder = tmp_path / "Fiji.app"
    for name in ("jars", "plugins"):
        (folder / name).mkdir(parents=True)
    add_appose(folder, "0.9.0")
    return folder


def add_appose(folder, version, inside=True):
    for jar in (folder / "jars").glob("appose-*"):
        jar.unlink()
    with zipfile.ZipFile(folder / "jars" / f"appose-{version}.jar", "w") as archive:
        if inside:
            archive.writestr("META-INF/maven/org.apposed/appose/pom.properties", f"version={version}\n")


def files_of(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_scripts_are_written_with_this_python_and_taken_away_again(fiji):
    before = files_of(fiji)
    folder, names = install(fiji, patience_s=60)
    assert folder == fiji / SCRIPTS
    assert "Restore Defocus" in names
    text = (folder / FOCUS).read_text()
    assert '#@ String(label="Pixel size (um)", description="Camera pixel divided by magnification.' in text
    told = json.loads((folder / "parfocal.json").read_text())
    assert (told["python"], told["patience_s"]) == (sys.executable, 60)
    # Fiji makes a menu entry of every file whose end it knows.
    assert {path.suffix for path in folder.iterdir()} == {".groovy", ".lib", ".json"}
    removed, kept = uninstall(fiji)
    assert (len(removed), kept) == (len(told["files"]), [])
    assert files_of(fiji) == before
    assert not (fiji / "scripts").exists()


def test_folders_that_were_there_stay(fiji):
    (fiji / "scripts" / "Plugins").mkdir(parents=True)
    (fiji / "scripts" / "mine.groovy").write_text("1")
    install(fiji)
    uninstall(fiji)
    assert (fiji / "scripts" / "Plugins").is_dir()
    assert (fiji / "scripts" / "mine.groovy").read_text() == "1"


def test_a_file_that_is_not_ours_is_not_overwritten_and_nothing_is_written(fiji):
    folder = fiji / SCRIPTS
    folder.mkdir(parents=True)
    (folder / FOCUS).write_text("mine")
    before = files_of(fiji)
    with pytest.raises(FileExistsError, match="is in the way and was not written by parfocal install: move it away"):
        install(fiji)
    assert files_of(fiji) == before


def test_what_an_older_version_wrote_is_replaced_and_what_it_wrote_alone_goes(fiji):
    folder, _ = install(fiji)
    manifest = json.loads((folder / "parfocal.json").read_text())
    for name in (FOCUS, "Old_Command....groovy"):
        (folder / name).write_text("older")
        manifest["files"][name] = digest(b"older")
    (folder / "parfocal.json").write_text(json.dumps({**manifest, "of a later version": 1}))
    install(fiji)
    assert "#@" in (folder / FOCUS).read_text()
    assert not (folder / "Old_Command....groovy").exists()
    uninstall(fiji)
    assert not (fiji / "scripts").exists()


def test_a_script_that_was_changed_is_neither_replaced_nor_removed_but_named(fiji, capsys):
    folder, _ = install(fiji)
    with open(folder / FOCUS, "a") as script:
        script.write("// mine\n")
    with pytest.raises(FileExistsError, match=r"was changed since parfocal install wrote it: move it away first"):
        install(fiji)
    assert main(["uninstall", "fiji", str(fiji)]) == 0
    assert f"left, since it was changed: {folder / FOCUS}" in capsys.readouterr().out
    assert [path.name for path in folder.iterdir()] == [FOCUS]


def test_installing_twice_changes_nothing_else(fiji):
    install(fiji)
    before = files_of(fiji)
    install(fiji)
    assert files_of(fiji) == before


def test_an_installation_that_was_broken_off_can_be_done_again(fiji):
    folder, _ = install(fiji)
    (folder / "parfocal.json").unlink()
    (folder / FOCUS).unlink()
    install(fiji)
    assert (folder / FOCUS).exists()


@pytest.mark.parametrize("version", ["0.4.0", "0.8.1"])
@pytest.mark.parametrize("inside", [True, False])
def test_an_older_appose_is_refused_with_its_version(version, inside, fiji):
    add_appose(fiji, version, inside)
    with pytest.raises(OSError, match=rf"has Appose {version} \(appose-{version}.jar\), needed is 0.9.0 or later: upd"):
        install(fiji)
    assert not (fiji / "scripts").exists()


@pytest.mark.parametrize("version", ["0.9.0", "0.10.2", "1.0.0-SNAPSHOT"])
def test_a_later_appose_is_taken(version, fiji):
    add_appose(fiji, version)
    install(fiji)


def test_a_fiji_without_appose_is_refused(fiji):
    next((fiji / "jars").glob("appose-*")).unlink()
    with pytest.raises(OSError, match=r"has no Appose, needed is 0.9.0 or later: update it \(Help > Update"):
        install(fiji)


def test_the_folder_around_a_fiji_and_what_lies_in_it_lead_to_it(fiji):
    launcher = fiji / "ImageJ-linux64"
    launcher.touch()
    for path in (fiji.parent, launcher, fiji / "plugins"):
        assert install(path)[0] == fiji / SCRIPTS


@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_what_is_no_fiji_is_refused_with_what_would_be_right(command, tmp_path, capsys):
    assert main([command, "fiji", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert told == (
        f"parfocal: error: no Fiji in {tmp_path}: it must be the folder that holds jars and plugins, such as Fiji.app "
        "or Fiji\n"
    )
    (tmp_path / "ij.jar").touch()
    main([command, "fiji", str(tmp_path)])
    assert "which is ImageJ 1 alone" in capsys.readouterr().err


def test_a_typing_error_within_a_fiji_is_no_fiji(fiji, capsys):
    assert main(["install", "fiji", str(fiji / "plugin")]) == 2


def test_nothing_installed_and_a_damaged_list_are_told(fiji, capsys):
    assert main(["uninstall", "fiji", str(fiji)]) == 2
    assert "nothing of Parfocal is installed in" in capsys.readouterr().err
    folder, _ = install(fiji)
    (folder / "parfocal.json").write_text("[]")
    assert main(["uninstall", "fiji", str(fiji)]) == 2
    assert "is damaged, so that it is not known what was installed" in capsys.readouterr().err


@pytest.mark.parametrize("patience", ["0", "nan", "1e9"])
def test_a_patience_that_is_none_is_refused(patience, fiji, capsys):
    assert main(["install", "fiji", str(fiji), "--patience-s", patience]) == 2
    assert "patience_s must be in [1, 86400] s, got" in capsys.readouterr().err


def test_without_appose_in_python_it_says_what_to_install(fiji, monkeypatch):
    monkeypatch.setitem(sys.modules, "appose", None)
    with pytest.raises(ImportError, match=r'this needs Appose: in Parfocal.s folder: .*-e "\.\[worker\]"'):
        install(fiji)
