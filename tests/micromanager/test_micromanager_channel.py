from __future__ import annotations

import pymmcore
import pytest
from beads_core import load_beads, unload

from parfocal.fiji_bridge.micromanager import FocusChannel, MMCoreMicroscope
from parfocal.focus_control.microscope import CameraError


class Watched(pymmcore.CMMCore):
    """Notes what is set at each snap, and fails where it is told to."""

    def __init__(self):
        super().__init__()
        self.seen, self.fail_snap, self.fail_config = [], False, ""

    def snapImage(self):  # noqa: N802
        self.seen.append(state(self))
        if self.fail_snap:
            raise RuntimeError("the camera is gone")
        super().snapImage()

    def setConfig(self, group, preset):  # noqa: N802
        if preset == self.fail_config:
            raise RuntimeError(f"{preset} is stuck")
        super().setConfig(group, preset)


def state(core):
    names = (core.getCurrentConfig("Channel"), core.getShutterDevice(), core.getProperty("Camera", "Gain"))
    return (*names, core.getExposure(), core.getAutoShutter())


@pytest.fixture
def core():
    core = Watched()
    load_beads(core)
    core.setAutoShutter(False)
    yield core
    unload(core)


BEFORE = ("DAPI", "Lamp", "0", 10.0, False)
CHANNEL = FocusChannel("Channel", "GFP", 5.0, "Other lamp", (("Camera", "Gain", "2"),))
FOCUSING = ("GFP", "Other lamp", "2", 5.0, True)


def test_a_look_is_taken_in_its_channel_and_the_one_of_before_restored(core):
    microscope = MMCoreMicroscope(core, CHANNEL)
    assert microscope.snap().shape == (256, 256)
    assert core.seen == [FOCUSING]
    assert state(core) == BEFORE


def test_the_channel_is_restored_when_the_look_fails(core):
    microscope = MMCoreMicroscope(core, CHANNEL)
    core.fail_snap = True
    with pytest.raises(CameraError, match="the camera is gone"):
        microscope.snap()
    assert core.seen == [FOCUSING]
    assert state(core) == BEFORE


def test_what_was_set_is_undone_when_switching_fails_halfway(core):
    core.fail_config = "GFP"
    with pytest.raises(CameraError, match="GFP is stuck"):
        MMCoreMicroscope(core, CHANNEL).snap()
    assert core.seen == []
    assert state(core) == BEFORE


def test_a_failed_restoration_is_told_and_made_up_for_before_the_next_look(core):
    microscope = MMCoreMicroscope(core, CHANNEL)
    core.fail_config = "DAPI"
    with pytest.raises(CameraError, match="before the look could not be restored: DAPI is stuck"):
        microscope.snap()
    assert state(core) == ("GFP", *BEFORE[1:])
    core.fail_config = ""
    microscope.snap()
    assert state(core) == BEFORE


def test_values_that_are_no_preset_are_restored_too(core):
    core.setProperty("Filter", "State", "7")
    MMCoreMicroscope(core, CHANNEL).snap()
    assert core.getProperty("Filter", "State") == "7"


def test_nothing_is_switched_while_a_sequence_runs(core):
    core.startContinuousSequenceAcquisition(0)
    with pytest.raises(CameraError, match="a sequence runs in another channel than the focusing channel"):
        MMCoreMicroscope(core, CHANNEL).snap()
    assert state(core) == BEFORE
    assert core.isSequenceRunning()
    assert MMCoreMicroscope(core, FocusChannel("Channel", "DAPI", 10.0)).snap().shape == (256, 256)
    core.stopSequenceAcquisition()


@pytest.mark.parametrize(
    ("channel", "message"),
    [
        (FocusChannel("Kanal", "GFP"), "no group 'Kanal': there are Channel"),
        (FocusChannel("Channel", "Cy5"), "no preset of Channel 'Cy5': there are DAPI, GFP"),
        (FocusChannel(preset="GFP"), "group and preset go together, got '' and 'GFP'"),
        (FocusChannel(exposure_ms=0.0), "exposure_ms must be above 0, got 0.0"),
        (FocusChannel(shutter="Sun"), "no device 'Sun': there are Camera, Z"),
        (FocusChannel(properties=(("Lamp", "Power", "3"),)), "no property of Lamp 'Power': there are"),
    ],
)
def test_what_the_core_does_not_have_is_refused_at_the_start(core, channel, message):
    with pytest.raises(ValueError, match=message):
        MMCoreMicroscope(core, channel)
