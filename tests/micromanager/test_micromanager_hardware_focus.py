"""The control loop on the offset of a hardware autofocus: that of Micro-Manager's demo, before a camera in Python."""

from __future__ import annotations

import pytest
from beads_core import ADAPTERS
from held import Patient
from played import STACK, STEP_UM, learned

from parfocal.fiji_bridge.micromanager import PlayedStage, SampleCamera, StackSample
from parfocal.focus_control.autofocus import autofocus
from parfocal.focus_control.log import read_log
from parfocal.focus_control.metric_estimator import sweep_metric_estimator
from parfocal.focus_control.planes import take_stack
from parfocal.focus_control.session import hold_focus
from parfocal.focus_control.settings import HoldFocus

UM_PER_UNIT = 0.025
SETTINGS = {"tolerance_um": 1.0, "settle_um": 0.5, "probe_um": 2.0, "scale_error": 0.02, "least_deviation_um": 0.2}
SETTINGS |= {"search_range_um": 20.0, "coarse_step_um": 4.0, "fine_step_um": 1.0, "largest_step_um": 50.0}


class Above:
    """Where the objective is above a reference surface that a continuous focus follows: at its offset."""

    def __init__(self, core):
        self._core = core

    @property
    def true_z_um(self):
        return self._core.getAutoFocusOffset() * UM_PER_UNIT


class Noting(Patient):
    """Notes the offsets that it was told to go to."""

    def move_to_um(self, z_um):
        self.offsets_um.append(z_um)
        super().move_to_um(z_um)


@pytest.fixture
def followed(unicore):
    """Core whose continuous focus is on, its microscope, and the distance of the focal plane from the surface."""
    unicore.setDeviceAdapterSearchPaths([ADAPTERS])
    unicore.loadDevice("Autofocus", "DemoCamera", "DAutoFocus")
    plane = [0.0]
    sample = StackSample(STACK, STEP_UM, 2.0, len(STACK) // 2)
    camera = SampleCamera(sample, Above(unicore), lambda seconds: plane[0], electrons_per_unit=20000.0, exposure_ms=1.0)
    for label, device in (("Z", PlayedStage(7.0)), ("Camera", camera)):
        unicore.loadPyDevice(label, device)
    unicore.initializeAllDevices()
    unicore.setFocusDevice("Z")
    unicore.setCameraDevice("Camera")
    unicore.setAutoFocusDevice("Autofocus")
    unicore.enableContinuousFocus(True)
    microscope = Noting(unicore, um_per_offset_unit=UM_PER_UNIT)
    microscope.offsets_um = []
    return unicore, microscope, plane


def offset_um(core):
    return core.getAutoFocusOffset() * UM_PER_UNIT


def test_the_offset_follows_the_sample_and_the_stage_is_left_alone(followed, tmp_path):
    core, microscope, plane = followed
    estimate = learned(microscope)
    microscope.move_to_um(-6.0)
    session = hold_focus(microscope, estimate, HoldFocus(**SETTINGS), tmp_path / "log.csv")
    errors = []
    for minute in range(20):
        assert session.settle()["state"] == "locked"
        errors.append(abs(offset_um(core) - plane[0]))
        microscope.wait_s(60.0)
        plane[0] += 0.15 + 5.0 * (minute == 10)
    session.stop()
    assert max(errors) < 1.0
    assert plane[0] > 7.0
    assert core.getPosition() == 7.0
    assert core.isContinuousFocusEnabled()
    assert read_log(tmp_path / "log.csv").by_offset


def test_no_offset_outside_its_limits_is_set_and_those_of_the_stage_do_not_count(followed):
    core, microscope, plane = followed
    estimate = learned(microscope)
    microscope.move_to_um(0.0)
    microscope.offsets_um.clear()
    # The stage, at 7 um, is far from the limits of the offset, and the offset from those of the stage.
    settings = HoldFocus(
        **SETTINGS, lowest_offset_um=-2.0, highest_offset_um=6.0, lowest_z_um=5.0, highest_z_um=9.0, focus_metric=""
    )
    session = hold_focus(microscope, estimate, settings)
    for _ in range(20):
        row = session.settle()
        microscope.wait_s(60.0)
        plane[0] += 0.6
    session.stop()
    assert session.limits_um == (-2.0, 6.0)
    assert max(microscope.offsets_um) > 5.0
    assert all(-2.0 <= offset <= 6.0 for offset in microscope.offsets_um)
    assert row["state"] != "locked"
    assert core.getPosition() == 7.0


def test_an_offset_outside_its_limits_to_begin_with_is_refused(followed):
    core, microscope, plane = followed
    microscope.move_to_um(3.0)
    with pytest.raises(ValueError, match="the offset of the hardware autofocus must be within lowest_offset_um=-inf"):
        hold_focus(microscope, lambda image: None, HoldFocus(highest_offset_um=2.0))


@pytest.mark.parametrize("method", ["sweep", "estimate"])
def test_one_shot_autofocus_and_the_sweep_that_teaches_move_the_offset(followed, method):
    core, microscope, plane = followed
    plane[0] = 4.0
    estimate = sweep_metric_estimator(microscope, HoldFocus(**SETTINGS))
    microscope.move_to_um(-3.0)
    found = autofocus(microscope, estimate, method, tolerance_um=1.0, range_um=15.0, coarse_step_um=3.0)
    assert found.found, found.reason
    assert offset_um(core) == pytest.approx(4.0, abs=1.0)
    assert core.getPosition() == 7.0


def test_a_stack_of_offsets_goes_back_to_the_offset_of_before(followed):
    core, microscope, plane = followed
    stack = take_stack(microscope, HoldFocus(**SETTINGS), 12.0, 2.0)
    assert stack.focal_z_um == pytest.approx(0.0, abs=1.0)
    assert offset_um(core) == pytest.approx(0.0, abs=0.01)
    assert core.getPosition() == 7.0


def test_switching_it_off_moves_nothing_until_it_is_on_again(followed):
    core, microscope, plane = followed
    estimate = learned(microscope)
    microscope.move_to_um(0.0)
    session = hold_focus(microscope, estimate, HoldFocus(**SETTINGS))
    assert session.settle()["state"] == "locked"
    core.enableContinuousFocus(False)
    plane[0] += 5.0
    held = offset_um(core)
    for _ in range(6):
        microscope.wait_s(60.0)
        row = session.settle()
    assert row["state"] == "lost"
    assert "continuous focus was on at the start and is off now" in row["fault"]
    assert (offset_um(core), core.getPosition()) == (held, 7.0)
    core.enableContinuousFocus(True)
    microscope.wait_s(60.0)
    for _ in range(3):
        row = session.settle()
    assert row["state"] == "locked"
    assert offset_um(core) == pytest.approx(plane[0], abs=1.0)
    session.stop()
