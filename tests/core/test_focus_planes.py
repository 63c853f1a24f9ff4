from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tiny_focal_position import peak, write_told

from parfocal import status
from parfocal.focus_control.metric_estimator import sweep_metric_estimator
from parfocal.focus_control.microscope import CameraError, StageError
from parfocal.focus_control.model_estimator import model_estimator
from parfocal.focus_control.planes import take_stack
from parfocal.focus_control.settings import HoldFocus
from parfocal.focus_control.simulated import SimulatedMicroscope
from parfocal.registry import ModelError

SETTINGS = HoldFocus(search_range_um=16.0, coarse_step_um=2.0, retry_s=0.0, arrival_s=0.0)


@pytest.fixture
def microscope():
    """In focus at 3 um; the device is at 0."""
    return SimulatedMicroscope(focal_plane=lambda time_s: 3.0)


def test_a_sweep_teaches_the_distance_and_ends_in_focus(microscope):
    estimate = sweep_metric_estimator(microscope, SETTINGS)
    assert estimate.focal_plane_um == pytest.approx(3.0, abs=0.3)
    assert microscope.z == pytest.approx(estimate.focal_plane_um)
    microscope.move_to_um(9.0)
    found = estimate(microscope.snap())
    assert found.status == status.SIGN_UNKNOWN
    assert found.candidates[0].defocus_um == pytest.approx(6.0, abs=1.0)


def test_a_sweep_without_a_focal_plane_goes_back(microscope):
    microscope.faults.light = False
    with pytest.raises(ValueError, match="must go through the focal plane"):
        sweep_metric_estimator(microscope, SETTINGS)
    assert microscope.z == 0.0


@pytest.mark.parametrize("end_um", [-4.0, 2.0, 3.0, 3.2])
@pytest.mark.parametrize("side", [1.0, -1.0])
def test_a_sweep_that_ends_before_or_in_the_focal_plane_is_refused_and_goes_back(microscope, end_um, side):
    """The plane at the end is the sharpest or nearly so, and is taken twice, coarsely and finely."""
    microscope.focal_plane = lambda time_s: side * 3.0
    microscope.z = side * -5.0
    ends_um = sorted((side * -20.0, side * end_um))
    settings = HoldFocus(search_range_um=40.0, coarse_step_um=2.0, lowest_z_um=ends_um[0], highest_z_um=ends_um[1])
    with pytest.raises(ValueError, match="must go through the focal plane: .*: begin nearer to focus, or widen"):
        sweep_metric_estimator(microscope, settings)
    assert microscope.z == pytest.approx(side * -5.0)


@pytest.mark.parametrize("setpoint_um", [40.0, 18.0])
def test_a_setpoint_that_the_sweep_does_not_reach_is_refused_and_the_device_is_where_it_was(microscope, setpoint_um):
    """Before anything moves where no focal plane within the sweep could do, else after it."""
    with pytest.raises(ValueError, match="setpoint_um must lie in the range of the estimator"):
        sweep_metric_estimator(microscope, replace(SETTINGS, setpoint_um=setpoint_um, search_range_um=14.0))
    assert microscope.z == 0.0
    assert (microscope.commanded_um == []) is (setpoint_um > 28.0)


def test_a_sweep_stays_within_the_limits(microscope):
    sweep_metric_estimator(
        microscope, HoldFocus(search_range_um=16.0, coarse_step_um=2.0, lowest_z_um=-4.0, highest_z_um=10.0)
    )
    assert -4.0 <= min(microscope.commanded_um) < max(microscope.commanded_um) <= 10.0


@pytest.mark.parametrize(
    ("fault", "error"), [({"camera": "raises"}, RuntimeError), ({"camera": "time-out"}, CameraError)]
)
def test_a_fault_of_the_camera_ends_a_sweep_where_it_began(microscope, fault, error):
    microscope.faults.camera = fault["camera"]
    with pytest.raises(error):
        sweep_metric_estimator(microscope, SETTINGS)
    assert microscope.z == 0.0


def test_a_stack_is_taken_with_its_focal_plane_and_the_device_goes_back(microscope):
    stack = take_stack(microscope, SETTINGS, 10.0, 1.0, "field 1")
    np.testing.assert_allclose(stack.z_um, np.arange(-10.0, 11.0))
    assert stack.stack_zyx.shape == (21, 96, 96)
    assert stack.focal_z_um == pytest.approx(3.0, abs=0.3)
    assert stack.name == "field 1"
    assert microscope.z == 0.0


def test_a_stack_that_the_limits_would_cut_short_is_refused(microscope):
    with pytest.raises(ValueError, match=r"within the limits, \[-5, 5\] um, got 10 um to either side of 0 um"):
        take_stack(microscope, HoldFocus(travel_um=5.0), 10.0, 1.0)
    assert microscope.commanded_um == []


def test_a_stack_beside_the_focal_plane_is_refused(microscope):
    microscope.z = -20.0
    with pytest.raises(ValueError, match="stack must go through the focal plane"):
        take_stack(microscope, SETTINGS, 10.0, 1.0)
    assert microscope.z == -20.0


def test_a_stage_that_does_not_move_ends_a_stack(microscope):
    microscope.faults.stage = "does not move"
    with pytest.raises(StageError, match="-10.00 um was not reached: did not move"):
        take_stack(microscope, SETTINGS, 10.0, 1.0)


def test_a_model_that_is_not_there_is_told_before_anything_moves():
    with pytest.raises(ModelError, match="no model 'nothing' for focal_position"):
        model_estimator(model="nothing")


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"modality": "confocal"}, "answer for no image: the model is for widefield fluorescence, not for confocal"),
        ({"numerical_aperture": 1.3, "immersion_index": 1.515}, "air objectives of NA 0.3 to 0.75, this one has 1.3"),
        ({"pixel_size_um": 20.0}, "answer for no image: "),
        ({"pixel_size_um": None}, "pixel_size_um, numerical_aperture and emission_wavelength_um must all be given"),
    ],
)
def test_a_model_that_would_refuse_every_image_is_told_before_anything_moves(tmp_path, told, message):
    optics = {"pixel_size_um": 0.65, "numerical_aperture": 0.5, "emission_wavelength_um": 0.5}
    model = write_told(tmp_path / "model", peak(0.0))
    assert model_estimator(model=model, **optics).range_um[0] < -10.0
    with pytest.raises(ValueError, match=message):
        model_estimator(model=model, **{**optics, **told})


def test_without_a_focus_metric_there_is_no_sweep(microscope):
    with pytest.raises(ValueError, match="focus_metric must be one of"):
        sweep_metric_estimator(microscope, replace(SETTINGS, focus_metric=""))
    assert microscope.commanded_um == []


def test_arguments_that_no_estimate_takes_are_refused():
    with pytest.raises(TypeError, match="arguments must be among pixel_size_um, .* got NA"):
        model_estimator(NA=0.5)
