from __future__ import annotations

import math
import threading

import pytest
from focus_parts import Rig

from parfocal import status
from parfocal.cli.hold_focus import row_line
from parfocal.focal_position.result import FocalPosition
from parfocal.focus_control.autofocus import autofocus
from parfocal.focus_control.log import COLUMNS, read_log, write_parquet
from parfocal.focus_control.replay import draw_log, replay, save_plot
from parfocal.focus_control.seen import number_texts
from parfocal.focus_control.session import AlreadyHeldError, hold_focus
from parfocal.focus_control.settings import HoldFocus
from parfocal.focus_control.simulated import SimulatedMicroscope, stepped
from parfocal.focus_control.stated_estimator import StatedEstimator

pytestmark = pytest.mark.current_python


def eventful(log=None, **settings):
    """A session with a jump, a search, faults of camera and stage, two layers and a wrong estimate."""
    rig = Rig(8.0, plane=stepped(2.0, {300.0: 6.0, 900.0: 33.0}), settings=HoldFocus(**settings), log=log)
    rig.minutes(3)
    rig.faults.camera = "raises"
    rig.minutes(2)
    rig.faults.camera = ""
    rig.estimator.answers.append(FocalPosition(status.OK, defocus_um=9.0, deviation_um=0.1, certainty=0.9))
    rig.minutes(16)
    rig.faults.stage = "busy"
    rig.minutes(4)
    rig.faults.stage = ""
    rig.estimator.layers_um = 5.0
    rig.minutes(3)
    rig.session.stop()
    return rig


def test_a_second_session_on_the_same_microscope_is_refused_until_the_first_has_stopped():
    rig = Rig()
    with pytest.raises(AlreadyHeldError, match="another session holds the focus of this microscope"):
        hold_focus(rig.microscope, rig.estimator)
    rig.session.stop()
    assert hold_focus(rig.microscope, rig.estimator).state == "idle"


def test_a_microscope_whose_focus_is_held_is_not_focused_once_beside():
    rig = Rig()
    with pytest.raises(AlreadyHeldError, match="a session holds the focus of this microscope: stop it first"):
        autofocus(rig.microscope)
    assert rig.microscope.images == 0
    rig.session.stop()
    assert autofocus(rig.microscope).found


def test_an_estimator_that_gives_no_focal_position_is_named():
    rig = Rig()
    rig.session.stop()
    row = hold_focus(rig.microscope, lambda image: None).step()
    assert row["fault"] == "no estimate: TypeError: estimate must return a FocalPosition, got None"


def test_a_session_that_nobody_holds_any_more_gives_its_microscope_back():
    rig = Rig()
    rig.session = None
    assert hold_focus(rig.microscope, rig.estimator).state == "idle"


def test_a_thread_holds_focus_until_it_is_stopped():
    locked = threading.Event()
    microscope = SimulatedMicroscope(z=9.0)
    session = hold_focus(
        microscope, StatedEstimator(microscope), on_row=lambda row: row["state"] == "locked" and locked.set()
    )
    with session:
        assert locked.wait(20.0)
    assert session.state == "stopped"
    assert session.wait(0.0)
    assert microscope.z == pytest.approx(session.last_good_z_um, abs=0.5)
    assert abs(microscope.z - microscope.focal_plane(0)) < 0.6


def test_an_interrupt_of_a_stop_waits_until_the_device_is_back():
    locked, interrupts = threading.Event(), [KeyboardInterrupt()]
    microscope = SimulatedMicroscope(z=9.0)
    session = hold_focus(
        microscope, StatedEstimator(microscope), on_row=lambda row: row["state"] == "locked" and locked.set()
    )

    class Ended(threading.Event):
        def wait(self, timeout=None):
            if interrupts:
                raise interrupts.pop()
            return super().wait(timeout)

    session._ended = Ended()
    session.start()
    assert locked.wait(20.0)
    with pytest.raises(KeyboardInterrupt):
        session.stop()
    assert session.state == "stopped"
    assert microscope.z == pytest.approx(session.last_good_z_um, abs=0.5)


def test_stopping_in_a_search_leaves_the_device_at_the_last_good_position():
    rig = Rig(settings=HoldFocus(search_after_looks=1))
    rig.minutes(3)
    good = rig.session.last_good_z_um
    rig.microscope.sample.photons = 0.0
    rig.estimator.answers.append(FocalPosition(status.BROAD, "broad"))
    snap, taken = rig.microscope.snap, []

    def interrupted():
        taken.append(rig.microscope.z)
        if len(taken) == 8:
            raise KeyboardInterrupt
        return snap()

    rig.microscope.snap = interrupted
    with pytest.raises(KeyboardInterrupt):
        rig.session.settle()
    assert abs(rig.microscope.z - good) > 5.0
    rig.session.stop()
    assert rig.microscope.z == pytest.approx(good, abs=0.2)
    rig.check_moves()


def test_a_callback_that_fails_does_not_end_the_session_and_is_told():
    rig = Rig()
    rig.session._controller._on_row = lambda row: 1 / 0
    rig.minutes(3)
    assert rig.session.state == "locked"
    assert rig.session.callback_fault == "ZeroDivisionError: division by zero"


@pytest.mark.parametrize("z_um", [-40.0, 0.1, 40.0])
def test_there_is_no_advice_where_focus_is_found(z_um):
    rig = Rig(z_um)
    rig.minutes(8)
    rig.session.stop()
    assert rig.session.advice == ""
    assert rig.session.rows[-1]["reason"] == "stopped at the last good position"


@pytest.mark.parametrize("scale", [0.0, -1.0])
def test_estimates_that_never_follow_the_device_bring_advice_and_the_device_goes_back(scale):
    rig = Rig(3.0, settings=HoldFocus(search_after_looks=2, focus_metric=""))
    told = lambda truth: FocalPosition(status.OK, defocus_um=5.0 + scale * truth, deviation_um=0.1, certainty=0.9)  # noqa: E731
    rig.estimator.answers.extend([told] * 40)
    while not rig.session.advice:
        assert len(rig.looks) < 4
        rig.session.step()
    assert rig.session.advice.startswith("4 looks and no focal plane (")
    rig.session.stop()
    assert rig.session.rows[-1]["reason"] == "stopped at the position where it began"
    assert rig.microscope.z == 3.0


def test_advice_comes_also_where_the_focal_plane_was_known_before_a_search_and_goes_when_it_is_again():
    rig = Rig(3.0, settings=HoldFocus(search_after_looks=2))
    rig.minutes(2)
    rig.estimator.answers.extend([FocalPosition(status.OK, defocus_um=5.0, deviation_um=0.1, certainty=0.3)] * 12)
    rig.microscope.focal_plane = lambda time_s: 12.0
    assert rig.session.advice == ""
    rig.minutes(8)
    assert "no focal plane (certainty 0.30 is below 0.5)" in rig.session.advice
    rig.minutes(6)
    assert rig.session.state == "locked"
    assert rig.session.advice == ""


def test_what_has_stopped_is_not_stepped_or_started_again():
    rig = Rig()
    rig.session.stop()
    rig.session.stop()
    for act in (rig.session.step, rig.session.start):
        with pytest.raises(RuntimeError, match="the session has stopped"):
            act()


def test_every_decision_is_a_row_on_the_disk_as_soon_as_it_is_taken(tmp_path):
    rig = Rig(log=tmp_path / "log.csv")
    for count in range(1, 4):
        rig.session.step()
        assert len((tmp_path / "log.csv").read_text().splitlines()) == 1 + count
    rig.session.stop()
    log = read_log(tmp_path / "log.csv")
    assert [row["kind"] for row in log.rows] == ["look"] * 3 + ["end"]
    assert tuple(log.table().columns) == COLUMNS


def test_a_log_replayed_gives_the_same_decisions(tmp_path):
    rig = eventful(tmp_path / "log.csv")
    log = read_log(tmp_path / "log.csv")
    again = replay(log)
    assert len(again) == len(rig.looks) > 25
    assert {step.decision.action for step in again} >= {"stay", "correct", "probe", "search"}
    assert all(step.same for step in again)
    assert [step.decision.state for step in again if step.row["reached"]][:5] == [
        row["state"] for row in rig.looks if row["reached"]
    ][:5]


def test_other_settings_replayed_decide_otherwise(tmp_path):
    eventful(tmp_path / "log.csv")
    changed = replay(read_log(tmp_path / "log.csv"), HoldFocus(tolerance_um=0.05, settle_um=0.01))
    assert not all(step.same for step in changed)


def test_a_log_as_parquet_is_the_same_log(tmp_path):
    rig = eventful(lowest_z_um=-60.0, setpoint_um={"a": 0.5}, channel="a")
    write_parquet(rig.session.log, tmp_path / "log.parquet")
    log = read_log(tmp_path / "log.parquet")
    assert log.settings == rig.session.settings
    assert log.limits_um == rig.session.limits_um
    assert len(log.rows) == len(rig.session.rows)
    assert all(step.same for step in replay(log))


def test_nothing_that_exists_is_overwritten(tmp_path):
    (tmp_path / "log.csv").write_text("mine")
    with pytest.raises(FileExistsError, match="choose another file for the log"):
        Rig(log=tmp_path / "log.csv")
    rig = eventful()
    for write in (write_parquet, save_plot):
        with pytest.raises(FileExistsError, match="choose another file"):
            write(rig.session.log, tmp_path / "log.csv")
    assert (tmp_path / "log.csv").read_text() == "mine"


def test_a_log_is_drawn_with_device_and_focal_plane():
    figure = draw_log(eventful().session.log)
    device = figure.axes[0].get_lines()[0]
    assert device.get_label() == "focus device"
    assert max(device.get_ydata()) > 30.0


def test_a_line_says_where_the_error_was_and_where_the_device_went():
    rig = Rig(3.0)
    rig.minutes(1)
    lines = [row_line(row, 0.0) for row in rig.looks]
    moved = [row for row in rig.looks if row["z_after_um"] != row["z_before_um"]]
    assert moved and "z +3.00 um" in lines[0]
    for row, line in zip(rig.looks, lines):
        assert f"z {row['z_before_um']:+.2f} um" in line
        assert (f"{row['decision']} to {row['z_after_um']:+.2f} um: " in line) == (row in moved)


def test_the_error_that_is_shown_is_that_after_the_move():
    rig = Rig(9.0)
    rig.minutes(1)
    look = next(row for row in rig.looks if row["decision"] == "correct")
    error_um = look["error_um"] + look["z_after_um"] - look["z_before_um"]
    texts = number_texts(look)
    assert abs(error_um) < 0.5 < abs(look["error_um"])
    assert (texts["position"], texts["error"]) == (f"{look['z_after_um']:.2f} um", f"{error_um:.2f} um")


def test_half_a_line_at_the_end_of_a_log_is_left_out(tmp_path):
    rig = Rig(log=tmp_path / "log.csv")
    rig.minutes(3)
    text = (tmp_path / "log.csv").read_text()
    (tmp_path / "log.csv").write_text(text[:-40])
    assert len(read_log(tmp_path / "log.csv").rows) == len(rig.session.rows) - 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"interval_s": -5.0}, "interval_s must be a finite number above 0, got -5.0"),
        ({"interval_s": 0}, "interval_s must be a finite number above 0, got 0"),
        ({"tolerance_um": math.nan}, "tolerance_um must be a finite number above 0, got nan"),
        ({"settle_um": 0.9}, "settle_um must be at most tolerance_um=0.5, got 0.9"),
        ({"lowest_z_um": 5.0, "highest_z_um": -5.0}, "lowest_z_um must be below highest_z_um=-5.0, got 5.0"),
        ({"lowest_offset_um": 1.0, "highest_offset_um": 0.0}, "lowest_offset_um must be below highest_offset_um=0.0"),
        ({"lowest_z_um": "0"}, "lowest_z_um must be a finite number or None, got '0'"),
        ({"least_certainty": 1.5}, r"least_certainty must be in \[0, 1\], got 1.5"),
        ({"layer": "both"}, "layer must be one of nearest, lower, upper, got 'both'"),
        ({"approach": "left"}, "approach must be one of up, down, got 'left'"),
        ({"camera_retries": 1.5}, "camera_retries must be a whole number of at least 0, got 1.5"),
        ({"focus_metric": "Sharp"}, "focus_metric must be one of .*VollathF4.*, got 'Sharp'"),
        ({"fine_step_um": 9.0}, "fine_step_um must be at most coarse_step_um=4.0, got 9.0"),
        ({"setpoint_um": math.inf}, "setpoint_um must be a finite number, got inf"),
        ({"setpoint_um": {"GFP": 1.0}}, r"channel must be one that setpoint_um names \('GFP'\), got ''"),
    ],
)
def test_wrong_settings_are_refused_with_what_would_be_right(settings, message):
    with pytest.raises(ValueError, match=message):
        HoldFocus(**settings)


def test_limits_that_exclude_the_present_position_are_refused():
    with pytest.raises(ValueError, match="within lowest_z_um=0 and highest_z_um=10 to begin, it is at 12 um"):
        Rig(12.0, settings=HoldFocus(lowest_z_um=0.0, highest_z_um=10.0))


@pytest.mark.parametrize("setpoint_um", [25.0, {"DIC": 0.0, "GFP": -21.0}])
def test_a_setpoint_outside_the_range_of_the_estimator_is_refused(setpoint_um):
    channel = "" if isinstance(setpoint_um, float) else "DIC"
    with pytest.raises(ValueError, match=r"must lie in the range of the estimator, \[-20, 20\] um, got (25|-21)"):
        Rig(settings=HoldFocus(setpoint_um=setpoint_um, channel=channel))


def test_what_is_no_microscope_or_estimator_is_refused_with_what_would_be_right():
    with pytest.raises(TypeError, match="microscope must have z_um, .* got object without z_um"):
        hold_focus(object(), lambda image: None)
    with pytest.raises(TypeError, match="microscope must have z_um, .* got str without z_um"):
        autofocus("core")
    with pytest.raises(TypeError, match="estimate must be callable with an image, .* got None"):
        hold_focus(SimulatedMicroscope(), None)


def test_a_refused_session_leaves_the_microscope_free():
    microscope = SimulatedMicroscope(z=12.0)
    with pytest.raises(ValueError, match="to begin"):
        hold_focus(microscope, StatedEstimator(microscope), HoldFocus(highest_z_um=10.0))
    assert hold_focus(microscope, StatedEstimator(microscope)).state == "idle"


@pytest.mark.parametrize("kind", ["look", "sweep"])
def test_a_callback_may_stop_the_session_even_in_a_search(kind):
    rig = Rig(settings=HoldFocus(search_after_looks=1))
    rig.minutes(3)
    good = rig.session.last_good_z_um
    rig.microscope.sample.photons = 0.0
    rig.estimator.answers.append(FocalPosition(status.BROAD, "broad"))
    rig.session._controller._on_row = lambda row: row["kind"] == kind and rig.session.stop()
    images = rig.microscope.images
    rig.session.settle()
    assert rig.session.state == "stopped"
    assert rig.microscope.z == pytest.approx(good, abs=0.2)
    assert rig.microscope.images - images < 60
    assert hold_focus(rig.microscope, rig.estimator).state == "idle"


def test_a_search_ends_early_when_the_session_is_stopped():
    rig = Rig(settings=HoldFocus(search_after_looks=1))
    rig.minutes(3)
    rig.microscope.sample.photons = 0.0
    rig.estimator.answers.append(FocalPosition(status.BROAD, "broad"))
    snap, begun = rig.microscope.snap, rig.microscope.images

    def stopping():
        if rig.microscope.images == begun + 5:
            rig.session.stop()
        return snap()

    rig.microscope.snap = stopping
    row = rig.session.settle()
    assert "the search was stopped" in row["fault"]
    assert rig.microscope.images <= begun + 6 and rig.session.state == "stopped"
