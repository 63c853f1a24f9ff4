"""Faults of devices in Python and of the estimator, one by one, on the real core."""

from __future__ import annotations

import numpy as np
import pytest
from held import SETTINGS, Drifting
from played import learned, load_played

from parfocal.fiji_bridge.micromanager.devices import CAMERA_FAULTS, STAGE_FAULTS
from parfocal.focal_position.result import FocalPosition
from parfocal.focus_control.log import read_log
from parfocal.focus_control.session import hold_focus
from parfocal.focus_control.settings import HoldFocus


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
