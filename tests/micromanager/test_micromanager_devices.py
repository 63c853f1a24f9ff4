from __future__ import annotations

import time

import numpy as np
import pytest
from played import STACK, load_played

from parfocal.fiji_bridge.micromanager import MMCoreMicroscope, StackSample
from parfocal.fiji_bridge.micromanager.devices import CAMERA_FAULTS, STAGE_FAULTS
from parfocal.focus_control.microscope import CameraError, StageError


@pytest.fixture
def played(unicore):
    stage, camera, plane = load_played(unicore)
    microscope = MMCoreMicroscope(unicore, stage_timeout_s=0.1, camera_timeout_s=0.1)
    yield unicore, microscope, stage, camera, plane
    stage.fault = camera.fault = ""


def test_planes_of_the_stack_are_shown_at_their_distance_from_focus():
    sample = StackSample(STACK, 1.0, 2.0, 30.0)
    np.testing.assert_array_equal(sample(0.0), STACK[30].astype(np.float32))
    np.testing.assert_array_equal(sample(-4.0), STACK[26].astype(np.float32))
    np.testing.assert_allclose(sample(0.25), 0.75 * STACK[30] + 0.25 * STACK[31], rtol=1e-5)
    np.testing.assert_array_equal(sample(99.0), STACK[-1].astype(np.float32))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((STACK, 2.5, 2.0, 30.0), "at most the depth of field, 2 um, .* got 2.5"),
        ((STACK, 0.0, 2.0, 30.0), "z_step_um must be above 0"),
        ((STACK[0], 1.0, 2.0, 0.0), r"must be \(z, y, x\), got shape \(80, 80\)"),
        ((STACK, 1.0, 2.0, 61.0), r"focal_plane_index must be in \[0, 60\], got 61"),
    ],
)
def test_stacks_that_cannot_be_interpolated_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        StackSample(*arguments)


def test_the_camera_shows_the_sample_at_the_stage_with_photon_noise(played):
    core, microscope, stage, camera, plane = played
    plane[0] = 3.0
    microscope.move_to_um(7.0)
    images = np.stack([microscope.snap().astype(float) - 100 for _ in range(30)])
    assert camera.last_defocus_um == 4.0
    expected = 2000.0 * STACK[34]
    np.testing.assert_allclose(images.mean(axis=0), expected, atol=5 * np.sqrt(expected.max() / 30))
    # Photon noise and that of reading, of a count with its rounding.
    assert images.var(axis=0, ddof=1).mean() == pytest.approx(expected.mean() + 1.5**2 + 1 / 12, rel=0.03)


def test_light_goes_with_the_exposure(played):
    core, microscope, *_ = played
    dim = microscope.snap().astype(float).mean() - 100
    core.setExposure(4.0)
    assert microscope.snap().astype(float).mean() - 100 == pytest.approx(4 * dim, rel=0.03)


@pytest.mark.parametrize(
    ("fault", "end"), [("", 10.0), ("does not move", 0.0), ("moves by half", 5.0), ("overshoots", 14.0)]
)
def test_a_stage_ends_where_its_fault_puts_it(played, fault, end):
    core, microscope, stage, *_ = played
    core.setProperty("Z", "Fault", fault)
    microscope.move_to_um(10.0)
    assert microscope.z_um() == stage.true_z_um == end


def test_a_stage_that_reports_late_tells_the_position_of_before_for_a_while(played):
    core, microscope, stage, *_ = played
    stage.fault = "reports late"
    microscope.move_to_um(10.0)
    assert (microscope.z_um(), stage.true_z_um) == (0.0, 10.0)
    time.sleep(0.35)
    assert microscope.z_um() == 10.0


@pytest.mark.parametrize(
    ("fault", "message"),
    [("busy", "Z is still busy after 0.1 s"), ("raises", "no answer from the controller of the stage")],
)
def test_a_stage_that_fails_is_a_stage_error(played, fault, message):
    core, microscope, stage, *_ = played
    stage.fault = fault
    with pytest.raises(StageError, match=message):
        microscope.move_to_um(10.0)
    assert stage.true_z_um == 0.0


def test_a_position_that_cannot_be_read_is_a_stage_error(played):
    core, microscope, stage, *_ = played
    stage.fault = "unreadable"
    with pytest.raises(StageError, match="the position cannot be read"):
        microscope.z_um()


def test_a_camera_that_hangs_is_a_time_out_and_the_stage_can_still_be_moved(played):
    core, microscope, stage, camera, _ = played
    camera.fault = "time-out"
    with pytest.raises(CameraError, match="a look through Camera has not returned within 0.2"):
        microscope.snap()
    with pytest.raises(CameraError, match="a look through Camera, asked for before, has still not returned"):
        microscope.snap()
    microscope.move_to_um(5.0)
    assert stage.true_z_um == 5.0
    camera.fault = ""
    assert microscope.snap().shape == (80, 80)


def test_a_camera_that_raises_is_a_camera_error(played):
    core, microscope, stage, camera, _ = played
    camera.fault = "raises"
    with pytest.raises(CameraError, match="buffer overflow in the camera"):
        microscope.snap()


def test_images_of_a_faulty_camera_are_handed_on_as_they_are(played):
    core, microscope, stage, camera, _ = played
    camera.fault = "black"
    assert microscope.snap().max() < 110
    camera.fault = "saturated"
    assert microscope.snap().min() == 65535
    camera.fault = "other size"
    assert microscope.snap().shape == (40, 80)


def test_every_fault_can_be_switched_on_by_its_property_and_no_other(played):
    core, _, stage, camera, _ = played
    for label, device, faults in (("Z", stage, STAGE_FAULTS), ("Camera", camera, CAMERA_FAULTS)):
        for fault in (*faults, ""):
            core.setProperty(label, "Fault", fault)
            assert device.fault == core.getProperty(label, "Fault") == fault
        with pytest.raises(ValueError, match="fault must be empty or one of"):
            device.fault = "tired"


def test_a_sequence_of_a_camera_in_python_is_looked_at_and_goes_on(played):
    core, *_ = played
    microscope = MMCoreMicroscope(core)
    core.startContinuousSequenceAcquisition(0)
    assert [microscope.snap().shape for _ in range(3)] == [(80, 80)] * 3
    assert core.isSequenceRunning()
    core.stopSequenceAcquisition()
