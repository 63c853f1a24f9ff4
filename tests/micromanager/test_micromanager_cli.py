from __future__ import annotations

import re

import pytest
from beads_core import ADAPTERS

from parfocal import status
from parfocal.cli import main
from parfocal.focal_position.result import FocalPosition
from parfocal.focus_control.log import read_log

SWEEP = ["--estimator", "metric", "--search-range-um", "20", "--coarse-step-um", "4"]
DEMO = ["hold-focus", "--demo", *SWEEP]
CAMERA = "Device,Camera,DemoCamera,DCam\nProperty,Core,Initialize,1\nProperty,Core,Camera,Camera\n"
STAGE = "Device,Z,DemoCamera,DStage\nProperty,Core,Initialize,1\nProperty,Core,Focus,Z\n"


def test_the_demonstration_locks_and_writes_its_log(tmp_path, capsys):
    assert main([*DEMO, "--duration", "5", "--interval-s", "0.3", "--log", str(tmp_path / "log.csv")]) == 0
    told = capsys.readouterr().out
    assert "locked" in told
    assert "drift" in told
    rows = read_log(tmp_path / "log.csv").rows
    assert rows[-1]["state"] == "stopped"
    assert [row["state"] for row in rows if row["kind"] == "look"][-1] == "locked"


def test_focus_is_found_once_by_a_configuration_file(config, capsys):
    assert main(["hold-focus", "--config", config, *SWEEP, "--once", "--tolerance-um", "1"]) == 0
    told = capsys.readouterr().out
    assert "focal plane at" in told
    assert "in focus at" in told
    assert abs(float(told.split("in focus at ")[1].split(" um")[0])) < 1.0
    # 11 planes 4 um apart, and 17 of 1 um around the sharpest.
    assert re.search(r"after \d images and 28 of the sweep", told)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["hold-focus"], "one of the arguments --config --demo is required"),
        (["hold-focus", "--config", "nowhere.cfg"], "no such configuration file: nowhere.cfg"),
        (["hold-focus", "--config", "broken.cfg"], "broken.cfg could not be loaded: "),
        (["hold-focus", "--demo", "--interval-s", "-1"], "interval_s must be at least 0.001 s, got -1.0"),
        (["hold-focus", "--demo", "--duration", "0"], "duration must be above 0 s, got 0"),
        ([*DEMO, "--lowest-z-um", "5"], "must be within lowest_z_um=5 and highest_z_um=inf to begin, it is at 0 um"),
        ([*DEMO, "--focus-group", "Channel", "--focus-preset", "DAPI"], "no group 'Channel': there are none"),
        ([*DEMO, "--focus-device", "Piezo"], "no device 'Piezo' to focus with; there are Stage, Camera"),
        ([*DEMO, "--setpoint-um", "100"], "setpoint_um must lie in the range of the estimator"),
        (["hold-focus", "--config", "no_stage.cfg", *SWEEP], "the core has no focus device; its devices: Camera"),
        (["hold-focus", "--config", "no_camera.cfg", *SWEEP], "the core has no camera; its devices: Z"),
        (
            ["hold-focus", "--config", "notes.txt"],
            "notes.txt must be a configuration file of Micro-Manager, it names no",
        ),
        (["hold-focus", "--demo", "--model", "nothing"], "without a model: --estimator metric"),
        (["hold-focus", "--demo", "--modality", "confocal"], "not for confocal: calibrate one on your stacks; without"),
        (["hold-focus", "--demo", "--numerical-aperture", "1.3", "--immersion-index", "1.5"], "for air objectives"),
        ([*DEMO, "--highest-z-um", "5"], "the sharpest plane, 5.00 um, is at the end of the range"),
        (["hold-focus", "--demo", "--once", "--log", "new.csv"], "log must be left out with once"),
        ([*DEMO, "--log", "broken.cfg"], "broken.cfg exists: choose another file for the log"),
        (["calibrate", "--demo", "-o", "out", "--fields", "0"], "fields must be 1 or more, got 0"),
        (["calibrate", "--demo", "-o", "out", "--step-um", "0"], "step_um must be above 0 um, got 0"),
        (["calibrate", "--demo", "-o", "out", "--travel-um", "5"], "the stack must lie within the limits"),
    ],
)
def test_errors_of_the_user_are_one_line_and_exit_2(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MICROMANAGER_PATH", ADAPTERS)
    (tmp_path / "broken.cfg").write_text("Device,Camera,NoSuchLibrary,DCam\n")
    (tmp_path / "no_stage.cfg").write_text(CAMERA)
    (tmp_path / "no_camera.cfg").write_text(STAGE)
    (tmp_path / "notes.txt").write_text("Focus on Monday\n")
    assert main(arguments) == 2
    told = capsys.readouterr().err
    assert "Traceback" not in told
    assert told.count("\n") <= 2
    assert message in told


def test_what_can_be_refused_beforehand_is_refused_before_the_sweep(tmp_path, monkeypatch):
    swept = []
    monkeypatch.setattr("parfocal.focus_control.metric_estimator.take_planes", lambda *_: swept.append(1))
    (tmp_path / "mine.csv").write_text("mine")
    for wrong in (["--log", str(tmp_path / "mine.csv")], ["--lowest-z-um", "5"], ["--setpoint-um", "100"]):
        assert main([*DEMO, *wrong]) == 2
    assert not swept


@pytest.fixture
def unanswering(monkeypatch):
    """A model to which every image says too little."""
    broad = FocalPosition(status.BROAD, "the image says too little")
    monkeypatch.setattr("parfocal.focus_control.model_estimator.ModelEstimator.__call__", lambda *_: broad)


def test_where_the_model_does_not_find_focus_once_the_way_out_is_told(unanswering, capsys):
    assert main(["hold-focus", "--demo", "--once"]) == 1
    told = capsys.readouterr().out
    assert "not found, z restored to 0.00 um: no estimate: broad" in told
    assert "try --estimator metric" in told


def test_a_session_that_never_locked_says_what_to_check_and_ends_with_1_where_it_began(unanswering, capsys):
    looks = ["--interval-s", "0.05", "--search-after-looks", "2", "--focus-metric", "", "--duration", "2"]
    assert main(["hold-focus", "--demo", *looks]) == 1
    told = capsys.readouterr().out
    assert told.count("looks and no focal plane (no estimate: broad): check that light and sample are there") == 1
    assert told.rstrip().endswith(" 0 of them locked; stopped at the position where it began, 0.00 um")


def test_every_setting_is_an_option(capsys):
    from parfocal.commands import command_spec
    from parfocal.focus_control.settings import HoldFocus

    for command in ("hold-focus", "calibrate"):
        assert main([command, "--help"]) == 0
        told = capsys.readouterr().out
        for parameter in command_spec(HoldFocus).parameters:
            assert f"--{parameter.name.replace('_', '-')}" in told
