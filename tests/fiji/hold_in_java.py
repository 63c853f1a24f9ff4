"""Runs in a process of its own, with a JVM that has the compiled core: prints as JSON what a microscope there does."""

from __future__ import annotations

import json
import sys

import jpype
import numpy as np
from scipy.ndimage import gaussian_filter

from parfocal import HoldFocus, hold_focus
from parfocal.fiji_bridge.micromanager import MMCoreMicroscope
from parfocal.focus_control.metric_estimator import learn_metric_estimator
from parfocal.focus_control.microscope import MicroscopeError

SIDE_PX, REACH_UM, STEP_UM = 80, 30.0, 1.0


def points_stack():
    """Points in focus in the middle plane, of up to 60,000 counts: beyond what Java's short shows as positive."""
    points = np.zeros((SIDE_PX, SIDE_PX))
    points[tuple(np.random.default_rng(3).integers(4, SIDE_PX - 4, (2, 40)))] = 1.0
    z_um = np.arange(-REACH_UM, REACH_UM + STEP_UM, STEP_UM)
    stack = np.stack([gaussian_filter(points, 1.2 + 0.3 * abs(z)) for z in z_um])
    return np.rint(500 + 59_500 * stack / stack.max()).astype(np.uint16)


def java_core(stack):
    planes = jpype.JArray(jpype.JShort, 2)([plane.ravel().view(np.int16) for plane in stack])
    return jpype.JClass("mmcorej.CMMCore")(planes, SIDE_PX, SIDE_PX, -REACH_UM, STEP_UM)


def learned(microscope):
    z_um = np.arange(-24.0, 25.0, 2.0)
    images = []
    for z in z_um:
        microscope.move_to_um(float(z))
        images.append(microscope.snap())
    return learn_metric_estimator(images, z_um)


def pixels(core, microscope, stack):
    """How far images in each kind of pixels are from the middle plane, in counts."""
    told = {}
    for kind, counts in (("short", stack), ("byte", stack >> 8), ("int", stack >> 8)):
        core.arrange(0.0, "", kind, False)
        image = microscope.snap()
        told[kind] = float(np.abs(image - counts[len(stack) // 2].astype(float)).max())
    return told


def failing(core, act, fault):
    core.arrange(0.0, fault, "short", False)
    try:
        act()
    except MicroscopeError as error:
        return f"{type(error).__name__}: {error}"


def held(core, estimate, live):
    """Distance from the focal plane after each look, and the state; the plane jumps to 6 um, then to -3."""
    microscope = MMCoreMicroscope(core)
    core.arrange(0.0, "", "short", False)
    microscope.move_to_um(0.0)
    session = hold_focus(microscope, estimate, HoldFocus(interval_s=0.01, lowest_z_um=-28, highest_z_um=28))
    told = []
    for plane_um in [6.0] * 20 + [-3.0] * 20:
        core.arrange(plane_um, "", "short", live)
        state = str(session.step()["state"])
        told.append((microscope.z_um() - plane_um, state))
    session.stop()
    return told


def main(classes):
    jpype.startJVM(classpath=[classes])
    stack = points_stack()
    core = java_core(stack)
    microscope = MMCoreMicroscope(core)
    told = {"pixels": pixels(core, microscope, stack)}
    told["camera"] = failing(core, microscope.snap, "camera")
    told["stage"] = failing(core, lambda: microscope.move_to_um(1.0), "stage")
    core.arrange(0.0, "", "short", False)
    estimate = learned(microscope)
    told["held"] = held(core, estimate, live=False)
    told["live"] = held(core, estimate, live=True)
    print(json.dumps(told))


main(sys.argv[1])
