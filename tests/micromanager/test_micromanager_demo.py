"""The demonstration by the model that ships, on a real core, in time that passes only by waiting and exposing."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from parfocal.cli import main
from parfocal.fiji_bridge.micromanager import devices, microscope, start
from parfocal.focus_control.log import read_log
from parfocal.focus_control.replay import replay

START_UM, DRIFT_UM_H, TOLERANCE_UM = 12.0, 60.0, 0.5


class Clock:
    """Stands for the module `time`."""

    seconds = 0.0

    def monotonic(self):
        return self.seconds

    def sleep(self, seconds):
        self.seconds += seconds


@pytest.fixture
def demonstrated(monkeypatch, tmp_path):
    """Run the demonstration: its log, and the true distance from the focal plane of each locked look."""

    def run(*arguments, seed=0, drift_um_h=DRIFT_UM_H):
        clock = Clock()
        monkeypatch.setattr(devices, "time", clock)
        monkeypatch.setattr(microscope, "time", clock)
        core = functools.partial(demo_core, seed=seed, drift_um_h=drift_um_h, start_um=START_UM)
        monkeypatch.setattr(start, "demo_core", core)
        path = tmp_path / "log.csv"
        assert main(["hold-focus", "--demo", "--log", str(path), *arguments]) == 0
        log = read_log(path)
        locked = [row for row in log.rows if row["state"] == "locked"]
        plane_um = lambda row: START_UM + drift_um_h * row["time_s"] / 3600.0  # noqa: E731
        return log, np.array([row["z_before_um"] - plane_um(row) for row in locked])

    demo_core = start.demo_core
    return run


@pytest.mark.parametrize(("seed", "drift_um_h"), [(0, DRIFT_UM_H), (1, -DRIFT_UM_H)])
def test_the_model_that_ships_holds_the_demonstration_within_the_tolerance(demonstrated, seed, drift_um_h):
    log, errors_um = demonstrated("--duration", "250", "--interval-s", "2", seed=seed, drift_um_h=drift_um_h)
    assert log.settings.tolerance_um == pytest.approx(TOLERANCE_UM)
    assert len(errors_um) > 100
    assert np.abs(errors_um).max() < TOLERANCE_UM
    looks = [row for row in log.rows if row["kind"] == "look"]
    trims = [row["time_s"] for row in looks if row["reason"].startswith("trimmed: ")]
    # They come ever more rarely, once the drift is known.
    assert 4 <= len(trims) <= 8 and np.diff(trims)[-1] > 40.0
    assert looks[-1]["drift_um_h"] == pytest.approx(drift_um_h, abs=6.0)
    assert all(step.same for step in replay(log))


def test_without_trims_the_model_holds_the_demonstration_only_within_a_depth_of_field(demonstrated):
    _, errors_um = demonstrated("--duration", "100", "--interval-s", "2", "--trim-um", "0")
    assert 1.0 < np.abs(errors_um).max() < 3.0


def test_a_setpoint_below_the_focal_plane_is_held_though_the_model_says_too_little_there(demonstrated):
    _, errors_um = demonstrated("--duration", "100", "--interval-s", "2", "--setpoint-um", "-3")
    assert len(errors_um) > 40
    # With this aberration the sharpest plane lies 0.3 um below that in which points are most concentrated.
    assert np.abs(errors_um + 3.3).max() < TOLERANCE_UM
