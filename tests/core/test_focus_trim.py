from __future__ import annotations

import numpy as np
import pytest
from focus_parts import Rig

from parfocal import status
from parfocal.focal_position.result import FocalPosition
from parfocal.focus_control.log import read_log
from parfocal.focus_control.replay import draw_log, replay
from parfocal.focus_control.settings import HoldFocus
from parfocal.focus_control.simulated import STAGE_FAULTS, SimulatedMicroscope, stepped
from parfocal.focus_control.simulated_sample import Sample

pytestmark = pytest.mark.current_python

BIAS_UM, DEVIATION_UM = 1.5, 1.2
LIMITED = HoldFocus(lowest_z_um=-15.0, highest_z_um=15.0)


def biased(rig, bias_um=BIAS_UM):
    """Answers that are off by a constant within their stated deviation, wherever the estimator answers itself."""
    answer = rig.estimator._estimate

    def estimate(truth_um):
        found = answer(truth_um)
        return FocalPosition(status.OK, "", (), truth_um + bias_um, DEVIATION_UM, found.certainty)

    rig.estimator._estimate = estimate
    return rig


def flat(rig):
    """Answers that are alike within a depth of field, as those of a network are there."""
    rig.estimator._estimate = lambda truth: FocalPosition(
        status.OK, "", (), truth - np.clip(truth, -2.0, 2.0) - 0.7, 2.0, 0.92
    )
    return rig


def decisions(rig):
    return [row["decision"] for row in rig.looks]


def trims(rig, told="trimmed: "):
    return [row for row in rig.looks if row["reason"].startswith(told)]


@pytest.mark.parametrize("bias_um", [-BIAS_UM, BIAS_UM])
@pytest.mark.parametrize("start_um", [-12.0, 0.5, 12.0])
def test_a_constant_bias_of_the_estimates_is_trimmed_away(start_um, bias_um):
    rig = biased(Rig(start_um, plane=stepped(drift_um_h=2.0)), bias_um)
    rig.minutes(2)
    assert rig.minutes(60) < 0.5
    assert rig.session.state == "locked"
    rig.session.stop()
    assert all(step.same for step in replay(rig.session.log))


def test_a_drawing_shows_the_images_of_trims_apart_from_where_the_device_is_held():
    rig = biased(Rig(0.5, settings=HoldFocus(trim_um=4.0)))
    rig.minutes(10)
    lines = {line.get_label(): line.get_ydata() for line in draw_log(rig.session.log).axes[0].get_lines()}
    beside = [row["target_um"] for row in rig.looks if row["decision"] == "trim"]
    assert beside and lines["trims"] == pytest.approx(beside, abs=0.1)
    assert np.abs(lines["focus device"][2:]).max() < 2.0


def test_without_trims_a_constant_bias_stays():
    rig = biased(Rig(12.0, settings=HoldFocus(trim_um=0.0)))
    rig.minutes(30)
    assert rig.error_um == pytest.approx(-BIAS_UM, abs=0.5)
    assert "trim" not in decisions(rig)


def test_estimates_that_are_alike_near_focus_leave_the_drift_to_trims_that_grow_rarer():
    rig = flat(Rig(9.0, plane=stepped(drift_um_h=10.0), settings=HoldFocus(wander_um=0.3)))
    rig.minutes(4)
    assert rig.minutes(116) < 0.5
    assert rig.looks[-1]["drift_um_h"] == pytest.approx(10.0, abs=1.0)
    at_min = [row["time_s"] / 60 for row in trims(rig)]
    assert len(at_min) < 25
    assert max(np.diff(at_min)) > 5


def test_estimates_that_can_tell_the_tolerance_bring_no_trim():
    rig = Rig(9.0, plane=stepped(drift_um_h=4.0, jumps={1200.0: 5.0}))
    rig.minutes(60)
    assert "trim" not in decisions(rig)


@pytest.mark.parametrize("setpoint_um", [1.5, -4.0])
def test_a_trim_at_a_setpoint_brackets_best_focus(setpoint_um):
    rig = biased(Rig(9.0, settings=HoldFocus(setpoint_um=setpoint_um)))
    rig.minutes(3)
    worst = [abs(rig.minutes(1) - abs(setpoint_um)) for _ in range(30)]
    assert max(worst) < 0.5
    assert trims(rig)
    taken_um = [row["z_after_um"] for row in rig.looks if row["decision"] == "trim"][-3:]
    assert min(taken_um) < -1.0 and max(taken_um) > 1.0


def test_no_image_of_a_trim_is_taken_farther_than_three_steps_from_the_expected_focal_plane():
    rig = biased(Rig(0.5, settings=HoldFocus(trim_um=1.5, largest_step_um=2.5)))
    rig.minutes(20)
    rows = [row for row in rig.looks if row["decision"] == "trim"]
    assert rows
    assert max(abs(row["target_um"] - row["focal_plane_z_um"]) for row in rows) <= 4.5
    commanded = np.diff([rig.looks[0]["z_before_um"], *rig.microscope.commanded_um])
    assert np.abs(commanded).max() <= 2.5 + 1e-9


def begun(rig):
    """Step until the first image of a trim is due; where the device was before."""
    row = rig.session.step()
    while row["decision"] != "trim":
        row = rig.session.step()
    return row["z_before_um"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda rig: setattr(rig.faults, "light", False), "dark"),
        (lambda rig: setattr(rig.faults, "camera", "other size"), "the image size changed"),
        (lambda rig: setattr(rig.microscope.sample, "background", 40.0), "the light changed"),
        (lambda rig: rig.microscope.wait_s(70.0), "it took more than 60 s"),
        (lambda rig: rig.microscope.move_to_um(rig.microscope.z + 1.5), "the focus device was moved in between"),
    ],
)
def test_a_trim_whose_images_cannot_be_compared_is_discarded_and_the_device_returns(change, told):
    rig = biased(Rig(0.5))
    begun_um = begun(rig)
    change(rig)
    row = rig.session.step()
    assert (row["decision"], row["state"]) == ("return", "holding")
    assert row["reason"].endswith(f"trim discarded: {told}")
    assert row["z_after_um"] == pytest.approx(begun_um, abs=0.01)


@pytest.mark.parametrize("fault", ["time-out", "raises", "not finite"])
def test_a_camera_that_fails_in_the_middle_of_a_trim_ends_it_where_it_began(fault):
    rig = biased(Rig(0.5))
    begun_um = begun(rig)
    rig.faults.camera = fault
    row = rig.session.step()
    assert (row["decision"], row["z_after_um"]) == ("return", pytest.approx(begun_um, abs=0.01))
    rig.faults.camera = ""
    rig.minutes(3)
    assert rig.session.state == "locked" and abs(rig.error_um) < 0.5


@pytest.mark.parametrize("fault", STAGE_FAULTS)
def test_a_stage_that_fails_in_the_middle_of_a_trim_is_told_and_trimmed_again_later(fault):
    rig = biased(Rig(0.5, settings=LIMITED))
    begun(rig)
    rig.faults.stage = fault
    rig.minutes(8)
    assert any(row["fault"] for row in rig.looks)
    assert len(rig.looks) < 60
    rig.faults.stage = ""
    rig.minutes(20)
    assert rig.session.state == "locked" and abs(rig.error_um) < 0.5
    rig.session.stop()
    assert all(step.same for step in replay(rig.session.log))


def test_a_sample_as_sharp_everywhere_is_trimmed_ever_more_rarely_and_moves_nothing():
    rig = biased(Rig(0.5))
    rig.microscope.sample.blur_px_per_um = 0.0
    rig.minutes(1)
    held_um = rig.microscope.z
    rig.minutes(60)
    discarded = trims(rig, "trim discarded: ")
    assert {row["reason"] for row in discarded} == {"trim discarded: the sharpness has no clear peak"}
    assert 2 <= len(discarded) <= 8
    assert np.diff([row["time_s"] for row in discarded])[-1] >= 900.0
    assert rig.microscope.z == pytest.approx(held_um, abs=0.01)


def test_trims_next_to_the_limits_are_discarded_and_stay_within_them():
    rig = biased(Rig(4.0, settings=HoldFocus(lowest_z_um=0.9, highest_z_um=20.0)), -BIAS_UM)
    rig.minutes(20)
    told = {row["reason"] for row in trims(rig, "trim discarded: ")}
    assert told == {"trim discarded: the limits leave no room on both sides of the sharpest image"}
    assert min(rig.microscope.visited_um) >= 0.9


def test_an_answer_that_says_too_little_is_held_by_sharpness_once_that_has_told_the_focal_plane():
    rig = biased(Rig(0.5, plane=stepped(drift_um_h=3.0)))
    rig.minutes(4)
    rig.estimator._estimate = lambda truth: FocalPosition(status.BROAD, "the image says too little")
    rig.minutes(30)
    assert abs(rig.error_um) < 0.5
    assert {row["state"] for row in rig.looks[-20:]} <= {"locked", "holding"}
    assert rig.session.state == "locked"
    assert "search" not in decisions(rig)


def test_a_jump_that_the_estimates_do_not_show_is_seen_by_the_sharpness():
    rig = flat(Rig(0.5, plane=stepped(jumps={1210.0: 3.0})))
    rig.minutes(19)
    assert abs(rig.error_um) < 0.5
    rig.minutes(4)
    assert abs(rig.error_um) < 0.5


def test_two_layers_nearer_than_three_steps_are_not_trimmed():
    rig = Rig(0.5, layers_um=5.0, deviation_um=2.0)
    rig.minutes(10)
    assert "trim" not in decisions(rig)


def test_looks_that_end_in_the_middle_of_a_trim_leave_the_device_where_it_began():
    rig = biased(Rig(0.5, settings=HoldFocus(looks_at_once=4)))
    row = rig.session.settle()
    assert row["decision"] == "trim"
    begun_um = rig.session._controller.memory.trim.first.z_um
    assert rig.microscope.z == pytest.approx(begun_um, abs=0.01)
    rig.session.settle()
    assert trims(rig, "trim discarded: the focus device was moved in between")


class Engaged(SimulatedMicroscope):
    """Its images are those of an acquisition."""

    def engaged(self):
        return "waiting for an image of the acquisition"


def test_no_trim_moves_the_device_while_an_acquisition_takes_the_images():
    rig = biased(Rig(microscope=Engaged(z=0.5)))
    rig.minutes(30)
    rows = [row for row in rig.looks if row["decision"] == "trim"]
    assert 2 <= len(rows) <= 6
    assert {row["fault"] for row in rows} == {"not moved for a trim: waiting for an image of the acquisition"}
    assert all(row["z_after_um"] == row["z_before_um"] for row in rows)
    assert rig.session.state == "locked"
    assert all(step.same for step in replay(rig.session.log))


def test_a_session_that_is_stopped_in_the_middle_of_a_trim_ends_where_the_trim_began():
    rig = biased(Rig(0.5))
    begun_um = begun(rig)
    rig.session.stop()
    assert rig.microscope.z == pytest.approx(begun_um, abs=0.01)
    assert rig.session.rows[-1]["reason"] == "stopped at the last good position"


def test_every_decision_of_an_eventful_time_with_trims_is_replayed_from_the_file(tmp_path):
    plane = stepped(3.0, {600.0: 6.0, 1500.0: -33.0})
    rig = flat(Rig(8.0, plane=plane, log=tmp_path / "log.csv"))
    rig.minutes(12)
    rig.faults.light = False
    rig.minutes(5)
    rig.faults.light = True
    rig.minutes(25)
    rig.session.stop()
    steps = replay(read_log(tmp_path / "log.csv"))
    assert len(steps) > 60 and all(step.same for step in steps)
    assert {step.decision.action for step in steps} >= {"trim", "correct", "return", "stay", "probe", "search"}


def test_dust_movement_division_and_bleaching_are_held_through():
    sample = Sample(size_px=96, walk_px_sqrt_h=3.0, division_s=10800.0, bleach_s=7200.0, dust=((3600.0, 4500.0),))
    plane = stepped(drift_um_h=2.0)
    rig = flat(Rig(microscope=SimulatedMicroscope(sample=sample, focal_plane=plane, z=7.0)))
    rig.minutes(3)
    assert rig.minutes(180) < 0.5


def test_estimates_that_come_to_tell_the_tolerance_end_the_trims():
    rig = biased(Rig(0.5, plane=stepped(drift_um_h=2.0)))
    rig.minutes(10)
    assert trims(rig)
    del rig.estimator._estimate
    rig.minutes(3)
    begun_s = rig.microscope.now_s()
    assert rig.minutes(60) < 0.8
    assert [row for row in rig.looks if row["decision"] == "trim" and row["time_s"] > begun_s] == []
