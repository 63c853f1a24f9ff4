"""A core with devices in Python that play a sample of points."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from parfocal.fiji_bridge.micromanager import PlayedStage, SampleCamera, StackSample
from parfocal.focus_control.metric_estimator import learn_metric_estimator

STEP_UM, REACH_UM = 1.0, 30.0


def points_stack():
    """Points in focus at plane 30, blurred alike on both sides: (61, 80, 80)."""
    points = np.zeros((80, 80))
    points[tuple(np.random.default_rng(3).integers(4, 76, (2, 40)))] = 1.0
    z_um = np.arange(-REACH_UM, REACH_UM + STEP_UM, STEP_UM)
    return np.stack([gaussian_filter(points, 1.2 + 0.3 * abs(z)) for z in z_um])


STACK = points_stack()


def load_played(core, z_um=0.0, play_um=0.0):
    """Load the devices; returns stage, camera, and the focal plane as a list of one number to be moved."""
    plane = [0.0]
    sample = StackSample(STACK, STEP_UM, 2.0, REACH_UM / STEP_UM)
    stage = PlayedStage(z_um, play_um=play_um)
    camera = SampleCamera(sample, stage, lambda seconds: plane[0], electrons_per_unit=20000.0, exposure_ms=1.0)
    camera.set_exposure(1.0)
    for label, device in (("Z", stage), ("Camera", camera)):
        core.loadPyDevice(label, device)
        core.initializeDevice(label)
    core.setFocusDevice("Z")
    core.setCameraDevice("Camera")
    return stage, camera, plane


def learned(microscope, z_um=None):
    """Estimator from one sweep through the sample."""
    z_um = np.arange(-24.0, 25.0, 2.0) if z_um is None else z_um
    images = []
    for z in z_um:
        microscope.move_to_um(float(z))
        images.append(microscope.snap())
    return learn_metric_estimator(images, z_um)
