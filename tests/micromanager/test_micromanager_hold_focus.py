"""The control loop on the real core: demo camera, and devices in Python."""

from __future__ import annotations

import numpy as np
import pymmcore
import pytest
from beads_core import load_beads, unload
from played import learned, load_played

from parfocal.fiji_bridge.micromanager import FocusChannel, MMCoreMicroscope
from parfocal.fiji_bridge.micromanager.devices import CAMERA_FAULTS, STAGE_FAULTS
from parfocal.focal_position.result import FocalPosition
from parfocal.focus_control.autofocus import autofocus
from parfocal.focus_control.log import read_log
from parfocal.focus_control.session import AlreadyHeldError, hold_focus
from parfocal.focus_control.settings import HoldFocus

# The estimator was learned on this very sample: its distances are right far from focus, too.
SETTINGS = {"interval_s": 60.0, "tolerance_um": 1.0, "settle_um": 0.5, "probe_um": 2.0, "scale_error": 0.02}
SETTINGS |= {"least_deviation_um": 0.2, "coarse_step_um": 4.0, "fine_step_um": 1.0, "largest_step_um": 50.0}


class Drifting(MMCoreMicroscope):
    """Its waits take no time, its sample drifts against the stage, and it may add shot noise, which the beads lack."""

    seconds = 0.0
    rng = None

    def sample_um(self):
        """By how much the focal plane lies higher than at the start."""
        return 0.0

    def z_um(self):
        return super().z_um() + self.sample_um()

    def move_to_um(self, z_um):
        super().move_to_um(z_um - self.sample_um())

    def now_s(self):
        return self.seconds

    def wait_s(self, seconds):
        self.seconds += seconds

    def snap(self):
        self.seconds += 0.1
        image = super().snap()
        return image if self.rng is None else self.rng.poisson(image + 10.0).astype(np.uint16)


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


@pytest.fixture
def played(unicore, tmp_path):
    """Session that has locked, on devices in Python; its sample drifts 0.1 um a minute."""
    stage, camera, plane = load_played(unicore)
    microscope = Drifting(unicore, stage_timeout_s=0.05, camera_timeout_s=0.05)
    estimate = learned(microscope)
    microscope.move_to_um(6.0)
    options = {"travel_um": 20.0, "arrival_s": 0.4, "faults_until_lost": 3}
    session = hold_focus(microscope, estimate, HoldFocus(**SETTINGS, **options), tmp_path / "log.csv")
    assert session.settle()["state"] == "locked"

    def minute():
        microscope.wait_s(60.0)
        plane[0] += 0.1
        return session.settle()

    stage.commanded_um.clear()
    yield session, stage, camera, plane, minute
    stage.fault = camera.fault = ""
    session.stop()


def check_recovery(played, tmp_path):
    """Within limits all the time, in focus again when the fault is gone, and all of it in the log."""
    session, stage, camera, plane, minute = played
    stage.fault = camera.fault = ""
    for _ in range(20):
        row = minute()
        if row["state"] == "locked":
            break
    assert row["state"] == "locked"
    assert abs(stage.true_z_um - plane[0]) < 1.5
    low, high = session.limits_um
    assert all(low <= z <= high for z in stage.commanded_um)
    rows = read_log(tmp_path / "log.csv").rows
    assert len(rows) == len(session.rows)
    return rows


SIGNS = {
    "time-out": "not returned",
    "raises": "buffer overflow",
    "black": "out_of_range",
    "saturated": "saturated",
    "other size": "image size changed",
}


@pytest.mark.parametrize("fault", CAMERA_FAULTS)
def test_a_fault_of_the_camera_is_told_and_survived(played, tmp_path, fault):
    session, stage, camera, plane, minute = played
    camera.fault, before = fault, len(session.rows)
    rows = [minute() for _ in range(3)]
    told = [row[name] for row in session.rows[before:] for name in ("status", "fault", "reason")]
    assert SIGNS[fault] in " ".join(told)
    if fault in ("time-out", "raises"):
        assert [row["status"] for row in rows] == [""] * 3
    # Without an image the device at most follows the drift.
    assert abs(stage.true_z_um - plane[0]) < 3.0
    check_recovery(played, tmp_path)


@pytest.mark.parametrize("fault", STAGE_FAULTS)
def test_a_fault_of_the_stage_is_survived(played, tmp_path, fault):
    session, stage, camera, plane, minute = played
    plane[0] += 5.0
    stage.fault = fault
    for _ in range(3):
        minute()
    rows = check_recovery(played, tmp_path)
    assert any(row["fault"] for row in rows)


def test_ten_confident_wrong_estimates_in_a_row_do_not_lose_the_sample(played, tmp_path, monkeypatch):
    session, stage, camera, plane, minute = played
    wrong = iter([FocalPosition("ok", "", (), 9.0, 0.1, 0.99)] * 10)
    right = session._controller._estimate
    monkeypatch.setattr(session._controller, "_estimate", lambda image: next(wrong, None) or right(image))
    for _ in range(10):
        minute()
    check_recovery(played, tmp_path)


def test_an_estimate_that_is_not_a_number_moves_nothing(played, monkeypatch):
    session, stage, camera, plane, minute = played
    monkeypatch.setattr(session._controller, "_estimate", lambda image: FocalPosition("ok", "", (), np.nan, 0.1, 0.9))
    minute()
    assert stage.commanded_um == []


def test_stopping_leaves_the_stage_at_the_last_good_position(played):
    session, stage, camera, plane, minute = played
    good = session.last_good_z_um
    camera.fault = "raises"
    minute()
    stage.true_z_um = good + 5.0
    session.stop()
    assert stage.true_z_um == pytest.approx(good, abs=0.2)


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
