"""The window of Hold Focus in ImageJ, over the Micro-Manager of imagej_micromanager.py."""

from __future__ import annotations

import pytest

from parfocal.focus_control.log import read_log

ITEM = "Hold Focus..."
# For the sample of these tests; the tolerance is wider than the metric errs.
FIELDS = {"estimator": "metric", "search_range_um": "20", "interval_s": "0.05", "tolerance_um": "0.6"}
LIMITS = {"lowest_z_um": "-25", "highest_z_um": "25"}
OPTIONS = " ".join(f"{name}={value}" for name, value in {**FIELDS, **LIMITS}.items())


@pytest.fixture(scope="module")
def micromanager(window, tmp_path_factory):
    """ImageJ's window, with Micro-Manager."""
    window.load_micromanager(str(tmp_path_factory.mktemp("classes")))
    yield window
    window.without_micromanager()


@pytest.fixture
def opened(micromanager):
    """The window of Hold Focus, with the fields filled in."""
    micromanager.begin_micromanager()
    micromanager.arrange(0.0, 0.0, 3.0)
    micromanager.click_menu(ITEM)
    micromanager.open_hold_window()
    micromanager.hold_fill({**FIELDS, **LIMITS})
    yield micromanager
    if micromanager.hold_is_open():
        micromanager.hold_close()
    micromanager.wait_for_end()


def test_lock_holds_through_drift_shows_it_and_logs_every_move(opened, tmp_path):
    log = tmp_path / "focus.csv"
    opened.hold_fill({"log": str(log)})
    assert opened.hold_seen()["usable"] == ["Lock", "Calibrate"]
    opened.hold_press("Lock")
    opened.hold_wait_text("state", "locked")
    learned = opened.stage()["moves"]
    opened.arrange(0.0, 0.5)
    opened.wait_for_position(2.0)
    shown = opened.hold_wait_text("state", "locked")
    assert shown["usable"] == ["Pause", "Stop"]
    assert shown["texts"]["position"].endswith(" um") and shown["texts"]["drift"].endswith(" um/h")
    assert 0 < float(shown["texts"]["certainty"]) <= 1
    assert abs(opened.stage()["off"]) < 2.0
    opened.hold_press("Stop")
    assert opened.wait_for_end() == ["stopped at the position where it was"]
    assert opened.hold_wait_text("state", "stopped")["usable"] == ["Lock", "Calibrate"]
    rows = [row for row in read_log(log).rows if row["kind"] == "look"]
    moved = sum(row["decision"] in ("correct", "probe", "return", "follow") for row in rows)
    assert opened.stage()["moves"] - learned <= moved


def test_pause_takes_no_look_and_lock_goes_on(opened):
    opened.hold_press("Lock")
    opened.hold_wait_text("state", "locked")
    opened.hold_press("Pause")
    assert opened.hold_wait_text("state", "paused")["usable"] == ["Lock", "Stop"]
    opened.arrange(4.0)
    still = opened.settled_stage()
    assert opened.settled_stage() == still
    opened.hold_press("Lock")
    opened.wait_for_position(3.0)
    assert "paused" not in opened.hold_seen()["texts"]["state"]


@pytest.mark.parametrize("how", ["Stop", "close"])
def test_stop_and_closing_the_window_leave_the_stage_where_it_is(opened, how):
    opened.hold_press("Lock")
    opened.hold_wait_text("state", "locked")
    opened.hold_press("Pause")
    opened.settled_stage()
    opened.arrange(0.0, 0.0, 7.5)
    before = opened.stage()["moves"]
    if how == "Stop":
        opened.hold_press("Stop")
    else:
        opened.hold_close()
    assert opened.wait_for_end() == ["stopped at the position where it was"]
    assert (opened.stage()["z"], opened.stage()["moves"]) == (7.5, before)


def test_what_was_calibrated_is_held_by_without_another_sweep(opened):
    opened.hold_press("Calibrate")
    opened.hold_wait_text("told", "focal plane at ")
    opened.wait_for_learned()
    before = opened.stage()
    opened.hold_press("Lock")
    opened.hold_wait_text("state", "locked")
    assert opened.stage()["moves"] - before["moves"] < 8


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"lowest_z_um": "10"}, "must be within lowest_z_um=10 and highest_z_um=25 to begin, it is at 3 um"),
        ({"tolerance_um": "wide"}, "Tolerance must be a number, got 'wide'"),
        ({"tolerance_um": "-1"}, "tolerance_um must be at least 0.001 um, got -1.0"),
        ({"estimator": "model"}, "pixel_size_um, numerical_aperture and emission_wavelength_um must all be given"),
        ({"log": "{tmp}/there.csv"}, "there.csv exists: choose another file for the log"),
    ],
)
def test_what_cannot_be_is_said_in_the_window_and_nothing_moves(opened, fields, message, tmp_path):
    (tmp_path / "there.csv").write_text("")
    before = opened.stage()
    opened.hold_fill({name: text.replace("{tmp}", str(tmp_path)) for name, text in fields.items()})
    opened.hold_press("Lock")
    assert "Lock" in opened.hold_wait_text("told", message)["usable"]
    assert opened.stage() == before
    opened.hold_fill({"log": "", **FIELDS, **LIMITS})


def test_the_window_answers_while_the_camera_hangs(opened):
    opened.arrange(0.0, 0.0, 3.0, "hangs")
    opened.hold_press("Calibrate")
    assert opened.hold_wait_text("state", "learning")["usable"] == ["Stop"]
    opened.hold_press("Stop")
    opened.hold_fill({"setpoint_um": "0.0"})
    opened.arrange(0.0)
    opened.hold_wait_text("told", "stopped")
    assert opened.stage()["z"] == pytest.approx(3.0)


def test_a_session_can_be_paused_and_stopped_while_the_camera_hangs(opened):
    opened.hold_press("Lock")
    opened.hold_wait_text("state", "locked")
    opened.arrange(0.0, 0.0, None, "hangs")
    opened.settled_stage()
    opened.hold_press("Pause")
    opened.hold_wait_text("state", "paused")
    opened.hold_press("Stop")
    opened.arrange(0.0)
    assert opened.wait_for_end() == ["stopped at the position where it was"]


def test_faults_of_the_stage_are_said_in_the_window(opened):
    opened.hold_press("Lock")
    opened.hold_wait_text("state", "locked")
    opened.arrange(5.0, 0.0, None, "stage")
    opened.hold_wait_text("told", "No response from COM3")
    opened.arrange(5.0)
    opened.hold_wait_text("state", "locked")


def test_the_frames_of_live_mode_are_used_and_it_stays_on(opened):
    opened.hold_press("Lock")
    opened.hold_wait_text("state", "locked")
    opened.set_live(True)
    opened.settled_looks()
    before = opened.stage()
    opened.move_plane(2.0)
    opened.wait_for_position(1.0)
    opened.hold_wait_text("state", "locked")
    assert opened.stage()["snaps"] == before["snaps"]
    assert opened.is_live()
    opened.set_live(False)


def test_while_an_acquisition_takes_single_images_nothing_is_taken_or_moved(opened):
    opened.hold_press("Lock")
    opened.hold_wait_text("state", "locked")
    opened.set_acquiring(True)
    assert "Pause" in opened.hold_wait_text("state", "an acquisition of Micro-Manager runs")["usable"]
    opened.move_plane(2.0)
    still = opened.settled_stage()
    assert opened.settled_stage() == still
    opened.set_acquiring(False)
    opened.wait_for_position(1.0)


def test_a_second_session_on_the_core_is_refused(opened):
    opened.hold_press("Lock")
    opened.hold_wait_text("state", "locked")
    assert opened.second_session() == "another session holds the focus of this microscope: stop it first"


def test_the_recorder_writes_a_line_that_holds_again(opened):
    opened.start_recording()
    opened.hold_press("Lock")
    opened.hold_wait_text("state", "locked")
    line = next(line for line in opened.recorded().split("\n") if "action=start" in line)
    opened.hold_press("Stop")
    opened.hold_wait_text("state", "stopped")
    assert line.startswith(f'run("{ITEM}", "action=start estimator=metric ') and "tolerance_um=0.6" in line
    opened.start_macro(line)
    opened.hold_wait_text("state", "locked")


def test_a_macro_opens_the_window_with_its_options_and_stops_again(micromanager):
    micromanager.begin_micromanager()
    micromanager.arrange(0.0, 0.0, 3.0)
    micromanager.run_command("Hold Focus", OPTIONS)
    micromanager.open_hold_window()
    assert micromanager.hold_wait_text("state", "locked")["texts"]["tolerance_um"] == "0.6"
    micromanager.run_command(ITEM, "action=stop")
    micromanager.hold_wait_text("state", "stopped")
    assert "locked; stopped at the position where it was" in micromanager.last_log_line()
    micromanager.hold_close()


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ("without_micromanager", "Micro-Manager is not in this ImageJ: put its folder plugins/Micro-Manager into"),
        ("end_micromanager", "Micro-Manager has not been started: Plugins > Micro-Manager Studio, then try again"),
    ],
)
def test_without_micromanager_a_dialog_says_what_to_do(micromanager, state, message, tmp_path):
    getattr(micromanager, state)()
    micromanager.click_menu(ITEM)
    title, text = micromanager.message()
    assert title == "Hold Focus" and message in text
    micromanager.load_micromanager("")


def test_quitting_imagej_and_ending_python_leave_the_stage_where_it_is(closing_window, tmp_path):
    (tmp_path / "classes").mkdir()
    closing_window.load_micromanager(str(tmp_path / "classes"))
    closing_window.arrange(0.0, 0.0, 3.0)
    closing_window.run_command(ITEM, f"{OPTIONS} log=[{tmp_path / 'quit.csv'}]")
    closing_window.wait_for_state("locked")
    closing_window.run_command(ITEM, "action=pause")
    closing_window.settled_stage()
    closing_window.arrange(0.0, 0.0, 7.5)
    closing_window.quit_imagej()
    assert closing_window.wait_for_end() == ["stopped at the position where it was"]
    assert closing_window.stage()["z"] == 7.5
    assert read_log(tmp_path / "quit.csv").rows[-1]["z_after_um"] == 7.5
    given = {name: float(text) for name, text in {**FIELDS, **LIMITS}.items() if name != "estimator"}
    closing_window.hold_from_python({"estimator": "metric", **given, "log": str(tmp_path / "end.csv")})
    closing_window.wait_for_state("locked")
    closing_window.end()
    end = read_log(tmp_path / "end.csv").rows[-1]
    assert (end["kind"], end["reason"]) == ("end", "stopped at the position where it was")
