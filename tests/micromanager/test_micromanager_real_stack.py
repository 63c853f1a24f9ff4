"""A real z-stack as the sample of a camera in Python."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from held import Patient
from played import learned

from parfocal.fiji_bridge.micromanager import PlayedStage, SampleCamera, StackSample
from parfocal.focus_control.session import hold_focus
from parfocal.focus_control.settings import HoldFocus

DATA = Path(__file__).parents[1] / "data"
STEP_UM, FOCAL_PLANE, DEPTH_UM = 0.4994, 19, 0.51


@pytest.fixture
def nucleus(unicore):
    """Microscope over a real nucleus whose focal plane can be moved."""
    stack = tifffile.imread(DATA / "micromanager" / "nucleus_widefield_fine.tif").astype(float)
    plane = [0.0]
    stage = PlayedStage()
    sample = StackSample(stack - stack.min(), STEP_UM, DEPTH_UM, FOCAL_PLANE)
    camera = SampleCamera(sample, stage, lambda seconds: plane[0], electrons_per_unit=3.0, exposure_ms=1.0)
    for label, device in (("Z", stage), ("Camera", camera)):
        unicore.loadPyDevice(label, device)
        unicore.initializeDevice(label)
    unicore.setFocusDevice("Z")
    unicore.setCameraDevice("Camera")
    return Patient(unicore), stage, plane


def test_focus_is_held_on_a_real_nucleus_that_drifts(nucleus):
    microscope, stage, plane = nucleus
    estimate = learned(microscope, np.arange(-8.0, 8.1, 0.5))
    microscope.move_to_um(5.0)
    session = hold_focus(
        microscope, estimate, HoldFocus(tolerance_um=0.5, settle_um=0.2, scale_error=0.05, wander_um=3.0)
    )
    errors = []
    for minute in range(20):
        assert session.settle()["state"] == "locked"
        errors.append(stage.true_z_um - plane[0])
        microscope.wait_s(60.0)
        plane[0] += 0.15 + 2.0 * (minute == 10)
    session.stop()
    # In focus are the planes that other focus measures call so, to within two.
    assert abs(estimate.focal_plane_um) < 2 * STEP_UM
    assert np.max(np.abs(errors)) < 1.0


def test_a_real_stack_that_is_coarser_than_the_depth_of_field_is_not_played():
    beads = tifffile.imread(DATA / "beads" / "fluorescent_beads_acq1.tif")
    with pytest.raises(ValueError, match="at most the depth of field, 0.953 um, .* got 5"):
        StackSample(beads, 5.0, 0.953, 4)
