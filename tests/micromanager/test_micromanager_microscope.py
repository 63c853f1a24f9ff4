from __future__ import annotations

import time

import numpy as np
import pymmcore
import pytest
from beads_core import load_beads, unload
from pymmcore_plus import CMMCorePlus

from parfocal.fiji_bridge.micromanager import FocusChannel, MMCoreMicroscope
from parfocal.focus_control.microscope import CameraError, StageError


def test_positions_are_those_of_the_focus_device(core):
    microscope = MMCoreMicroscope(core)
    microscope.move_to_um(12.5)
    assert core.getPosition("Z") == 12.5
    assert microscope.z_um() == 12.5


def test_a_reversed_stage_gives_and_takes_the_other_sign(core):
    microscope = MMCoreMicroscope(core, reversed_z=True)
    microscope.move_to_um(12.5)
    assert core.getPosition("Z") == -12.5
    assert microscope.z_um() == 12.5


def test_another_device_than_the_focus_device_can_be_moved(core):
    core.loadDevice("Piezo", "DemoCamera", "DStage")
    core.initializeDevice("Piezo")
    MMCoreMicroscope(core, focus_device="Piezo").move_to_um(3.0)
    assert (core.getPosition("Piezo"), core.getPosition("Z")) == (3.0, 0.0)


@pytest.mark.parametrize("pixel_type", ["8bit", "16bit", "32bit"])
def test_a_snap_is_the_image_of_the_core(core, pixel_type):
    core.setProperty("Camera", "PixelType", pixel_type)
    image = MMCoreMicroscope(core).snap()
    np.testing.assert_array_equal(image, core.getImage())
    assert image.shape == (256, 256)
    assert image.max() > image.min()


@pytest.mark.parametrize(("pixel_type", "bits"), [("32bitRGB", 8), ("64bitRGB", 16)])
def test_colours_are_averaged(core, pixel_type, bits):
    core.setProperty("Camera", "Mode", "Color Test Pattern")
    core.setProperty("Camera", "PixelType", pixel_type)
    image = MMCoreMicroscope(core).snap()
    packed = pymmcore.CMMCore.getImage(core).astype(np.uint64)
    colours = [packed >> np.uint64(bits * i) & np.uint64(2**bits - 1) for i in range(3)]
    np.testing.assert_allclose(image, np.mean(colours, axis=0), rtol=1e-6)
    assert image.max() > image.min()


def test_a_sequence_goes_on_while_its_frames_are_looked_at(core):
    core.setExposure(5)
    core.startSequenceAcquisition(30, 0, True)
    microscope = MMCoreMicroscope(core)
    images = []
    while core.isSequenceRunning() and len(images) < 5:
        images.append(microscope.snap())
    while core.isSequenceRunning():
        time.sleep(0.01)
    assert [image.shape for image in images] == [(256, 256)] * 5
    # Not one frame was taken away from whoever started the sequence.
    assert core.getRemainingImageCount() == 30


def test_a_frame_of_a_sequence_was_begun_after_the_move(core):
    """The blur of the frame is that of the new position, not of the one that was exposed meanwhile."""
    core.setExposure(20)
    core.startContinuousSequenceAcquisition(0)
    microscope = MMCoreMicroscope(core)
    for z_um in (0.0, 20.0, 0.0):
        microscope.move_to_um(z_um)
        image = microscope.snap().astype(float)
        sharpness = np.mean((image[:, 2:] - image[:, :-2]) ** 2)
        assert bool(sharpness > 60) is (z_um == 0.0)


class Still(CMMCorePlus):
    """Core that says that a sequence runs, so many times that it is asked, while no frame comes."""

    asked = 1000

    def isSequenceRunning(self):  # noqa: N802
        self.asked -= 1
        return self.asked > 0


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (1000, "no frame of the running sequence within 0.14 s: it stands still"),
        (4, "the sequence ended before a frame of it was ready"),
    ],
)
def test_a_sequence_without_frames_is_an_error(asked, message):
    core = Still()
    load_beads(core)
    core.asked = asked
    with pytest.raises(CameraError, match=message):
        MMCoreMicroscope(core, camera_timeout_s=0.1).snap()
    unload(core)


def test_wrappers_of_one_core_have_one_lock_and_cores_their_own(core):
    other = pymmcore.CMMCore()
    assert MMCoreMicroscope(core).lock() == MMCoreMicroscope(core, FocusChannel("Channel", "GFP")).lock()
    load_beads(other)
    assert MMCoreMicroscope(core).lock() != MMCoreMicroscope(other).lock()
    unload(other)


def test_missing_devices_are_refused_with_those_there_are(core):
    core.setFocusDevice("")
    with pytest.raises(StageError, match="no focus device; its devices: Camera, Z, Filter"):
        MMCoreMicroscope(core)
    with pytest.raises(StageError, match="no device 'Piezo' to focus with; there are Camera, Z"):
        MMCoreMicroscope(core, focus_device="Piezo")
    core.setCameraDevice("")
    with pytest.raises(CameraError, match="the core has no camera; its devices: Camera, Z"):
        MMCoreMicroscope(core, focus_device="Z")


def test_an_empty_core_is_refused():
    with pytest.raises(StageError, match="no focus device; its devices: none"):
        MMCoreMicroscope(pymmcore.CMMCore())


def test_no_core_is_refused():
    with pytest.raises(TypeError, match="core must have the MMCore API .* got int"):
        MMCoreMicroscope(3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"stage_timeout_s": 0.0}, "stage_timeout_s must be above 0 s and finite, got 0.0"),
        ({"camera_timeout_s": float("inf")}, "camera_timeout_s must be above 0 s and finite, got inf"),
        ({"um_per_offset_unit": 0.0}, "um_per_offset_unit must be a number other than 0"),
        ({"frames_to_skip": -1}, "frames_to_skip must be at least 0, got -1"),
    ],
)
def test_wrong_arguments_are_refused(core, arguments, message):
    with pytest.raises(ValueError, match=message):
        MMCoreMicroscope(core, **arguments)


def test_a_position_that_is_no_number_moves_nothing(core):
    with pytest.raises(StageError, match="must be a finite number, got nan"):
        MMCoreMicroscope(core).move_to_um(float("nan"))
    assert core.getPosition() == 0.0
