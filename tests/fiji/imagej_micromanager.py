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
from jpype import JArray, JClass, JDouble, JShort, JString
from scipy.ndimage import gaussian_filter

from parfocal import HoldFocus, hold_focus
from parfocal.fiji_bridge import hold_focus as hold_in_fiji
from parfocal.fiji_bridge.holding import holding
from parfocal.fiji_bridge.imagej1 import is_headless
from parfocal.fiji_bridge.micromanager import FocusChannel, MMCoreMicroscope, StudioMicroscope
from parfocal.fiji_bridge.micromanager.acquisition import AcquisitionImages
from parfocal.fiji_bridge.micromanager.autofocus_plugin import offer_autofocus
from parfocal.fiji_bridge.micromanager.studio_acquisition import StudioAcquisition
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


def acquire(time_points, interval_s, slices_um, besides=""):
    """Begin an acquisition that takes single images."""
    slices = JArray(JDouble)([float(z_um) for z_um in slices_um])
    settings = of("org.micromanager.acquisition.SequenceSettings").of(time_points, 1000.0 * interval_s, slices, besides)
    studio().acquire(settings)


def end_acquisition():
    studio().acquire(None)


def acquired():
    """Time points of the acquisition so far, and how often the stage was moved while it exposed."""
    store = studio().getAcquisitionEngine().getAcquisitionDatastore()
    return {"time_points": int(store.getNextIndex("time")), "disturbances": int(studio().core().disturbances())}


def wait_for_time_points(count):
    wait_for(lambda: acquired()["time_points"] >= count, f"{count} time points")


def looks_between_images():
    """What two looks in one pause say, and a move while positions are searched through."""
    microscope = StudioMicroscope(studio(), lambda: True)
    wait_for(lambda: not microscope.engaged(), "a pause")
    counts = points_stack()[int(REACH_UM / STEP_UM + round(microscope.z_um()))]
    told = [float(np.abs(microscope.snap() - counts).max()), microscope.engaged()]
    for act in (microscope.snap, lambda: microscope.move_to_um(5.0)):
        try:
            act()
        except MicroscopeError as error:
            told.append(f"{type(error).__name__}: {error}")
    return told


def engaged():
    """Why there is nothing to look at."""
    return StudioMicroscope(studio()).engaged()


def brightest_of_channel(group, preset):
    """Brightest pixel of the newest image that counts for a focusing channel, or why there is none."""
    images = AcquisitionImages(StudioAcquisition(studio()), FocusChannel(group, preset) if group else None)
    refusal = images.refusal()
    return refusal or int(np.array(images.take(float(studio().core().getPosition("Z")))).view(np.uint16).max())


def take_at(z_um):
    """What is told where the stage stands elsewhere than the images were taken."""
    try:
        AcquisitionImages(StudioAcquisition(studio())).take(z_um)
    except MicroscopeError as error:
        return str(error)


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


def autofocus_list():
    manager = studio().getAutofocusManager()
    return [str(name) for name in manager.getAllAutofocusMethods()]


def select_autofocus():
    studio().getAutofocusManager().setAutofocusMethodByName("Parfocal")
    studio().getAutofocusManager().refresh()
    return plugin_call("getName")


def called(name, *arguments):
    """What a method of the selected autofocus gives to Java, as its acquisitions call it."""
    methods = of("org.micromanager.AutofocusPlugin").class_.getMethods()
    method = next(method for method in methods if str(method.getName()) == name)
    try:
        return method.invoke(studio().getAutofocusManager().getAutofocusMethod(), list(arguments))
    except JClass("java.lang.reflect.InvocationTargetException") as error:
        raise error.getCause() from None


def plugin_call(name, *arguments):
    """What Java is given by a method of the plugin, or the text of its exception."""
    try:
        found = called(name, *arguments)
    except JClass("java.lang.Exception") as error:
        return f"threw {error.getMessage()}"
    kinds = {"java.lang.Boolean": bool, "java.lang.Double": float, "java.lang.Integer": int}
    return None if found is None else kinds.get(str(found.getClass().getName()), str)(found)


def plugin_properties():
    """Name, value and choices of the plugin's properties."""
    items = called("getProperties")
    assert [str(item.name) for item in items] == [str(name) for name in called("getPropertyNames")]
    return {str(item.name): [str(item.value), [str(text) for text in item.allowed]] for item in items}


def score_of_plane(index):
    image = JClass("ij.process.FloatProcessor")(SIDE_PX, SIDE_PX)
    image.setPixels(jpype.JArray(jpype.JFloat)(points_stack()[index].astype(float).ravel().tolist()))
    return float(called("computeScore", image))


def hold_is_open():
    return hold_frame() is not None


def hold_frame():
    found = [
        w
        for w in JClass("java.awt.Window").getWindows()
        if w.isShowing() and isinstance(w, JClass("javax.swing.JFrame"))
    ]
    return next((w for w in found if str(w.getTitle()) == "Hold Focus"), None)


def parts(component):
    """All components in a window."""
    yield component
    for part in component.getComponents() if hasattr(component, "getComponents") else ():
        yield from parts(part)


def on_queue(act):
    JClass("java.awt.EventQueue").invokeAndWait(act)


def open_hold_window():
    wait_for(hold_frame, "the window of Hold Focus")
    return hold_seen()


def hold_seen():
    """What the window of Hold Focus shows, at one time."""
    seen = {}
    on_queue(lambda: seen.update(_hold_seen()))
    return seen


def _hold_seen():
    components = list(parts(hold_frame().getContentPane()))
    named = {str(part.getName()): part for part in components if part.getName() is not None}
    buttons = [part for part in components if isinstance(part, JClass("javax.swing.JButton")) and part.getText()]
    return {
        "texts": {name: str(part.getText()) for name, part in named.items() if hasattr(part, "getText")},
        "usable": [str(button.getText()) for button in buttons if button.isEnabled()],
    }


def hold_fill(fields):
    def fill():
        for part in parts(hold_frame().getContentPane()):
            if str(part.getName()) in fields:
                value = fields[str(part.getName())]
                part.setSelectedItem(value) if hasattr(part, "setSelectedItem") else part.setText(value)

    on_queue(fill)


def hold_press(name):
    """Press a button."""
    button = next(
        p for p in parts(hold_frame().getContentPane()) if hasattr(p, "doClick") and str(p.getText() or "") == name
    )
    on_queue(lambda: button.doClick(0))


def hold_wait_text(name, text):
    wait_for(lambda: text in hold_seen()["texts"][name], f"{text} in {name}, {hold_seen()}")
    return hold_seen()


def hold_close():
    """Close the window by its button."""
    frame = hold_frame()
    closing = JClass("java.awt.event.WindowEvent")(frame, 201)
    JClass("java.awt.Toolkit").getDefaultToolkit().getSystemEventQueue().postEvent(closing)
    wait_for(lambda: hold_frame() is None, "end of the window")


def quit_imagej():
    JClass("ij.IJ").getInstance().quit()
    wait_for(lambda: JClass("ij.IJ").getInstance() is None, "end of ImageJ")


def offer_parfocal():
    return offer_autofocus(studio(), holding.desk)


def property_set_as_item(name, value):
    """Set a property as Micro-Manager's table does, and read it back."""
    item = called("getProperty", name)
    item.value = value
    called("setProperty", item)
    return str(called("getProperty", name).value)
