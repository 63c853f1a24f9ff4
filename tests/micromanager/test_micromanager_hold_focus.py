"""The control loop on the real core: demo camera, and devices in Python."""

from __future__ import annotations

import numpy as np
import pymmcore
import pytest
from beads_core import load_beads, unload
from held import SETTINGS, Drifting
from played import learned, load_played

from parfocal.fiji_bridge.micromanager import FocusChannel, MMCoreMicroscope
from parfocal.focus_control.autofocus import autofocus
from parfocal.focus_control.session import AlreadyHeldError, hold_focus
from parfocal.focus_control.settings import HoldFocus


@pytest.fixture(scope="module")
def beads():
    """Microscope on the demo camera with shot noise, and an estimator learned from one sweep."""
    core = pymmcore.CMMCore()
    load_beads(core)
    core.setProperty("Camera", "PixelType", "16bit")
    core.setProperty("Camera", "BeadBrightness", "8")
    microscope = Drifting(core)
    microscope.rng = np.random.default_rng(7)
    estimate = learned(microscope, np.r_[-48.0:-12:4, -12.0:12:2, 12.0:49:4])
    yield core, microscope, estimate
    unload(core)


@pytest.mark.parametrize("start_um", [-40.0, 40.0])
def test_focus_is_locked_from_afar_on_either_side(beads, start_um):
    core, microscope, estimate = beads
    core.setPosition(start_um)
    session = hold_focus(microscope, estimate, HoldFocus(**SETTINGS))
    row = session.settle()
    session.stop()
    assert row["state"] == "locked"
    assert abs(core.getPosition()) < 1.0
    assert "probe" in {row["decision"] for row in session.rows}


def test_focus_is_held_against_drift_and_jumps(beads, monkeypatch):
    core, microscope, estimate = beads
    core.setPosition(0.0)
    begun = microscope.now_s()

    def sample_um():
        minutes = (microscope.now_s() - begun) / 60
        return 0.2 * minutes + 8.0 * (minutes > 10) - 12.0 * (minutes > 20)

    monkeypatch.setattr(microscope, "sample_um", sample_um)
    session = hold_focus(microscope, estimate, HoldFocus(**SETTINGS))
    errors = []
    for _ in range(30):
        assert session.settle()["state"] == "locked"
        errors.append(abs(core.getPosition()))
        microscope.wait_s(60.0)
    session.stop()
    # Of the images that were taken next, by then the sample has drifted 0.2 um farther.
    assert max(errors) < 1.0
    assert {row["decision"] for row in session.rows} >= {"stay", "probe", "correct"}


def test_two_sessions_on_one_core_are_refused_whatever_wraps_it(beads):
    core, microscope, estimate = beads
    core.setPosition(0.0)
    session = hold_focus(microscope, estimate, HoldFocus(**SETTINGS))
    with pytest.raises(AlreadyHeldError, match="another session holds the focus of this microscope"):
        hold_focus(MMCoreMicroscope(core), estimate)
    session.stop()
    hold_focus(MMCoreMicroscope(core), estimate).stop()


def test_every_look_of_a_session_is_taken_in_the_focusing_channel(beads):
    core, _, estimate = beads
    core.setPosition(2.0)
    microscope = Drifting(core, FocusChannel("Channel", "GFP"))
    session = hold_focus(microscope, estimate, HoldFocus(**SETTINGS))
    seen = []
    snap = microscope._api.call
    microscope._api.call = lambda name, *rest: (
        seen.append(core.getCurrentConfig("Channel")) if name == "snapImage" else None,
        snap(name, *rest),
    )[1]
    session.settle()
    session.stop()
    assert len(seen) >= 2
    assert set(seen) == {"GFP"}
    assert core.getCurrentConfig("Channel") == "DAPI"


@pytest.mark.parametrize("method", ["sweep", "estimate"])
def test_one_shot_autofocus_finds_the_focal_plane(beads, method):
    core, microscope, estimate = beads
    core.setPosition(14.0)
    result = autofocus(microscope, estimate, method, range_um=30.0, coarse_step_um=4.0, tolerance_um=1.0)
    assert result.found, result.reason
    assert abs(core.getPosition()) < 1.0
    assert core.getPosition() == result.z_um


def test_one_shot_autofocus_on_an_empty_field_restores_z(beads):
    core, microscope, _ = beads
    core.setPosition(14.0)
    core.setProperty("Camera", "Mode", "Noise")
    result = autofocus(microscope, range_um=10.0)
    core.setProperty("Camera", "Mode", "Fluorescent Beads")
    assert not result.found
    assert core.getPosition() == 14.0


@pytest.mark.parametrize("backlash_um", [4.0, 0.0])
def test_play_shifts_a_sweep_unless_it_is_taken_up_from_one_side(unicore, backlash_um):
    stage, _, plane = load_played(unicore, play_um=3.0)
    plane[0] = 2.0
    result = autofocus(MMCoreMicroscope(unicore), range_um=10.0, backlash_um=backlash_um)
    assert result.found, result.reason
    assert (abs(stage.true_z_um - plane[0]) < 0.5) is (backlash_um > 0)


def test_every_move_of_a_session_ends_from_the_side_of_its_approach(unicore):
    stage, _, plane = load_played(unicore, play_um=3.0)
    microscope = Drifting(unicore)
    estimate = learned(microscope)
    microscope.move_to_um(8.0)
    settings = HoldFocus(**SETTINGS, backlash_um=4.0)
    session = hold_focus(microscope, estimate, settings)
    stage.commanded_um[:] = [8.0]
    for minute in range(12):
        assert session.settle()["state"] == "locked"
        microscope.wait_s(60.0)
        plane[0] += 3.0 if minute % 3 == 0 else -1.5
    session.stop()
    rises = np.diff(stage.commanded_um) > 0
    assert not rises.all()
    # Each fall leads past the target, and a rise to it follows.
    assert rises[-1] and rises[1:][~rises[:-1]].all()
    assert stage.true_z_um == microscope.z_um()


def test_a_running_sequence_of_the_demo_camera_holds_the_focus_and_keeps_all_its_frames(beads):
    core, microscope, estimate = beads
    core.setPosition(-12.0)
    core.setExposure(5.0)
    core.startContinuousSequenceAcquisition(0)
    session = hold_focus(microscope, estimate, HoldFocus(**SETTINGS))
    row = session.settle()
    session.stop()
    assert core.isSequenceRunning()
    core.stopSequenceAcquisition()
    core.setExposure(10.0)
    assert row["state"] == "locked"
    assert abs(core.getPosition()) < 1.0
    numbers = []
    while core.getRemainingImageCount():
        about = pymmcore.Metadata()
        core.popNextImageMD(about)
        numbers.append(int(about.GetSingleTag("ImageNumber").GetValue()))
    assert numbers == list(range(len(numbers)))
    assert len(numbers) > 6


def test_a_running_sequence_goes_on_while_its_frames_hold_the_focus(unicore):
    stage, camera, plane = load_played(unicore)
    microscope = Drifting(unicore)
    estimate = learned(microscope)
    microscope.move_to_um(-8.0)
    unicore.startContinuousSequenceAcquisition(0)
    session = hold_focus(microscope, estimate, HoldFocus(**SETTINGS))
    row = session.settle()
    session.stop()
    assert unicore.isSequenceRunning()
    unicore.stopSequenceAcquisition()
    assert row["state"] == "locked"
    assert abs(stage.true_z_um) < 1.0
