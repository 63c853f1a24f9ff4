from __future__ import annotations

import math

import pytest
from focus_parts import Rig

from parfocal import status
from parfocal.focal_position.result import FocalPosition
from parfocal.focus_control.settings import HoldFocus
from parfocal.focus_control.simulated import stepped

pytestmark = pytest.mark.current_python

LIMITED = HoldFocus(lowest_z_um=-15.0, highest_z_um=15.0)


def run_with_fault(rig, switch, minutes=8):
    """Lock, have a fault for some minutes, and be without it again; the rows of the looks with the fault."""
    rig.minutes(3)
    assert rig.session.state == "locked"
    begun = len(rig.looks)
    switch(True)
    rig.minutes(minutes)
    faulty = rig.looks[begun:]
    assert len(faulty) >= minutes
    switch(False)
    rig.minutes(5)
    assert rig.session.state == "locked"
    assert abs(rig.error_um) < 1.0
    return faulty


@pytest.mark.parametrize("fault", ["time-out", "raises"])
def test_a_camera_without_images_is_tried_again_held_and_told(fault):
    rig = Rig(settings=LIMITED)
    commanded = []

    def switch(on):
        rig.faults.camera = fault if on else ""
        commanded.append(len(rig.microscope.commanded_um))

    rows = run_with_fault(rig, switch)
    assert all("no image" in row["fault"] for row in rows)
    assert [row["state"] for row in rows] == ["holding"] * 4 + ["lost"] * 4
    assert commanded[0] == commanded[1]


def test_an_image_with_nan_gives_no_estimate_and_is_held_through():
    rig = Rig(settings=LIMITED)
    rows = run_with_fault(rig, lambda on: setattr(rig.faults, "camera", "not finite" if on else ""))
    assert {row["status"] for row in rows} == {"not_finite"}


def test_a_change_of_the_image_size_is_logged_and_the_filter_goes_on():
    rig = Rig(settings=LIMITED)
    rows = run_with_fault(rig, lambda on: setattr(rig.faults, "camera", "other size" if on else ""))
    assert rows[0]["reason"].startswith("image size changed from 64 x 64 to 64 x 32; ")
    assert {row["state"] for row in rows} == {"locked"}


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("does not move", "did not move"),
        ("busy", "time-out: the focus device is busy"),
        ("raises", "RuntimeError: serial port: no answer"),
    ],
)
def test_a_stage_that_fails_is_tried_a_few_times_told_and_becomes_lost(fault, told):
    rig = Rig(settings=LIMITED, plane=stepped(jumps={180.0: 3.0}))
    rows = run_with_fault(rig, lambda on: setattr(rig.faults, "stage", fault if on else ""))
    assert any(told in row["fault"] for row in rows)
    assert rows[-1]["state"] == "lost"
    tries = rig.session.settings.stage_retries + 1
    assert len(rig.microscope.commanded_um) <= (len(rig.looks) + 1) * tries


def test_a_position_that_cannot_be_read_is_told():
    rig = Rig(settings=LIMITED)
    rows = run_with_fault(rig, lambda on: setattr(rig.faults, "stage", "unreadable" if on else ""))
    assert all("position unreadable" in row["fault"] for row in rows)


@pytest.mark.parametrize(
    ("fault", "told"),
    [("moves by half", "fell short"), ("overshoots", "went too far"), ("reports late", "reported late")],
)
def test_a_stage_that_is_inexact_or_late_is_told_and_focus_held_all_the_same(fault, told):
    rig = Rig(settings=LIMITED, plane=stepped(drift_um_h=4.0, jumps={180.0: 3.0}))
    rows = run_with_fault(rig, lambda on: setattr(rig.faults, "stage", fault if on else ""), minutes=40)
    assert any(told in row["fault"] for row in rows)
    assert rows[-1]["state"] == "locked"


def test_nan_estimates_hold_the_position():
    rig = Rig(settings=LIMITED)
    rig.minutes(3)
    held = rig.microscope.z
    rig.estimator.answers.extend([FocalPosition(status.OK, certainty=0.9, deviation_um=0.1)] * 6)
    rig.minutes(6)
    assert {row["reason"] for row in rig.looks[-6:]} == {"the estimate is not a number"}
    assert rig.microscope.z == held
    rig.minutes(2)
    assert rig.session.state == "locked"


def wrong(kind):
    """Confident answers that are wrong: always the same, the truth and a constant, mirrored, at random, outside."""
    random = iter([7.0, -3.0, 9.0, 2.5, -8.0, 4.0, -6.0, 8.0, -2.0, 5.0] * 3)
    change = {
        "constant": lambda truth: 6.0,
        "offset": lambda truth: truth + 6.0,
        "mirrored": lambda truth: -truth - 3.0,
        "random": lambda truth: next(random),
        "outside": lambda truth: 60.0,
    }[kind]
    return lambda truth: FocalPosition(status.OK, defocus_um=change(truth), deviation_um=0.1, certainty=0.99)


@pytest.mark.parametrize("kind", ["constant", "offset", "mirrored", "random", "outside"])
def test_ten_confident_wrong_estimates_in_a_row_stay_within_limits_and_are_recovered_from(kind):
    rig = Rig(settings=LIMITED)
    rig.minutes(3)
    rig.estimator.answers.extend([wrong(kind)] * 10)
    while rig.estimator.answers:
        rig.minutes(1)
    steps = [abs(row["target_um"] - row["z_before_um"]) for row in rig.looks if row["decision"] == "correct"]
    assert max(steps) <= rig.session.settings.largest_step_um
    rig.minutes(5)
    assert rig.session.state == "locked"
    assert abs(rig.error_um) < 0.8


def test_a_jump_that_leads_away_from_a_good_image_is_refused_and_the_device_returns():
    rig = Rig(settings=LIMITED)
    rig.minutes(3)
    good = rig.session.last_good_z_um
    rig.estimator.answers.extend([wrong("offset")] * 40)
    rig.minutes(8)
    assert any("leads away from how the last good image looked" in row["reason"] for row in rig.looks)
    assert "correct" not in [row["decision"] for row in rig.looks[-8:]]
    assert rig.microscope.z == pytest.approx(good, abs=0.1)


def test_a_correction_that_leads_away_from_a_good_image_is_taken_back_and_the_estimator_distrusted():
    rig = Rig(settings=LIMITED)
    rig.minutes(3)
    good = rig.session.last_good_z_um
    # An hour in the dark leaves the focal plane so uncertain that no second look is asked for.
    rig.faults.light = False
    rig.minutes(55)
    rig.faults.light = True
    rig.estimator.answers.extend([lambda t: FocalPosition(status.OK, "", (), t + 4.0, 0.1, 0.99)] * 20)
    rig.minutes(4)
    told = [row for row in rig.looks if row["reason"].startswith("estimator distrusted")]
    assert len(told) == 1 and told[0]["state"] == "lost"
    assert rig.microscope.z == pytest.approx(good, abs=0.3)


def test_an_estimator_whose_sign_is_reversed_is_found_out_before_anything_is_corrected():
    rig = Rig(4.0, settings=LIMITED)
    rig.estimator.answers.extend(
        [lambda truth: FocalPosition(status.OK, defocus_um=-truth, deviation_um=0.1, certainty=0.99)] * 4
    )
    rig.session.settle()
    assert "reversed" in rig.looks[1]["reason"]
    assert "correct" not in [row["decision"] for row in rig.looks[:4]]


def test_light_off_is_told_from_lost_focus_and_not_searched():
    rig = Rig(plane=stepped(drift_um_h=1.0))
    rows = run_with_fault(rig, lambda on: setattr(rig.faults, "light", not on), minutes=45)
    assert all(row["reason"].startswith("dark") for row in rows)
    assert {row["decision"] for row in rows} <= {"stay", "follow"}
    assert {row["state"] for row in rows} == {"holding"}


def test_darkness_beyond_the_time_that_focus_is_held_is_lost():
    rig = Rig(settings=HoldFocus(hold_s=600.0))
    rows = run_with_fault(rig, lambda on: setattr(rig.faults, "light", not on), minutes=15)
    assert rows[0]["state"] == "holding" and rows[-1]["state"] == "lost"


def test_an_estimator_that_raises_is_a_fault_in_the_log():
    rig = Rig()
    rig.minutes(2)

    def broken(truth):
        raise ZeroDivisionError("no pixels")

    rig.estimator.answers.append(broken)
    row = rig.session.settle()
    assert row["fault"] == "no estimate: ZeroDivisionError: no pixels"
    assert row["state"] == "holding" and math.isnan(row["defocus_um"])


def test_focus_beyond_the_limits_is_not_followed():
    rig = Rig(settings=HoldFocus(travel_um=5.0), plane=stepped(drift_um_h=8.0))
    rig.minutes(60)
    assert max(rig.microscope.commanded_um) <= 5.0
    assert rig.session.state in ("holding", "lost")


def test_a_blurred_image_whose_estimate_fits_by_chance_is_looked_at_again_before_it_counts():
    rig = Rig(settings=LIMITED, plane=stepped(jumps={170.0: 4.0}))
    rig.minutes(3)
    good = rig.session._controller.memory.good
    rig.estimator.answers.append(FocalPosition(status.OK, "", (), 0.1, 0.2, 0.9))
    row = rig.session.step()
    assert (row["decision"], row["state"]) == ("stay", "holding")
    assert "unlike the last good one" in row["reason"]
    assert rig.session._controller.memory.good == good
    rig.minutes(2)
    assert rig.session.state == "locked" and abs(rig.error_um) < 0.8


def test_a_sample_that_changes_for_good_is_accepted_after_three_looks():
    rig = Rig(settings=LIMITED)
    rig.minutes(3)
    rig.microscope.sample.sharp_sigma_px = 3.0
    rig.minutes(1)
    assert [row["state"] for row in rig.looks[-3:]] == ["holding", "holding", "locked"]
    before = len(rig.looks)
    rig.minutes(3)
    assert [row["state"] for row in rig.looks[before:]] == ["locked"] * 3
