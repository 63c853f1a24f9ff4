"""Hold Focus in an ordinary Fiji: the controller is in the worker, the microscope is Micro-Manager's core in Java."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from ordinary import CLASSES
from scipy.ndimage import gaussian_filter

from parfocal.fiji_bridge.hold_charts import LEGEND
from parfocal.focus_control.log import read_log

HERE = Path(__file__).parent
ITEM = "Hold Focus..."
GIVEN = {"estimator": "metric", "search_range_um": 20.0, "interval_s": 0.05, "tolerance_um": 0.6}
LIMITS = {"lowest_z_um": "-25", "highest_z_um": "25"}
HOLDING = {**GIVEN, **LIMITS}


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """Folder for classes, and a z-stack of points in focus in its middle, of up to 60,000 counts."""
    points = np.zeros((80, 80))
    points[tuple(np.random.default_rng(3).integers(4, 76, (2, 40)))] = 1.0
    stack = np.stack([gaussian_filter(points, 1.2 + 0.3 * abs(z)) for z in np.arange(-30.0, 31.0)])
    folder = tmp_path_factory.mktemp("micromanager")
    counts = np.rint(500 + 59_500 * stack / stack.max()).astype(np.uint16)
    tifffile.imwrite(folder / "stack.tif", counts, imagej=True, metadata={"axes": "ZYX"})
    return folder


def with_micromanager(fiji, played, classes):
    classes.mkdir(exist_ok=True)
    fiji.load_micromanager(str(HERE), str(classes), str(played / "stack.tif"))
    fiji.arrange(0.0, 3.0, "", "short", False)
    return fiji


@pytest.fixture
def microscope(ordinary, played, fiji):
    """Fiji without a window, with Micro-Manager, its stage 3 um above the focal plane; nothing is held afterwards."""
    yield with_micromanager(ordinary, played, fiji.folder / CLASSES)
    ordinary.run(ITEM, {"action": "stop"})


def hold(fiji, **given):
    answer = fiji.run(ITEM, given)
    assert not answer["thrown"], answer["thrown"]


@pytest.mark.parametrize("pixels", ["short", "byte", "int"])
def test_it_holds_pauses_and_stops_where_the_stage_is_and_logs_each_move(pixels, microscope, tmp_path):
    log = tmp_path / "focus.csv"
    microscope.arrange(0.0, 3.0, "", pixels, False)
    hold(microscope, **HOLDING, log=str(log))
    microscope.wait_for_state("locked")
    microscope.wait_for_focus(1.0)
    microscope.arrange(4.0, None, "", pixels, False)
    microscope.wait_for_focus(1.0)
    # The look that locks comes after the move: paused between the two, it would stay "holding".
    microscope.wait_for_state("locked")
    hold(microscope, action="pause")
    microscope.wait_for_state("locked, paused")
    microscope.settled_stage()
    microscope.arrange(0.0, 7.5, "", pixels, False)
    moves = microscope.stage()["moves"]
    hold(microscope, action="stop")
    assert microscope.stage()["z"] == 7.5 and microscope.stage()["moves"] == moves
    found = read_log(log)
    assert found.settings.lowest_z_um == -25.0
    assert found.rows[-1]["reason"] == "stopped at the position where it was"
    assert any(row["reached"] == 1 and abs(row["z_after_um"] - 4.0) < 1.0 for row in found.rows)
    assert "Hold Focus: " in microscope.log_text() and "looks" in microscope.log_text()


def test_live_frames_are_used_and_during_an_acquisition_of_which_nothing_is_known_nothing_is_moved(microscope):
    microscope.arrange(0.0, 3.0, "", "short", True)
    hold(microscope, **HOLDING)
    microscope.wait_for_state("locked")
    assert microscope.stage()["snaps"] == 0
    microscope.arrange(0.0, None, "", "short", False)
    microscope.set_acquiring(True)
    microscope.wait_for_state("locked, an acquisition of Micro-Manager runs")
    microscope.arrange(2.0, None, "", "short", False)
    before = microscope.stage()
    hold(microscope, action="start")
    assert microscope.stage()["moves"] == before["moves"]
    microscope.set_acquiring(False)
    microscope.wait_for_focus(1.0)


def test_images_of_an_acquisition_are_used_and_the_stage_is_moved_in_its_pauses(microscope):
    hold(microscope, **HOLDING)
    microscope.wait_for_state("locked")
    # One more than is waited for: at its end the session takes images of its own again.
    microscope.acquire(6, 2.0, [-2.0, 0.0, 2.0], "")
    before = microscope.settled_stage()
    microscope.arrange(3.0, None, "", "short", False)
    assert microscope.disturbances_after(5) == 0
    after = microscope.stage()
    assert after["snaps"] == before["snaps"] and after["moves"] > before["moves"]
    # The engine sleeps at the z around which it takes the stack.
    assert abs(after["off"]) < 1.0
    microscope.end_acquisition()


def test_an_acquisition_that_cannot_be_followed_is_waited_for_and_named(microscope):
    hold(microscope, **HOLDING)
    microscope.wait_for_state("locked")
    microscope.acquire(30, 2.0, [], "autofocus")
    microscope.wait_for_state("locked, an acquisition of Micro-Manager runs that focuses itself")
    microscope.end_acquisition()
    microscope.wait_for_state("locked")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"lowest_z_um": "10"}, "must be within lowest_z_um=10 and highest_z_um=inf to begin, it is at 3 um"),
        ({"action": "show"}, "the window of Hold Focus needs ImageJ's, and this one was started without"),
        ({"estimator": "model"}, "must all be given, or a model that was calibrated on your own stacks"),
        ({"highest_z_um": "wide"}, "must be a number, got 'wide'"),
    ],
)
def test_what_cannot_be_is_told_and_nothing_moves(microscope, given, message):
    before = microscope.stage()
    assert message in microscope.run(ITEM, {"estimator": "metric", **given})["thrown"]
    assert microscope.stage() == before


def test_a_camera_that_fails_is_told(microscope):
    microscope.arrange(0.0, 3.0, "camera", "short", False)
    told = microscope.run(ITEM, HOLDING)["thrown"]
    assert "Camera image buffer read failed" in told


def test_a_sweep_that_is_stopped_or_escaped_goes_back_to_where_it_began(microscope):
    microscope.start(ITEM, {**HOLDING, "interval_s": 1.0})
    microscope.wait_for_state("learning")
    hold(microscope, action="stop")
    assert microscope.started_end()["thrown"] == ""
    assert microscope.stage()["z"] == 3.0
    assert microscope.cancelled(ITEM, HOLDING)["thrown"] == ""
    microscope.wait_for_end()
    assert microscope.stage()["z"] == 3.0


def test_without_micromanager_it_says_what_to_do(microscope):
    microscope.end_micromanager()
    assert "Micro-Manager has not been started: Plugins >" in microscope.run(ITEM, HOLDING)["thrown"]


def test_a_worker_that_is_killed_moves_nothing_any_more_and_the_next_start_holds(microscope, fiji):
    hold(microscope, **HOLDING)
    microscope.wait_for_state("locked")
    fiji.kill_worker()
    told = microscope.wait_for_state("stopped")
    assert "worker has ended" in told["error"] and "the focus device stays where it is" in told["error"]
    microscope.arrange(5.0, None, "", "short", False)
    before = microscope.stage()
    hold(microscope, **HOLDING)
    microscope.wait_for_focus(1.0)
    assert microscope.stage()["moves"] > before["moves"]


def test_the_dialog_asks_what_the_window_of_the_other_fiji_asks(ordinary):
    shown = {name for name, item in ordinary.inputs(ITEM).items() if item[8] == "NORMAL" and "parfocal" not in name}
    assert {"estimator", "setpoint_um", "lowest_z_um", "highest_z_um", "log", "model", "action"} <= shown
    assert len(shown) < 20


@pytest.fixture
def window(ordinary_window, played):
    yield with_micromanager(ordinary_window, played, played / "classes")
    ordinary_window.arrange(0.0, 0.0, "", "short", False)


def test_the_window_shows_numbers_and_its_buttons_pause_go_on_and_stop(window):
    hold(window, **HOLDING)
    window.wait_for_state("locked")
    window.wait_for_focus(1.0)
    shown = window.hold_window()
    assert shown["texts"]["state"] == "locked"
    assert shown["texts"]["position"].endswith(" um") and shown["texts"]["deviation"].endswith(" um")
    assert shown["buttons"] == {"Lock": False, "Pause": True, "Stop": True, "Calibrate": False}
    window.press_button("Pause")
    window.wait_for_state("locked, paused")
    assert window.hold_window()["buttons"] == {"Lock": True, "Pause": False, "Stop": True, "Calibrate": False}
    window.arrange(6.0, None, "", "short", False)
    window.press_button("Lock")
    window.wait_for_focus(1.0)
    window.press_button("Stop")
    window.wait_for_end()
    assert window.hold_window()["buttons"] == {"Lock": True, "Pause": False, "Stop": False, "Calibrate": True}
    window.press_button("Lock")
    window.wait_for_state("locked")
    window.close_hold_window()


def test_the_charts_show_device_and_tolerance_and_what_was_not_locked(window):
    hold(window, **HOLDING)
    window.wait_for_state("locked")
    window.wait_for_chart(0, [LEGEND[name] for name in ("focus device", "tolerance", "\u25cb not locked")])
    window.close_hold_window()


def test_calibrate_learns_what_lock_holds_by_and_escape_ends_it_where_it_began(window):
    window.arrange(0.0, 3.0, "hangs", "short", False)
    hold(window, **HOLDING, action="show")
    window.press_button("Calibrate")
    window.wait_for_state("learning")
    window.escape_hold_window()
    window.arrange(0.0, None, "", "short", False)
    assert window.wait_for_end()["told"] == "stopped" and window.stage()["z"] == 3.0
    window.press_button("Calibrate")
    window.wait_for_told("focal plane at ")
    shown, before = window.hold_window(), window.stage()["moves"]
    assert shown["texts"]["range_um"] == "20.0" and shown["texts"]["output"] == ""
    window.press_button("Lock")
    window.wait_for_state("locked")
    assert window.stage()["moves"] - before < 8
    window.close_hold_window()


def test_closing_the_window_stops_and_leaves_the_stage_where_it_is(window):
    hold(window, **HOLDING)
    window.wait_for_state("locked")
    window.close_hold_window()
    window.wait_for_end()
    window.arrange(0.0, 9.0, "", "short", False)
    before = window.stage()
    hold(window, action="stop")
    assert window.stage() == before and before["z"] == 9.0


def test_a_camera_that_hangs_keeps_no_window_from_closing(window):
    hold(window, **HOLDING)
    window.wait_for_state("locked")
    window.arrange(0.0, None, "hangs", "short", False)
    window.close_hold_window()
    window.arrange(0.0, None, "", "short", False)
    window.wait_for_end()
