from __future__ import annotations

import pymmcore
import pytest
from beads_core import load_beads, unload

from parfocal.fiji_bridge.micromanager import MMCoreMicroscope
from parfocal.focus_control.microscope import StageError


class Unlocked(pymmcore.CMMCore):
    locked, reach = True, 1000.0

    def isContinuousFocusLocked(self):  # noqa: N802
        return super().isContinuousFocusLocked() and self.locked and abs(self.getAutoFocusOffset()) < self.reach


@pytest.fixture
def core():
    """Core with a continuous focus that is on and locked."""
    core = Unlocked()
    load_beads(core)
    core.setAutoFocusDevice("Autofocus")
    core.setPosition(7.0)
    core.enableContinuousFocus(True)
    yield core
    unload(core)


def test_the_offset_is_moved_and_the_stage_left_alone(core):
    microscope = MMCoreMicroscope(core, um_per_offset_unit=0.025)
    microscope.move_to_um(2.0)
    assert core.getAutoFocusOffset() == pytest.approx(80.0)
    assert microscope.z_um() == pytest.approx(2.0)
    assert core.getPosition() == 7.0
    assert core.isContinuousFocusEnabled()


def test_focus_that_is_on_but_not_locked_is_an_error_with_its_reason(core):
    core.locked = False
    microscope = MMCoreMicroscope(core)
    for act in (microscope.z_um, lambda: microscope.move_to_um(1.0)):
        with pytest.raises(StageError, match=r"continuous focus \(Autofocus\) is on but not locked"):
            act()
    assert (core.getAutoFocusOffset(), core.getPosition()) == (0.0, 7.0)


def test_an_offset_at_which_the_lock_is_lost_is_taken_back(core):
    microscope = MMCoreMicroscope(core, stage_timeout_s=0.05)
    microscope.move_to_um(4.0)
    core.reach = 20.0
    with pytest.raises(StageError, match="has not locked again within 0.05 s: the offset of before, 4, was restored"):
        microscope.move_to_um(30.0)
    assert core.getAutoFocusOffset() == microscope.z_um() == 4.0
    assert core.getPosition() == 7.0


def test_switching_continuous_focus_in_mid_run_is_an_error_since_positions_change_their_meaning(core):
    microscope = MMCoreMicroscope(core)
    microscope.z_um()
    core.enableContinuousFocus(False)
    with pytest.raises(StageError, match="continuous focus was on at the start and is off now"):
        microscope.move_to_um(1.0)
    assert core.getPosition() == 7.0


def test_continuous_focus_that_is_off_leaves_the_stage_in_charge(core):
    core.enableContinuousFocus(False)
    microscope = MMCoreMicroscope(core)
    microscope.move_to_um(1.0)
    assert (core.getPosition(), core.getAutoFocusOffset()) == (1.0, 0.0)
