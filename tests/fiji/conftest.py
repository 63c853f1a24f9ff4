from __future__ import annotations

import os
import shutil
import subprocess

import pytest
from imagej_process import ImageJProcess


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """Environment with a home of its own for Java, so that no settings of ImageJ are read or written."""
    folder = tmp_path_factory.mktemp("home")
    return {"JAVA_TOOL_OPTIONS": f"-Duser.home={folder} -Djava.util.prefs.userRoot={folder}"}


@pytest.fixture(scope="session")
def headless(tmp_path_factory, home):
    """ImageJ without a window."""
    started = ImageJProcess("headless", tmp_path_factory.mktemp("headless") / "log.txt", home)
    yield started
    started.end()


@pytest.fixture(scope="session")
def screen():
    """A screen that nobody sees."""
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not installed (Debian: xvfb)")
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x1000x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as told:
        display = told.readline().strip()
    assert display, "Xvfb could not be started"
    yield f":{display}"
    server.terminate()
    server.wait()


@pytest.fixture(scope="session")
def window(screen, tmp_path_factory, home):
    """ImageJ with its window."""
    started = ImageJProcess("window", tmp_path_factory.mktemp("window") / "log.txt", {"DISPLAY": screen, **home})
    yield started
    started.end()


@pytest.fixture(scope="session")
def fiji(tmp_path_factory):
    """A folder with what of a Fiji is on Maven Central, and Parfocal's scripts."""
    from ordinary import make_fiji

    return make_fiji(tmp_path_factory.mktemp("ordinary") / "Fiji.app")


@pytest.fixture(scope="session")
def ordinary(fiji, tmp_path_factory, home):
    """That Fiji without a window, started without Python."""
    from ordinary import java_command

    log = tmp_path_factory.mktemp("ordinary_log") / "log.txt"
    started = ImageJProcess("", log, home, java_command(fiji.folder, headless=True))
    yield started
    started.end()


@pytest.fixture(scope="session")
def ordinary_window(fiji, screen, tmp_path_factory, home):
    """That Fiji with its window."""
    from ordinary import java_command

    log = tmp_path_factory.mktemp("ordinary_window_log") / "log.txt"
    started = ImageJProcess("", log, {"DISPLAY": screen, **home}, java_command(fiji.folder, headless=False))
    yield started
    started.end()


@pytest.fixture
def closing_window(screen, tmp_path_factory, home):
    """ImageJ with its window in a process of its own, to be quit."""
    started = ImageJProcess("window", tmp_path_factory.mktemp("closing") / "log.txt", {"DISPLAY": screen, **home})
    yield started
    started.end()
