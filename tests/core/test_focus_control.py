from __future__ import annotations

import numpy as np
import pytest
from focus_parts import Rig

from parfocal import status
from parfocal.focal_position.result import Candidate, FocalPosition
from parfocal.focus_control.filter import Measurement, Track
from parfocal.focus_control.settings import HoldFocus
from parfocal.focus_control.simulated import stepped

pytestmark = pytest.mark.current_python


@pytest.mark.parametrize("start_um", [-40.0, -7.0, 0.1, 12.0, 40.0])
def test_focus_is_locked_from_any_start_within_forty_um(start_um):
    rig = Rig(start_um)
    rig.minutes(2)
    assert rig.session.state == "locked"
    assert abs(rig.error_um) < 0.5


def test_drift_is_followed_and_measured():
    rig = Rig(plane=stepped(drift_um_h=6.0))
    rig.minutes(1)
    assert rig.minutes(90) < 1.0
    assert rig.looks[-1]["drift_um_h"] == pytest.approx(6.0, abs=1.5)


@pytest.mark.parametrize("jump_um", [4.0, -9.0, 35.0])
def test_a_jump_is_followed_after_a_second_look_or_a_search(jump_um):
    rig = Rig(plane=stepped(jumps={600.0: jump_um}))
    rig.minutes(9)
    assert rig.session.state == "locked"
    rig.minutes(6)
    assert rig.session.state == "locked"
    assert abs(rig.error_um) < 0.8
    decisions = [row["decision"] for row in rig.looks if row["time_s"] >= 600.0]
    assert ("search" in decisions) == (abs(jump_um) > 20)
    assert "probe" in decisions


def test_the_device_stays_within_the_hysteresis():
    rig = Rig(settings=HoldFocus(tolerance_um=1.5, settle_um=0.3))
    rig.minutes(3)
    commanded = len(rig.microscope.commanded_um)
    rig.minutes(60)
    assert len(rig.microscope.commanded_um) == commanded


@pytest.mark.parametrize("setpoint_um", [3.0, -2.5])
def test_the_setpoint_is_an_offset_from_best_focus_positive_above(setpoint_um):
    rig = Rig(5.0, settings=HoldFocus(setpoint_um=setpoint_um))
    rig.minutes(5)
    assert rig.error_um == pytest.approx(setpoint_um, abs=0.6)


def test_each_channel_has_a_setpoint_of_its_own():
    rig = Rig(settings=HoldFocus(setpoint_um={"DIC": 0.0, "GFP": 2.0}, channel="DIC"))
    rig.minutes(3)
    assert rig.error_um == pytest.approx(0.0, abs=0.6)
    rig.session.set_channel("GFP")
    rig.minutes(3)
    assert rig.error_um == pytest.approx(2.0, abs=0.6)
    with pytest.raises(ValueError, match=r"channel must be one that setpoint_um names \('DIC', 'GFP'\), got 'RFP'"):
        rig.session.set_channel("RFP")


def test_a_probe_tells_above_from_below_where_the_sign_is_unknown():
    for start_um in (-6.0, 6.0):
        rig = Rig(start_um, sign_known_from_um=10.0)
        rig.minutes(3)
        assert abs(rig.error_um) < 0.7
        assert rig.looks[0]["decision"] == "probe"


def test_one_probe_is_enough_while_both_candidates_stay_within_the_tolerance():
    rig = Rig(-6.0, settings=HoldFocus(tolerance_um=1.0), sign_known_from_um=10.0)
    rig.minutes(2)
    begun = len(rig.looks)
    rig.minutes(30)
    assert [row for row in rig.looks[begun:] if row["decision"] == "probe"] == []


@pytest.mark.parametrize("seed", [0, 2])
@pytest.mark.parametrize("jump_um", [-1.4, 1.4])
def test_no_error_beyond_the_tolerance_stands_where_the_sign_is_unknown(jump_um, seed):
    settings = HoldFocus(tolerance_um=0.7, settle_um=0.3)
    plane = stepped(jumps={600.0: jump_um})
    rig = Rig(plane=plane, settings=settings, sign_known_from_um=10.0, deviation_um=0.45, scale_error=0.0, seed=seed)
    rig.minutes(12)
    errors = np.array([rig.minutes(1) for _ in range(27)])
    # The candidates differ from the truth by 0.45 um, so that a few frames are beyond it.
    assert np.mean(errors > 0.7) < 0.1
    assert errors.max() < 1.0


@pytest.mark.parametrize(("distance_um", "decision"), [(0.6, "stay"), (0.8, "probe")])
def test_candidates_beyond_the_tolerance_are_probed_however_uncertain_they_are(distance_um, decision):
    rig = Rig(settings=HoldFocus(tolerance_um=0.7), deviation_um=0.01, scale_error=0.0)
    rig.minutes(3)
    sides = tuple(Candidate(side, 0.7, 0.5) for side in (distance_um, -distance_um))
    rig.estimator.answers.append(FocalPosition(status.SIGN_UNKNOWN, "above or below", candidates=sides, certainty=0.5))
    assert rig.session.step()["decision"] == decision


@pytest.mark.parametrize(("layer", "plane_um"), [("lower", 0.0), ("upper", 6.0)])
def test_the_chosen_of_two_layers_is_held_and_never_their_mean(layer, plane_um):
    rig = Rig(2.0, settings=HoldFocus(layer=layer), layers_um=6.0)
    rig.minutes(20)
    assert rig.error_um == pytest.approx(plane_um, abs=0.7)


def test_the_nearest_layer_is_the_one_that_was_held():
    rig = Rig(0.3, plane=stepped(drift_um_h=12.0))
    rig.minutes(5)
    rig.estimator.layers_um = 3.0
    rig.minutes(30)
    assert abs(rig.error_um) < 1.0


def test_unusable_looks_hold_the_position_and_three_of_them_bring_a_search():
    rig = Rig()
    rig.minutes(3)
    held = rig.microscope.z
    rig.microscope.sample.photons = 0.0
    rig.estimator.answers.extend([FocalPosition(status.BROAD, "broad")] * 20)
    rig.minutes(2)
    assert rig.session.state == "holding" and rig.microscope.z == held
    rig.minutes(1)
    assert [row["decision"] for row in rig.looks].count("search") == 1
    assert rig.session.state == "lost"
    assert rig.microscope.z == pytest.approx(rig.session.last_good_z_um, abs=0.2)
    sweep = [row for row in rig.session.rows if row["kind"] == "sweep"]
    assert len(sweep) > 20 and np.isfinite([row["score"] for row in sweep]).all()


def test_no_search_begins_while_the_image_is_as_sharp_as_when_it_was_locked():
    rig = Rig()
    rig.minutes(3)
    rig.estimator.answers.extend([FocalPosition(status.BROAD, "broad")] * 10)
    rig.minutes(10)
    assert {row["decision"] for row in rig.looks[-10:]} == {"stay"}
    rig.minutes(1)
    assert rig.session.state == "locked"


def test_without_a_focus_metric_there_is_no_search():
    rig = Rig(settings=HoldFocus(focus_metric=""))
    rig.minutes(2)
    rig.microscope.sample.photons = 0.0
    rig.estimator.answers.extend([FocalPosition(status.BROAD, "broad")] * 30)
    rig.minutes(20)
    assert "search" not in [row["decision"] for row in rig.looks]


def test_an_estimate_of_low_certainty_is_ignored():
    rig = Rig()
    rig.minutes(3)
    rig.estimator.answers.append(FocalPosition(status.OK, defocus_um=5.0, deviation_um=0.1, certainty=0.3))
    row = rig.session.settle()
    assert (row["decision"], row["state"]) == ("stay", "holding")
    assert "certainty 0.30 is below 0.5" in row["reason"]


@pytest.mark.parametrize(("common", "least_um"), [(0.0, 0.0), (0.25, 1.0)])
def test_what_looks_have_in_common_is_not_averaged_away(common, least_um):
    look = Measurement(3.0, 4.0)
    track = Track.begin(0.0, look)
    for _ in range(100):
        track = track.updated(look, common)
    assert track.plane_um == pytest.approx(3.0)
    assert track.deviation_um == pytest.approx(max(least_um, 2.0 / np.sqrt(101)))
