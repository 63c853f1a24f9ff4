"""What a person sees and does in ImageJ's window; runs in the process of ImageJ."""

from __future__ import annotations

import time

import numpy as np
from jpype import JClass

PATIENCE_S = 60


def wait_for(condition, what):
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} not seen in {PATIENCE_S} s; windows: {windows()}")


def windows():
    """Titles of the windows that are shown."""
    return [
        str(w.getTitle()) for w in JClass("java.awt.Window").getWindows() if w.isShowing() and hasattr(w, "getTitle")
    ]


def _our_menu():
    bar = JClass("ij.Menus").getMenuBar()
    plugins = next(bar.getMenu(i) for i in range(bar.getMenuCount()) if str(bar.getMenu(i).getLabel()) == "Plugins")
    items = [plugins.getItem(i) for i in range(plugins.getItemCount())]
    return next(item for item in items if str(item.getLabel()) == "Parfocal")


def menu():
    """Items of Plugins > Parfocal."""
    ours = _our_menu()
    return str(ours.getLabel()), [str(ours.getItem(i).getLabel()) for i in range(ours.getItemCount())]


def click_menu(label):
    """Do what a click on the item does; ImageJ takes two of them shortly after one another for one."""
    ours = _our_menu()
    item = next(ours.getItem(i) for i in range(ours.getItemCount()) if str(ours.getItem(i).getLabel()) == label)
    event = JClass("java.awt.event.ActionEvent")(item, 1001, label)
    JClass("java.awt.EventQueue").invokeLater(lambda: item.getActionListeners()[0].actionPerformed(event))


def fill_in(title, texts, switched=()):
    """Write into the text fields of a dialog, in their order, turn switches over, and press Enter."""
    dialog = wait_for(lambda: shown_window("ij.gui.GenericDialog", title), f"dialog {title}")
    for field, text in zip(dialog.getStringFields(), texts):
        field.setText(text)
    for box in dialog.getCheckboxes() or []:
        if str(box.getLabel()) in switched:
            box.setState(not box.getState())
    dialog.getStringFields()[0].requestFocus()
    time.sleep(0.3)
    press_key("Enter")
    wait_for(lambda: not dialog.isShowing(), "end of the dialog")


def shown_window(kind, title=None):
    found = [w for w in JClass("java.awt.Window").getWindows() if w.isShowing() and isinstance(w, JClass(kind))]
    return next((w for w in found if title is None or str(w.getTitle()) == title), None)


def labelling_window():
    found = shown_window("ij.gui.ImageWindow")
    return found if found and len(labels_of(found)) == 4 else None


def labels_of(window):
    return [str(c.getText()) for c in window.getComponents() if isinstance(c, JClass("java.awt.Label"))]


def state():
    """What the labelling window shows: lines below the image, and the part of the image that is seen."""
    found = wait_for(labelling_window, "the labelling window")
    canvas = found.getCanvas()
    part = canvas.getSrcRect()
    return {
        "lines": labels_of(found),
        "part_xywh": [part.x, part.y, part.width, part.height],
        "magnification": canvas.getMagnification(),
        "drawn": [canvas.getWidth(), canvas.getHeight()],
        "frame": [found.getX(), found.getY(), found.getWidth(), found.getHeight()],
    }


def first_shown():
    """Wait until the first image is shown."""
    wait_for(lambda: labelling_window() and labels_of(labelling_window())[0], "the first image")
    return state()


def picture(path):
    """Save the pixels that ImageJ has."""
    processor = labelling_window().getImagePlus().getProcessor()
    values = np.frombuffer(bytes(processor.getPixels()), np.uint8)
    np.save(path, values.reshape(processor.getHeight(), processor.getWidth()))


def press(key):
    """Press a key as a person does, and wait until the window shows something else."""
    before = state()
    press_key(key)
    wait_for(lambda: state() != before, f"a change after {key}")
    return state()


def hold(key, seconds):
    """Hold a key down."""
    robot, code = JClass("java.awt.Robot")(), CODES.get(key, ord(key[-1].upper()))
    robot.keyPress(code)
    time.sleep(seconds)
    robot.keyRelease(code)
    time.sleep(1.0)
    return state()


CODES = {"Enter": 10, "Escape": 27, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, " ": 32}
CODES |= {"Backspace": 8, "-": 45, "=": 61}
SHIFT = 16


def press_key(key):
    robot = JClass("java.awt.Robot")()
    shifted = key.startswith("Shift ")
    code = CODES.get(key.replace("Shift ", "")) or ord(key[-1].upper())
    if shifted:
        robot.keyPress(SHIFT)
    robot.keyPress(code)
    robot.keyRelease(code)
    if shifted:
        robot.keyRelease(SHIFT)
    robot.waitForIdle()


def drag_bar(plane):
    """Move the bar of planes as its arrow does."""
    bar = next(c for c in labelling_window().getComponents() if isinstance(c, JClass("java.awt.Scrollbar")))
    event = JClass("java.awt.event.AdjustmentEvent")(bar, 601, 5, plane)
    JClass("java.awt.EventQueue").invokeAndWait(lambda: bar.getAdjustmentListeners()[0].adjustmentValueChanged(event))
    wait_for(lambda: f"plane {plane + 1} of" in state()["lines"][0], f"plane {plane + 1}")


def close_window():
    """Close the labelling window by its button."""
    found = labelling_window()
    closing = JClass("java.awt.event.WindowEvent")(found, 201)
    JClass("java.awt.Toolkit").getDefaultToolkit().getSystemEventQueue().postEvent(closing)
    return ended()


def ended():
    """Wait until the window is gone and the log says what came out; gives the log and empties it."""
    wait_for(lambda: not labelling_window(), "end of the window")
    return taken_log()


def taken_log():
    imagej = JClass("ij.IJ")
    text = str(wait_for(lambda: imagej.getLog() and "abel" in str(imagej.getLog()) and imagej.getLog(), "the log"))
    time.sleep(0.3)
    text = str(imagej.getLog())
    imagej.log("\\Clear")
    return text.split("\n")[:-1]


def message():
    """Text of the message that is shown; it is closed."""
    dialog = wait_for(lambda: shown_window("ij.gui.MessageDialog"), "a message")
    field = JClass("ij.gui.MultiLineLabel").class_.getDeclaredField("lines")
    field.setAccessible(True)
    label = next(c for p in dialog.getComponents() for c in p.getComponents() if "MultiLineLabel" in str(c.getClass()))
    text = " ".join(str(line) for line in field.get(label))
    dialog.dispose()
    return str(dialog.getTitle()), text


def open_image(path):
    """Open an image in a window, and nothing beside it."""
    close_all()
    JClass("ij.IJ").openImage(path).show()


def close_all():
    for number in list(JClass("ij.WindowManager").getIDList() or []):
        image = JClass("ij.WindowManager").getImage(number)
        image.changes = False
        image.close()
    JClass("ij.measure.ResultsTable").getResultsTable().reset()


def results():
    """The last row of the table in the Results window, once there is one."""
    table = JClass("ij.measure.ResultsTable").getResultsTable()
    wait_for(lambda: table.size() and "Results" in windows(), "a row of results")
    wait_for(lambda: str(table.getLabel(0)) != "null", "its label")
    time.sleep(0.5)
    return [str(table.getLabel(0)), str(table.getRowAsString(0)).split("\t")]


def image_windows():
    return sorted(title for title in windows() if title.startswith(("Restored", "Uncertainty")))


def start_recording():
    JClass("ij.plugin.frame.Recorder")()


def recorded():
    recorder = JClass("ij.plugin.frame.Recorder").getInstance()
    text = str(recorder.getText())
    recorder.close()
    return text


def start_macro(code):
    """Run a macro as ImageJ's editor does, in a thread of its own."""
    JClass("java.lang.Thread")(lambda: JClass("ij.IJ").runMacro(code)).start()


def run_command(name, options):
    JClass("ij.IJ").run(name, options)
