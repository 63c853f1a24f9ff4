"""A desk on a simulated microscope: what its buttons do, and where they leave the focus device."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest

from parfocal.commands import command_spec
from parfocal.focus_control import estimators
from parfocal.focus_control.asked import SOURCES, Asked
from parfocal.focus_control.desk import FocusDesk
from parfocal.focus_control.log import read_log
from parfocal.focus_control.microscope import StageError
from parfocal.focus_control.seen import strip
from parfocal.focus_control.session import AlreadyHeldError
from parfocal.focus_control.simulated import SimulatedMicroscope
from parfocal.focus_control.simulated_sample import Sample

pytestmark = pytest.mark.current_python

METRIC = {"estimator": "metric", "interval_s": 2.0, "search_range_um": 12.0, "lowest_z_um": -20.0, "highest_z_um": 20.0}
PATIENCE_S = 60


class RealTime(SimulatedMicroscope):
    """Lets real time pass too, so that a session does not run through a year."""

    def wait_s(self, seconds):
        time.sleep(0.002)
        super().wait_s(seconds)


def microscope(z=3.0):
    return RealTime(sample=Sample(size_px=64, cells=8), z=z)


def wait_for(condition):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def paused(desk):
    """Pause, and let the look in progress end."""
    desk.pause()
    wait_for(lambda: desk.session._stepping is None)
    time.sleep(0.1)


def stopped(desk):
    desk.stop()
    assert desk.wait(PATIENCE_S)
    return desk.seen


def test_lock_learns_the_metric_and_holds_and_stop_leaves_the_device_where_it_is():
    device = microscope()
    desk = FocusDesk(lambda: device)
    assert (desk.seen.state, desk.begun) == ("idle", False)
    desk.lock(METRIC)
    wait_for(lambda: desk.seen.state == "locked")
    assert desk.held and desk.seen.limits_um == (-20.0, 20.0)
    assert abs(device.z) < 1.0
    paused(desk)
    device.z = 6.0
    seen = stopped(desk)
    assert (seen.state, seen.begun, seen.error) == ("stopped", False, None)
    assert seen.told == "stopped at the position where it was"
    # Of the looks that are still shown.
    assert (seen.limits_um, seen.tolerance_um) == ((-20.0, 20.0), desk.session.settings.tolerance_um)
    assert device.z == 6.0
    made = strip(seen.looks)
    assert made.minutes[-1] == 0.0 and made.locked.any() and len(made.z_um) == len(seen.looks)


def test_stop_in_a_search_moves_nothing_any_more():
    device = microscope()
    desk = FocusDesk(lambda: device)
    session = desk.begin({**METRIC, "search_after_looks": 1})
    wait_for(lambda: desk.seen.state == "locked")
    snap, ended = device.snap, threading.Event()

    def seen_from_afar():
        if device.z > 7.0 and not ended.is_set():
            desk.stop()
            wait_for(lambda: session._controller.stays)
            ended.set()
        return snap()

    device.snap = seen_from_afar
    device.focal_plane = lambda time_s: 14.0
    assert ended.wait(PATIENCE_S)
    commanded = len(device.commanded_um)
    assert desk.wait(PATIENCE_S)
    assert len(device.commanded_um) == commanded
    assert device.z > 7.0
    assert session.rows[-1]["reason"] == "stopped at the position where it was"


def test_pause_takes_no_look_until_lock_goes_on():
    device = microscope()
    desk = FocusDesk(lambda: device)
    session = desk.begin(METRIC)
    wait_for(lambda: desk.seen.state == "locked")
    paused(desk)
    before = len(session.rows)
    time.sleep(0.2)
    assert len(session.rows) == before
    assert desk.seen.waits == "paused"
    desk.lock({})
    wait_for(lambda: len(session.rows) > before)
    assert desk.seen.waits == ""
    stopped(desk)


def test_while_something_else_has_the_microscope_no_look_is_taken_and_nothing_begins():
    device = microscope()
    device.engaged = lambda: engaged[0]
    engaged = [""]
    desk = FocusDesk(lambda: device)
    session = desk.begin(METRIC)
    wait_for(lambda: desk.seen.state == "locked")
    engaged[0] = "an acquisition runs"
    wait_for(lambda: session._stepping is None)
    time.sleep(0.1)
    before = len(session.rows)
    time.sleep(0.2)
    assert len(session.rows) == before
    assert desk.seen.waits == "an acquisition runs"
    stopped(desk)
    desk.lock(METRIC)
    assert desk.wait(PATIENCE_S)
    assert str(desk.seen.error) == "an acquisition runs: wait for its end"


def test_a_sweep_that_is_stopped_goes_back_to_where_it_began():
    device = microscope(z=3.0)
    desk = FocusDesk(lambda: device)
    snap = device.snap

    def slow():
        if abs(device.z - 3.0) > 5.0:
            desk.stop()
        return snap()

    device.snap = slow
    desk.lock(METRIC)
    assert desk.wait(PATIENCE_S)
    assert device.z == pytest.approx(3.0, abs=0.21)
    assert (desk.seen.told, desk.seen.error, desk.seen.state) == ("stopped", None, "idle")


def test_what_was_calibrated_is_held_by_without_another_sweep():
    device = microscope()
    desk = FocusDesk(lambda: device)
    desk.calibrate(METRIC)
    assert desk.wait(PATIENCE_S)
    assert desk.seen.told.startswith("focal plane at ")
    commanded = len(device.commanded_um)
    desk.lock(METRIC)
    wait_for(lambda: desk.seen.state == "locked")
    assert max(abs(z) for z in device.commanded_um[commanded:]) < 3.0
    stopped(desk)


def test_a_model_is_adapted_to_a_stack_and_named(tmp_path, monkeypatch):
    """Training itself, which takes long, is tested with the command: here it is what the desk hands over."""
    handed = []

    def adapted(stacks, output, start_from, steps):
        handed.append((stacks, start_from, steps))
        return SimpleNamespace(output=output, text="off by 0.3 um on the field that it was adapted to")

    monkeypatch.setattr(estimators, "calibrate_focal_position", adapted)
    device = microscope(z=1.0)
    desk = FocusDesk(lambda: device)
    output = tmp_path / "mine"
    desk.calibrate({"model": "default", "output": str(output), "range_um": 8.0, "step_um": 0.5, "steps": 7})
    wait_for(lambda: not desk.begun)
    ((stack,), start_from, steps) = handed[0]
    assert (start_from, steps, len(stack.z_um)) == ("default", 7, 33)
    assert abs(stack.focal_z_um) < 0.5
    assert desk.seen.error is None and desk.seen.model == str(output)
    assert desk.seen.told == "off by 0.3 um on the field that it was adapted to"
    assert device.z == pytest.approx(1.0, abs=0.21)
    output.mkdir()
    (output / "config.json").write_text("{}")
    desk.calibrate({"output": str(output)})
    wait_for(lambda: not desk.begun)
    assert "is not empty: choose another output folder" in str(desk.seen.error)
    assert len(handed) == 1


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({**METRIC, "lowest_z_um": 5.0}, ValueError, "must be within lowest_z_um=5 and highest_z_um=20 to begin"),
        ({**METRIC, "interval_s": 0.0}, ValueError, "interval_s must be a finite number above 0, got 0.0"),
        ({"estimator": "guess"}, ValueError, "estimator must be one of model, metric, got 'guess'"),
        ({"estimater": "metric"}, TypeError, "got estimater"),
        ({"estimator": "model"}, ValueError, "without a model: the estimator metric"),
    ],
)
def test_what_cannot_be_is_told_and_nothing_moves(arguments, error, message):
    device = microscope()
    desk = FocusDesk(lambda: device)
    with pytest.raises(error, match=message):
        desk.begin(arguments)
    assert desk.wait(PATIENCE_S)
    assert message in str(desk.seen.error)
    assert device.commanded_um == [] and not desk.begun


def test_a_log_that_exists_and_a_microscope_that_is_missing_are_told_before_a_sweep(tmp_path):
    (tmp_path / "log.csv").write_text("")
    device = microscope()
    with pytest.raises(FileExistsError, match="choose another file for the log"):
        FocusDesk(lambda: device).begin({**METRIC, "log": str(tmp_path / "log.csv")})
    assert device.commanded_um == []

    def missing():
        raise StageError("no microscope")

    with pytest.raises(StageError, match="no microscope"):
        FocusDesk(missing).begin(METRIC)


def test_every_move_is_in_the_log(tmp_path):
    device = microscope()
    desk = FocusDesk(lambda: device)
    desk.begin({**METRIC, "log": str(tmp_path / "log.csv")})
    wait_for(lambda: desk.seen.state == "locked")
    stopped(desk)
    log = read_log(tmp_path / "log.csv")
    assert log.rows[-1]["kind"] == "end" and log.settings.search_range_um == 12.0
    moved = [row["z_after_um"] for row in desk.session.rows]
    assert [row["z_after_um"] for row in log.rows] == moved
    assert {round(z, 6) for z in device.commanded_um[-2:]} <= {round(z, 6) for z in moved}


def test_two_at_one_microscope_are_refused():
    device = microscope()
    desk, other = FocusDesk(lambda: device), FocusDesk(lambda: device)
    desk.begin(METRIC)
    with pytest.raises(AlreadyHeldError, match="focus is held or learned already"):
        desk.begin(METRIC)
    with pytest.raises(AlreadyHeldError, match="another session holds the focus of this microscope"):
        other.begin(METRIC)
    stopped(desk)


def test_all_that_is_asked_has_a_name_of_its_own_and_finds_its_place():
    names = [p.name for source in SOURCES for p in command_spec(source).parameters if not p.param.array]
    assert len(names) == len(set(names))
    asked = Asked.of({"tolerance_um": 0.4, "model": "mine", "log": "a.csv", "step_um": 2.0})
    assert asked.settings.tolerance_um == 0.4 and asked.choice.log == "a.csv"
    assert asked.told == {"model": "mine"} and asked.calibration == {"step_um": 2.0}
    optics = {"pixel_size_um": 0.65, "numerical_aperture": 0.5, "emission_wavelength_um": 0.5}
    assert Asked.of(optics).settings.tolerance_um == pytest.approx(0.5)
