"""ImageJ without a window: starting it, and commands in its macros."""

from __future__ import annotations

import subprocess
import sys

import pytest

from parfocal.cli import main
from parfocal.fiji_bridge.java import choose_java


def test_importing_the_bridge_loads_nothing_of_java():
    code = "import sys, parfocal.fiji_bridge as fiji; dir(fiji); print({'jpype', 'scyjava', 'imagej'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_without_pyimagej_it_says_what_to_install():
    without = "import sys; sys.modules['scyjava'] = sys.modules['jpype'] = None"
    code = f"{without}; from parfocal.cli import main; main(['fiji'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert '-e ".[fiji]"' in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_without_fiji_is_told_before_java_starts(tmp_path, capsys):
    assert main(["fiji", "--fiji", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert told == f"parfocal: error: no Fiji in {tmp_path}: it must be the folder that holds jars and plugins\n"


def test_a_wrong_java_home_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=f"there is no bin/java in {tmp_path}"):
        choose_java()


def test_registering_again_changes_nothing(headless):
    assert headless.register_again() == 1


@pytest.mark.parametrize("ij", [None, "x"])
def test_what_is_no_gateway_is_refused_with_what_is_wanted(ij, headless):
    wanted = "ij must be a gateway of PyImageJ, as imagej.init() gives it, or a SciJava Context, got"
    assert headless.register_wrongly(ij) == f"{wanted} {ij!r}"
    code = f"from parfocal.fiji_bridge import register; register({ij!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.endswith(f"TypeError: {wanted} {ij!r}\n")


def test_a_second_imagej_in_one_process_is_refused_with_the_way_out(headless):
    told = headless.start_again()
    assert told.startswith("a JVM runs in this process already")
    assert "parfocal.fiji_bridge.register" in told


def test_commands_of_imagej_run_as_before(headless):
    filters = 'run("Invert"); run("Gaussian Blur...", "sigma=2"); run("Median...", "radius=2");'
    made = 'newImage("a", "8-bit black", 99, 99, 1);'
    assert headless.run_macro(f'{made} {filters} return "" + getPixel(0, 0);') == "255"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ('"Label Images...", "folder=/nowhere"', "labelling needs ImageJ's window, and this one was started without"),
        ('"Label Images"', "Folder of images must be given"),
        ('"Label Images...", "folder=/nowhere channel=two"', "Channel must be a whole number, got 'two'"),
    ],
)
def test_a_command_that_cannot_be_done_ends_the_macro_and_says_why(call, message, headless):
    assert headless.run_macro(f'run({call}); return "went on";') == "[aborted]"
    assert f"Label Images: {message}" in headless.log_text()
