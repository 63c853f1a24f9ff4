"""Holding focus in the worker: the core is the host's, which fetches calls and answers; without it the session ends."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from parfocal.fiji_bridge.hold_charts import LEGEND
from parfocal.fiji_bridge.micromanager.remote import RemoteCore, RemoteError, Requests
from parfocal.fiji_bridge.scripts.held import Held
from parfocal.focus_control import estimators

PATIENCE_S = 30.0
LIMITS = {"lowest_z_um": "-12", "highest_z_um": "12"}
GIVEN = {"estimator": "metric", "search_range_um": "10", "interval_s": "0.02", **LIMITS}
POINTS = np.zeros((64, 64))
POINTS[tuple(np.random.default_rng(3).integers(4, 60, (2, 30)))] = 1000.0


class PlayedHost:
    """Answers as a Fiji with Micro-Manager does; the focal plane is at 0."""

    def __init__(self, held):
        self.held, self.z_um, self.answers, self.seen, self.moves = held, 2.0, [], {}, 0

    def step(self, *commands):
        told = self.held.next({"answers": self.answers, "commands": commands, "wait_s": 0.05})
        self.answers = [{"number": r["number"], **self.answer(r["name"], r["arguments"])} for r in told["requests"]]
        self.seen = told["seen"] or self.seen

    def answer(self, name, arguments):
        if name == "setPosition":
            self.z_um, self.moves = arguments[1], self.moves + 1
        values = {
            "getLoadedDevices": ["Camera", "Z"],
            "getFocusDevice": "Z",
            "getCameraDevice": "Camera",
            "getPosition": self.z_um,
            "getExposure": 1.0,
            "getImage": np.float32(100 + gaussian_filter(POINTS, 1.2 + 0.4 * abs(self.z_um))),
            "hashCode": 7,
        }
        return {"value": values.get(name, False)}

    def until(self, wanted):
        end = time.monotonic() + PATIENCE_S
        while not wanted(self.seen):
            assert time.monotonic() < end, self.seen
            self.step()


def begun(host_s=30.0):
    held = Held(host_s)
    assert held.begin({"arguments": GIVEN})["seen"]["state"] == "idle"
    host = PlayedHost(held)
    host.step({"name": "lock"})
    host.until(lambda seen: seen.get("state") == "locked")
    return host


def test_it_locks_pauses_and_stops_where_the_device_is():
    host = begun()
    assert abs(host.z_um) < 1.0
    assert host.seen["numbers"]["position"].endswith(" um")
    host.step({"name": "pause"})
    host.until(lambda seen: seen["state"] == "locked, paused")
    host.z_um = 3.0
    host.step({"name": "stop"})
    host.until(lambda seen: not seen["begun"])
    assert host.z_um == 3.0
    assert host.seen["summary"].endswith("stopped at the position where it was, 3.00 um")


def test_the_charts_have_the_last_looks_and_limits_that_can_be_drawn():
    host = begun()
    upper, lower = host.seen["charts"]
    by_color = {curve["color"]: curve for curve in upper["curves"]}
    device, wanted = by_color[LEGEND["focus device"]], by_color[LEGEND["focal plane and setpoint"]]
    assert device["x"][-1] == 0.0 and f"{device['y'][-1]:.2f} um" == host.seen["numbers"]["position"]
    above = by_color[LEGEND["tolerance"]]["y"][-1] - wanted["y"][-1]
    assert above == pytest.approx(host.held._desk.seen.tolerance_um, abs=2e-3)
    assert by_color[LEGEND["limits"]]["y"] == [12.0, 12.0]
    drawn = [z_um for curve in upper["curves"] if curve["color"] != LEGEND["limits"] for z_um in curve["y"]]
    assert upper["limits"][2] < min(drawn) and max(drawn) < upper["limits"][3]
    assert lower["x_label"] == "seconds" and 0 < lower["curves"][0]["y"][-1] <= 1
    host.step({"name": "stop"})
    host.until(lambda seen: not seen["begun"])


def test_without_a_word_of_the_host_the_session_ends_and_nothing_is_asked_any_more():
    host = begun(host_s=0.5)
    desk = host.held._desk
    assert desk.wait(PATIENCE_S)
    assert not desk.begun
    with pytest.raises(RemoteError, match="Fiji has not been heard of for 0.5 s"):
        RemoteCore(host.held._requests).getPosition("Z")


def test_what_is_wrong_is_told_before_anything_is_moved():
    with pytest.raises(ValueError, match="must be a number, got 'wide'"):
        Held().begin({"arguments": {"tolerance_um": "wide"}})
    with pytest.raises(ValueError, match="takes no 'speed'"):
        Held().begin({"arguments": {"speed": 1}})
    with pytest.raises(ValueError, match="command must be one of settings, lock, calibrate, pause, stop, got 'jump'"):
        Held().next({"commands": [{"name": "jump"}]})


def test_a_model_is_adapted_to_a_stack_of_the_host_and_held_by_from_then_on(tmp_path, monkeypatch):
    """Training itself, which takes long, is tested with the command: here it is what is handed over."""
    handed = []

    def adapted(stacks, output, start_from, steps):
        handed.append((stacks[0], start_from, steps))
        return SimpleNamespace(output=output, text="off by 0.3 um on the field that it was adapted to")

    monkeypatch.setattr(estimators, "calibrate_focal_position", adapted)
    held = Held()
    fields = {told["name"]: told["text"] for told in held.begin({"arguments": LIMITS})["calibrating"]}
    assert fields == {"output": "", "range_um": "20.0", "step_um": "1.0"}
    host, output = PlayedHost(held), str(tmp_path / "mine")
    for given, message in (
        ({"output": ""}, "model folder to write must be given"),
        ({"step_um": "fine"}, "got 'fine'"),
    ):
        host.step({"name": "calibrate", "arguments": {**fields, **given}})
        host.until(lambda seen, message=message: message in seen.get("error", ""))
    host.step({"name": "calibrate", "arguments": {"output": output, "range_um": "8", "step_um": "0.5"}})
    host.until(lambda seen: seen["told"].startswith("off by 0.3 um") and not seen["begun"])
    ((stack, start_from, steps),) = handed
    assert (start_from, steps, len(stack.z_um), host.z_um) == ("default", None, 33, 2.0)
    assert abs(stack.focal_z_um) < 0.5 and host.seen["model"] == output
    host.step({"name": "lock"})
    host.until(lambda seen: output in seen["error"])


def test_what_was_learned_is_held_by_without_another_sweep_until_settings_are_given():
    held = Held()
    held.begin({"arguments": GIVEN})
    host = PlayedHost(held)
    host.step({"name": "calibrate", "arguments": {}})
    host.until(lambda seen: seen.get("told", "").startswith("focal plane at") and not seen["begun"])
    moves = host.moves
    for given, swept in ((None, False), (GIVEN, True)):
        host.step({"name": "lock", "arguments": given})
        host.until(lambda seen: seen["state"] == "locked")
        host.step({"name": "stop"})
        host.until(lambda seen: not seen["begun"])
        assert (host.moves - moves > 10) == swept


def test_a_stack_that_is_stopped_goes_back_to_where_it_began(tmp_path):
    held = Held()
    held.begin({"arguments": LIMITS})
    host = PlayedHost(held)
    host.step({"name": "calibrate", "arguments": {"output": str(tmp_path / "mine"), "range_um": "8"}})
    host.until(lambda seen: host.moves > 4)
    host.step({"name": "stop"})
    host.until(lambda seen: seen["told"] == "stopped" and not seen["begun"])
    assert host.z_um == 2.0 and not (tmp_path / "mine").exists()


def test_an_error_of_the_host_is_raised_where_the_call_was_made():
    requests = Requests()
    requests.answer(5)  # nobody has asked for it
    raised = []

    def call():
        try:
            RemoteCore(requests).snapImage()
        except RemoteError as error:
            raised.append(str(error))

    thread = threading.Thread(target=call, name="looking")
    thread.start()
    (asked,), _ = requests.take(PATIENCE_S)
    assert (asked["name"], asked["thread"]) == ("snapImage", "looking")
    requests.answer(asked["number"], error="Camera image buffer read failed")
    thread.join(PATIENCE_S)
    assert raised == ["Camera image buffer read failed"]
