"""`parfocal fiji` as a user starts it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

# Quits ImageJ from its menu once the commands are there, as a person does.
CODE = """
import threading, time
from parfocal.cli import main
from parfocal.fiji_bridge.start import IMAGEJ1

def quit_when_ready():
    import jpype
    while not jpype.isJVMStarted():
        time.sleep(0.1)
    time.sleep(1.0)
    from jpype import JClass
    while JClass("ij.IJ").getInstance() is None or not JClass("ij.Menus").getCommands().containsKey("Label Images..."):
        time.sleep(0.1)
    JClass("ij.IJ").doCommand("Quit")

threading.Thread(target=quit_when_ready, daemon=True).start()
print("ended with", main(["fiji", "--endpoint", IMAGEJ1]), flush=True)
"""


def test_it_shows_imagej_with_the_commands_and_ends_when_that_is_quit(screen, home):
    environment = {**os.environ, **home, "DISPLAY": screen}
    done = subprocess.run([sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "ended with 0" in done.stdout
    assert "Traceback" not in done.stderr


def listening():
    """A shell that runs tests in the background may have them ignore interrupts."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_order(screen, home, number):
    environment = {**os.environ, **home, "DISPLAY": screen}
    code = CODE.replace('JClass("ij.IJ").doCommand("Quit")', 'print("ready", flush=True)')
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    child = subprocess.Popen([sys.executable, "-c", code], env=environment, preexec_fn=listening, **pipes)
    try:
        while child.stdout.readline().strip() != "ready":
            assert child.poll() is None, child.stderr.read()
        child.send_signal(number)
        printed, told = child.communicate(timeout=60)
    finally:
        child.kill()
    # Python itself ended it, not Java under its hands.
    assert (printed.strip(), child.returncode) == ("ended with 130", 0)
    assert told.rstrip().endswith("parfocal: stopped")
    assert "Traceback" not in told and "FATAL" not in told


def test_without_a_screen_it_says_what_needs_none(home):
    environment = {name: value for name, value in {**os.environ, **home}.items() if name != "DISPLAY"}
    code = "from parfocal.cli import main; from parfocal.fiji_bridge.start import IMAGEJ1\n"
    code += 'raise SystemExit(main(["fiji", "--endpoint", IMAGEJ1]))'
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 2
    assert "there is no screen for its window: start_imagej() in Python needs none, or use xvfb-run" in done.stderr
