from __future__ import annotations

import numpy as np
import pytest

from parfocal.focus_control.settings import HoldFocus
from parfocal.focus_control.simulated import SimulatedMicroscope
from parfocal.focus_control.stage import StageGuard

LIMITS = (-20.0, 30.0)


def guarded(fault="", z_um=0.0, **settings):
    microscope = SimulatedMicroscope(z=z_um)
    microscope.faults.stage = fault
    return microscope, StageGuard(microscope, HoldFocus(**settings), LIMITS)


def test_a_step_is_bounded_and_a_journey_takes_several():
    microscope, guard = guarded(largest_step_um=4.0)
    assert guard.step_to(25.0).z_um == 4.0
    assert guard.travel_to(25.0).z_um == 25.0
    assert np.abs(np.diff([0.0, *microscope.commanded_um])).max() <= 4.0


@pytest.mark.parametrize("approach", ["up", "down"])
@pytest.mark.parametrize("fault", ["", "moves by half", "overshoots"])
def test_no_request_leads_outside_the_limits_with_play_taken_up(approach, fault):
    microscope, guard = guarded(fault, backlash_um=3.0, approach=approach, largest_step_um=60.0)
    for target in np.random.default_rng(4).uniform(-60, 60, 40):
        move = guard.step_to(float(target))
        assert move.limited == (not LIMITS[0] <= target <= LIMITS[1])
    assert min(microscope.commanded_um) >= LIMITS[0] and max(microscope.commanded_um) <= LIMITS[1]


@pytest.mark.parametrize(("approach", "way"), [("up", [-3.0, -1.0]), ("down", [-1.0])])
def test_play_is_taken_up_from_the_chosen_side(approach, way):
    microscope, guard = guarded(backlash_um=2.0, approach=approach)
    guard.step_to(-1.0)
    assert microscope.commanded_um == way


@pytest.mark.parametrize(
    ("fault", "reached", "told"),
    [
        ("does not move", False, "did not move"),
        ("moves by half", True, "fell short: 0.50 of the way"),
        ("overshoots", True, "went too far: 1.40 of the way"),
        ("reports late", True, "reported late: 0.00 um before 2.00 um"),
        ("busy", False, "time-out: the focus device is busy"),
        ("raises", False, "RuntimeError: serial port: no answer"),
    ],
)
def test_each_fault_is_named_and_tries_are_bounded(fault, reached, told):
    microscope, guard = guarded(fault, stage_retries=3)
    move = guard.step_to(2.0)
    assert move.reached is reached and told in move.fault
    assert move.z_um == microscope.z
    assert len(microscope.commanded_um) == move.tries <= 4
    if reached:
        assert move.z_um == pytest.approx(2.0, abs=0.2)


def test_an_unreadable_position_moves_nothing():
    microscope, guard = guarded("unreadable")
    move = guard.step_to(2.0)
    assert np.isnan(move.z_um) and not move.reached and microscope.commanded_um == []
    assert "position unreadable" in move.fault
