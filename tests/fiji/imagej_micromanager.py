"""Micro-Manager in ImageJ, as a person has it; runs in the process of ImageJ.

Its jars are on no public repository of packages: small classes with its signatures stand in for them, over a z-stack
that is played. They are compiled here, and come as those of Micro-Manager do: through ImageJ's own loader of plugins,
or the class path.
"""

from __future__ import annotations

import time
from pathlib import Path

import jpype
import numpy as np
from imagej_window import wait_for
from jpype import JArray, JClass, JShort, JString
from scipy.ndimage import gaussian_filter

from parfocal import HoldFocus, hold_focus
from parfocal.fiji_bridge import hold_focus as hold_in_fiji
from parfocal.fiji_bridge.holding import holding
from parfocal.fiji_bridge.imagej1 import is_headless
from parfocal.fiji_bridge.micromanager import MMCoreMicroscope
from parfocal.focus_control.metric_estimator import learn_metric_estimator
from parfocal.focus_control.microscope import MicroscopeError

HERE = Path(__file__).parent
SIDE_PX, REACH_UM, STEP_UM = 80, 30.0, 1.0
loader = None


def load_micromanager(folder):
    """Compile the classes, and give them to Java: without a window to its class path, as PyImageJ does."""
    global loader
    if loader is None:
        sources = [str(file) for part in ("mmcorej", "org") for file in (HERE / part).rglob("*.java")]
        arguments = JArray(JString)(["-proc:none", "-d", folder, "-cp", jpype.getClassPath(), *sources])
        assert JClass("javax.tools.ToolProvider").getSystemJavaCompiler().run(None, None, None, arguments) == 0
        if is_headless():
            jpype.addClassPath(folder)
            loader = JClass("mmcorej.CMMCore").class_.getClassLoader()
        else:
            urls = JArray(JClass("java.net.URL"))([JClass("java.io.File")(folder).toURI().toURL()])
            loader = JClass("java.net.URLClassLoader")(urls, JClass("ij.IJ").class_.getClassLoader())
    if not is_headless():
        set_loader(loader)
    begin_micromanager()


def set_loader(found):
    field = JClass("ij.IJ").class_.getDeclaredField("classLoader")
    field.setAccessible(True)
    field.set(None, found)


def without_micromanager():
    """Take it out of ImageJ's window again."""
    set_loader(JClass("ij.IJ").class_.getClassLoader())


def of(name):
    return JClass(loader.loadClass(name))


def studio():
    return of("org.micromanager.internal.MMStudio").getInstance()


def begin_micromanager():
    of("org.micromanager.internal.MMStudio").begin(java_core(points_stack()))


def end_micromanager():
    of("org.micromanager.internal.MMStudio").begin(None)


def points_stack():
    """Points in focus in the middle plane, of up to 60,000 counts: beyond what Java's short shows as positive."""
    points = np.zeros((SIDE_PX, SIDE_PX))
    points[tuple(np.random.default_rng(3).integers(4, SIDE_PX - 4, (2, 40)))] = 1.0
    z_um = np.arange(-REACH_UM, REACH_UM + STEP_UM, STEP_UM)
    stack = np.stack([gaussian_filter(points, 1.2 + 0.3 * abs(z)) for z in z_um])
    return np.rint(500 + 59_500 * stack / stack.max()).astype(np.uint16)


def java_core(stack):
    planes = JArray(JShort, 2)([plane.ravel().view(np.int16) for plane in stack])
    return of("mmcorej.CMMCore")(planes, SIDE_PX, SIDE_PX, -REACH_UM, STEP_UM)


def pixels_in_java():
    """How far images in each kind of pixels are from the middle plane, in counts."""
    core, stack, told = studio().core(), points_stack(), {}
    microscope = MMCoreMicroscope(core)
    microscope.move_to_um(0.0)
    for kind, counts in (("short", stack), ("byte", stack >> 8), ("int", stack >> 8)):
        core.arrange(0.0, "", kind, False)
        image = microscope.snap()
        told[kind] = float(np.abs(image - counts[len(stack) // 2].astype(float)).max())
    return told


def failing_in_java(fault):
    core = studio().core()
    microscope = MMCoreMicroscope(core)
    core.arrange(0.0, fault, "short", False)
    try:
        microscope.snap() if fault == "camera" else microscope.move_to_um(1.0)
    except MicroscopeError as error:
        return f"{type(error).__name__}: {error}"
    finally:
        core.arrange(0.0, "", "short", False)


def held_in_java(live):
    """Distance from the focal plane after each look, and the state; the plane jumps to 6 um, then to -3."""
    core = studio().core()
    microscope = MMCoreMicroscope(core)
    estimate = learned(microscope)
    microscope.move_to_um(0.0)
    session = hold_focus(microscope, estimate, HoldFocus(interval_s=0.01, lowest_z_um=-28, highest_z_um=28))
    studio().live().setLiveModeOn(live)
    told, before = [], list(core.counts())
    for plane_um in [6.0] * 20 + [-3.0] * 20:
        core.arrange(plane_um, "", "short", live)
        state = str(session.step()["state"])
        told.append((microscope.z_um() - plane_um, state))
    snaps = core.counts()[0] - before[0]
    still_live = bool(studio().live().isLiveModeOn())
    session.stop()
    core.arrange(0.0, "", "short", False)
    return {"looks": told, "snaps": int(snaps), "live": still_live}


def learned(microscope):
    z_um = np.arange(-24.0, 25.0, 2.0)
    images = []
    for z in z_um:
        microscope.move_to_um(float(z))
        images.append(microscope.snap())
    return learn_metric_estimator(images, z_um)


def stage():
    """Position, distance from the focal plane, images snapped and moves made so far."""
    core = studio().core()
    snaps, moves = core.counts()
    z_um = float(core.getPosition("Z"))
    return {"z": z_um, "off": z_um - float(core.planeUm()), "snaps": int(snaps), "moves": int(moves)}


def arrange(plane_um, drift_um_s=0.0, start_um=None, fault=""):
    """Put the focal plane somewhere, let it drift, move the stage, and switch a fault on or off."""
    core = studio().core()
    core.drift(0.0)
    core.arrange(plane_um, fault, "short", False)
    core.drift(drift_um_s)
    if start_um is not None:
        core.setPosition("Z", start_um)


def set_live(on):
    studio().live().setLiveModeOn(on)


def set_acquiring(on):
    studio().setAcquiring(on)


def is_live():
    return bool(studio().live().isLiveModeOn())


def move_plane(plane_um):
    """Move the focal plane, and leave all else as it is."""
    core = studio().core()
    core.arrange(plane_um, "", "short", core.isLive())


def wait_for_position(z_um):
    """Wait until the stage has been moved up to there."""
    wait_for(lambda: stage()["z"] > z_um, f"a position above {z_um} um, after {holding.desk.seen}")


def wait_for_state(state):
    wait_for(lambda: holding.desk.seen.state == state, f"{state}, after {holding.desk.seen}")


def wait_for_learned():
    wait_for(lambda: not holding.desk.seen.begun, "end of learning")


def wait_for_end():
    """Wait until nothing goes on; the last reason in the log."""
    assert holding.desk.wait(30), holding.desk.seen
    session = holding.desk.session
    return [] if session is None else [str(row["reason"]) for row in session.rows[-1:]]


def looks():
    """How many looks have been taken."""
    return len(holding.desk.session.rows)


def settled_looks():
    """Wait until two further looks have been taken: those in progress have then ended."""
    before = len(holding.desk.session.rows)
    wait_for(lambda: len(holding.desk.session.rows) >= before + 2, "two looks")


def settled_stage():
    """Wait until a look in progress must have ended; where the stage is, and what was done so far."""
    time.sleep(0.5)
    return stage()


def last_log_line():
    return str(JClass("ij.IJ").getLog()).rstrip().split("\n")[-1]


def hold_from_python(given):
    """Hold as a notebook does."""
    hold_in_fiji(**given)


def second_session():
    """What a session of Python is told while another holds the core."""
    try:
        hold_focus(MMCoreMicroscope(studio().core()), lambda image: None)
    except MicroscopeError as error:
        return str(error)
