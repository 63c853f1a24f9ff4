from __future__ import annotations

import numpy as np
import pytest

from parfocal.focus_control.evaluation import evaluate_hold_focus
from parfocal.focus_control.evaluation.events import EVENTS
from parfocal.focus_control.evaluation.time_lapse import run_time_lapse
from parfocal.focus_control.replay import replay
from parfocal.optics.optics import Optics

pytestmark = pytest.mark.current_python


@pytest.fixture(scope="module")
def day():
    """A day with a frame every two minutes."""
    return run_time_lapse(Optics(numerical_aperture=0.5), interval_s=120.0, seed=3)


def test_focus_is_within_one_um_for_99_percent_of_the_frames_with_light(day):
    assert day.frames["lit"].sum() == 690
    assert day.within(1.0) >= 0.99
    assert day.within(day.optics.depth_of_field_um / 2) >= 0.99


def test_the_focal_plane_went_far_and_no_move_went_outside_the_limits(day):
    assert np.ptp(day.frames["focal_plane_um"]) > 60.0
    assert day.outside() == 0
    assert np.abs(np.diff(day.frames["z_um"][day.frames["lit"]])).max() < 40.0


def test_focus_is_locked_again_within_twenty_minutes_after_each_event(day):
    rows = {row["event"]: row for row in day.recoveries()}
    assert len(rows) == len({event.name for event in EVENTS}) >= 15
    assert max(row["minutes_to_lock"] for row in rows.values()) < 20.0
    assert rows["jump of +30 um"]["largest_error_um"] > 25.0
    assert "holding" in rows["light off"]["states"]


def test_a_day_can_be_replayed(day):
    steps = replay(day.log)
    assert len(steps) > 700 and all(step.same for step in steps)


def test_the_report_has_the_tables_and_the_figure(tmp_path):
    evaluation = evaluate_hold_focus(str(tmp_path / "report"), hours=1.0, interval_s=120.0)
    names = {path.name for path in evaluation.output.iterdir()}
    assert names == {"report.md", "time_lapse.png", *(f"{name}.csv" for name in evaluation.tables)}
    assert list(evaluation.tables["time_lapses"]["moves_outside_limits"]) == [0] * 8
    assert list(evaluation.tables["time_lapses"]["sign"]) == ["known"] * 4 + ["unknown"] * 4
    with pytest.raises(FileExistsError, match="choose another output folder"):
        evaluate_hold_focus(str(tmp_path / "report"))
