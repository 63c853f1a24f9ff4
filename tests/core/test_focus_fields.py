from __future__ import annotations

import numpy as np
import pytest

from parfocal.focus_control.autofocus import autofocus
from parfocal.focus_control.fields import measure_focus_surface, take_fields
from parfocal.focus_control.microscope import CameraError, StageError
from parfocal.focus_control.settings import HoldFocus
from parfocal.focus_control.simulated import SimulatedMicroscope

SETTINGS = HoldFocus(retry_s=0.0, arrival_s=0.0)
START = (100.0, -50.0)


class Stage:
    """XY stage in memory; fails where it is told to."""

    def __init__(self, field_um=None):
        self.at, self.visited, self.stuck, self.field = START, [], (), field_um

    def xy_um(self):
        return self.at

    def move_to_um(self, x_um, y_um):
        self.visited.append((x_um, y_um))
        if (x_um, y_um) in self.stuck:
            raise StageError("time-out: the XY stage is busy")
        self.at = (x_um, y_um)

    def field_um(self):
        return self.field


@pytest.fixture
def rig():
    """Microscope over a sample that is tilted: the focal plane rises by 0.02 um a um in x; and its XY stage."""
    stage = Stage()
    plane = lambda time_s: 2.0 + 0.02 * (stage.at[0] - START[0]) - 0.01 * (stage.at[1] - START[1])  # noqa: E731
    return SimulatedMicroscope(focal_plane=plane), stage


def test_each_field_has_its_stack_and_both_stages_go_back(rig):
    microscope, stage = rig
    told = []
    stacks = take_fields(microscope, stage, SETTINGS, 10.0, 1.0, [(200.0, 0.0), (0.0, 300.0)], told.append)
    assert [stack.name for stack in stacks] == ["field 1", "field 2", "field 3"]
    np.testing.assert_allclose([stack.focal_z_um for stack in stacks], [2.0, 6.0, -1.0], atol=0.3)
    assert stage.visited == [(300.0, -50.0), (100.0, 250.0), START]
    assert microscope.z == 0.0
    assert told[1].startswith("field 2: 21 planes, focal plane at ")


def test_a_further_field_without_a_focal_plane_is_left_out_and_told(rig):
    microscope, stage = rig
    told = []
    stacks = take_fields(microscope, stage, SETTINGS, 10.0, 1.0, [(900.0, 0.0), (0.0, 300.0)], told.append)
    assert [stack.name for stack in stacks] == ["field 1", "field 3"]
    assert "field 2 is left out: field 2 must go through the focal plane" in told[1]
    assert stage.at == START


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (lambda microscope: setattr(microscope.faults, "camera", "time-out"), CameraError),
        (lambda microscope: setattr(microscope.faults, "stage", "does not move"), StageError),
        (lambda microscope: setattr(microscope, "snap", _interrupted), KeyboardInterrupt),
    ],
)
def test_whatever_happens_at_a_further_field_the_stage_goes_back(rig, fault, error):
    microscope, stage = rig
    with pytest.raises(error):
        take_fields(microscope, stage, SETTINGS, 10.0, 1.0, [(200.0, 0.0)], lambda line: fault(microscope))
    assert stage.visited == [(300.0, -50.0), START]


def _interrupted():
    raise KeyboardInterrupt


def test_a_field_that_is_not_reached_is_an_error_after_a_few_tries_and_the_stage_goes_back(rig):
    microscope, stage = rig
    stage.stuck = ((300.0, -50.0),)
    with pytest.raises(StageError, match="the XY stage did not reach 300, -50 um: time-out"):
        take_fields(microscope, stage, SETTINGS, 10.0, 1.0, [(200.0, 0.0)])
    assert stage.visited == [(300.0, -50.0)] * 3 + [START]


@pytest.mark.parametrize(
    ("field_um", "offsets", "message"),
    [
        (None, [(0.0, 0.0)], "does not overlap with the one at 0, 0 um: 10 um away in x or 10 um in y, got 0, 0"),
        ((330.0, 220.0), [(-329.0, 100.0)], "330 um away in x or 220 um in y, got -329, 100"),
        ((330.0, 220.0), [(400.0, 0.0), (400.0, 219.0)], "the one at 400, 0 um"),
        (None, [(float("nan"), 0.0)], "must be two finite numbers, got nan, 0"),
    ],
)
def test_offsets_that_do_not_lead_to_another_field_are_refused_before_anything_moves(rig, field_um, offsets, message):
    microscope, stage = rig
    stage.field = field_um
    with pytest.raises(ValueError, match=message):
        take_fields(microscope, stage, SETTINGS, 10.0, 1.0, offsets)
    assert stage.visited == [] and microscope.commanded_um == []


def test_a_surface_is_measured_at_positions_and_both_stages_go_back(rig):
    microscope, stage = rig
    positions = [(0.0, 0.0), (400.0, 0.0), (0.0, 400.0), (400.0, 400.0)]
    surface = measure_focus_surface(microscope, stage, positions, lambda: autofocus(microscope))
    at = surface.predict(200.0, 100.0)
    assert at.z_um == pytest.approx(2.0 + 0.02 * 100.0 - 0.01 * 150.0, abs=0.3)
    assert not at.extrapolated
    assert (stage.at, microscope.z) == (START, 0.0)


def test_positions_without_a_focal_plane_do_not_make_a_surface(rig):
    microscope, stage = rig
    microscope.faults.light = False
    with pytest.raises(ValueError, match="a surface needs 3 focal planes, found 0 at 4 positions"):
        measure_focus_surface(microscope, stage, [(0, 0), (9, 0), (0, 9), (9, 9)], lambda: autofocus(microscope))
    assert (stage.at, microscope.z) == (START, 0.0)
