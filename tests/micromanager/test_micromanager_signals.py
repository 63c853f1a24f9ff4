"""Processes that are asked to end: where they leave the stage of the demo camera."""

from __future__ import annotations

import re
import signal
import subprocess
import sys

import pytest

from parfocal.focus_control.log import read_log

# Tells of each image, and where the stage is when the devices are let go.
DRIVER = """
import sys
from parfocal.cli import main
from parfocal.fiji_bridge.micromanager import start
from parfocal.fiji_bridge.micromanager.microscope import MMCoreMicroscope

snap, close = MMCoreMicroscope.snap, start.close_core

def told_snap(microscope):
    image = snap(microscope)
    print("image at", microscope.z_um(), flush=True)
    return image

def told_close(core):
    print("left at", core.getPosition(), flush=True)
    print("field at", core.getXPosition(), core.getYPosition(), flush=True)
    close(core)

MMCoreMicroscope.snap, start.close_core = told_snap, told_close
sys.exit(main(sys.argv[1:]))
"""
HOLD = ["--estimator", "metric", "--search-range-um", "20", "--coarse-step-um", "4", "--tolerance-um", "1"]
SIGNALS = ["SIGINT", "SIGTERM", *(["SIGHUP"] if hasattr(signal, "SIGHUP") else [])]


def listening():
    """A shell that runs tests in the background may have them ignore interrupts, and nohup the end of a terminal."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def run_until(command, line, name):
    """Run a command until it prints a line, give it a signal, and wait for its end: exit status and lines."""
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER, *command], stdout=subprocess.PIPE, text=True, preexec_fn=listening
    )
    seen = []
    for told in process.stdout:
        seen.append(told)
        if re.search(line, told):
            process.send_signal(getattr(signal, name))
            break
    rest, _ = process.communicate(timeout=60)
    return process.returncode, [*seen, *rest.splitlines()]


def left_at(lines):
    (told,) = [line for line in lines if line.startswith("left at")]
    return float(told.split()[-1])


@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_ends_holding_focus_at_the_last_good_position(config, tmp_path, name):
    log = tmp_path / "log.csv"
    command = ["hold-focus", "--config", config, *HOLD, "--interval-s", "0.2", "--log", str(log)]
    status, lines = run_until(command, "locked", name)
    assert status == 0
    rows = read_log(log).rows
    good = [row for row in rows if row["state"] == "locked"][-1]
    assert rows[-1]["state"] == "stopped"
    assert left_at(lines) == rows[-1]["z_after_um"] == pytest.approx(good["z_after_um"], abs=0.2)
    assert abs(left_at(lines)) < 1.0


@pytest.mark.parametrize("command", [["hold-focus", *HOLD], ["calibrate", "-o", "out", "--range-um", "20"]])
def test_sigterm_in_a_sweep_brings_the_stage_back(config, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, lines = run_until([*command, "--config", config], r"image at -?1[2-9]", "SIGTERM")
    assert status == 130
    assert left_at(lines) == pytest.approx(7.0, abs=0.2)


def test_sigterm_at_a_further_field_brings_both_stages_back(config, tmp_path):
    command = [
        "calibrate",
        "-o",
        str(tmp_path / "out"),
        "--config",
        config,
        "--range-um",
        "20",
        "--field-offset-um",
        "300",
        "-100",
    ]
    status, lines = run_until(command, "field 1: 41 planes", "SIGTERM")
    assert status == 130
    assert left_at(lines) == pytest.approx(7.0, abs=0.2)
    (field,) = [line for line in lines if line.startswith("field at")]
    assert list(map(float, field.split()[2:])) == pytest.approx([0.0, 0.0], abs=0.1)
