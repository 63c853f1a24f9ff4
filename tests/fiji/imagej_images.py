"""Images of every kind for commands in ImageJ, and what comes of them; runs in the process of ImageJ."""

from __future__ import annotations

import tracemalloc

import numpy as np
from imagej_window import PATIENCE_S, press_key, shown_window, wait_for
from jpype import JClass

from parfocal.fiji_bridge.commands import COMMANDS
from parfocal.fiji_bridge.images import pixels_of, processor_of
from parfocal.fiji_bridge.places import Place


def _command(name):
    return next(command for command in COMMANDS if command.spec.name == name)


def _open(path):
    return JClass("ij.IJ").openImage(path)


def _numbers(outputs):
    return {**outputs["features"], "status": outputs["status"], "warnings": outputs["warnings"]}


def run_on(name, path, given, info=None):
    """Run a command on the image of a file, with a text as its info; numbers, status and warnings."""
    image = _open(path)
    if info is not None:
        image.setProperty("Info", info)
    return _numbers(_command(name).measure(given, image))


def run_with_labels(path, labels_path, given):
    """Run the module of Measure Image Focus with label image and mask by file; rows by label, or the error."""
    given = {**given, "labels_yx": _open(labels_path)}
    try:
        outputs = _command("measure_image_focus").measure(given, _open(path))
    except ValueError as error:
        return str(error)
    return {row.label: _numbers(row.outputs) for row in outputs["rows"]}


def run_on_virtual_files(name, path, given):
    """Run a command on a stack that ImageJ reads from the file plane by plane."""
    image = JClass("ij.plugin.FileInfoVirtualStack")
    opened = image.openVirtual(path)
    assert opened.getStack().isVirtual()
    return _numbers(_command(name).measure(given, opened))


def run_on_huge():
    """Sort a part of a virtual stack above 2 GiB whose planes ImageJ makes when they are asked for.

    Its size, the most that Python held and what Java holds at the end, rows, and the part of the first and last plane.
    """
    side, planes = 8192, 34
    stack = JClass("ij.VirtualStack")(side, side, planes, "8-bit")
    image = JClass("ij.ImagePlus")("huge", stack)
    image.setRoi(0, 0, 320, 256)
    tracemalloc.start()
    outputs = _command("flag_defocused").measure({"check_level": False, "each_plane": True}, image)
    python_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    JClass("java.lang.System").gc()
    java = JClass("java.lang.Runtime").getRuntime()
    parts = [pixels_of(image, [Place(1, z, 1)])[:256, :320].tolist() for z in (1, planes)]
    return {
        "bytes": side * side * planes,
        "python_bytes": python_bytes,
        "java_bytes": java.totalMemory() - java.freeMemory(),
        "rows": [[row.label, row.outputs["features"]["Probability"], row.outputs["status"]] for row in outputs["rows"]],
        "parts": parts,
    }


def signed_image(path):
    """Open a 16-bit image as one of signed numbers, as ImageJ marks it, in the window's or macro's current image."""
    image = _open(path)
    calibration = JClass("ij.measure.Calibration")(image)
    calibration.setSigned16BitCalibration()
    image.setCalibration(calibration)
    return _numbers(_command("measure_image_focus").measure({}, image))


def save_pixels(title, path):
    """Save the pixels of an open image, and give its calibration, slice labels, look-up table and info."""
    image = JClass("ij.WindowManager").getImage(title)
    assert image is not None, [str(t) for t in JClass("ij.WindowManager").getImageTitles()]
    stack = image.getStack()
    planes = [
        np.asarray(stack.getProcessor(n + 1).getPixels()).reshape(image.getHeight(), -1) for n in range(stack.size())
    ]
    np.save(path, np.stack(planes))
    calibration = image.getCalibration()
    return {
        "calibration": [calibration.pixelWidth, calibration.pixelDepth, str(calibration.getUnit())],
        "labels": [str(stack.getSliceLabel(n + 1)) for n in range(stack.size())],
        "range": [image.getDisplayRangeMin(), image.getDisplayRangeMax()],
        "info": str(image.getInfoProperty()),
    }


def titles():
    return [str(title) for title in JClass("ij.WindowManager").getImageTitles()]


def _dialog():
    return wait_for(lambda: shown_window("ij.gui.NonBlockingGenericDialog"), "the window with the slider")


def threshold_window():
    """What the window with the slider says, and the frame around the plane of the image that is shown."""
    dialog = _dialog()
    image = JClass("ij.WindowManager").getCurrentImage()
    frames = [roi for roi in image.getOverlay().toArray() if str(roi.getName()) == "threshold"]
    colors = [[c.getRed(), c.getGreen(), c.getBlue()] for c in (roi.getStrokeColor() for roi in frames)]
    places = [roi.getPosition() or roi.getZPosition() for roi in frames]
    return {
        "told": str(dialog.getMessage().getText()),
        "colors": colors,
        "places": places,
        "title": str(dialog.getTitle()),
    }


def move_slider(threshold, told, colors):
    """Move the slider as a mouse does, and wait until the window and the frames of the slices show what they should."""
    slider = _dialog().getSliders().get(0)
    event = JClass("java.awt.event.AdjustmentEvent")
    moved = event(slider, 601, 5, round(threshold * 100))
    JClass("java.awt.EventQueue").invokeAndWait(lambda: _tell(slider, moved))
    wait_for(lambda: threshold_window()["told"] == told, f"{told} instead of {threshold_window()['told']}")
    wait_for(lambda: threshold_window()["colors"] == colors, f"frames of {colors}")


def _tell(slider, event):
    slider.setValue(event.getValue())
    for listener in slider.getAdjustmentListeners():
        listener.adjustmentValueChanged(event)


def click_bar(share):
    """Press the mouse in the picture of bars at a share of its width; the slice that is shown then."""
    dialog, image = _dialog(), JClass("ij.WindowManager").getCurrentImage()
    panel = next(c for c in _all(dialog) if isinstance(c, JClass("ij.gui.ImagePanel")))
    mouse = JClass("java.awt.event.MouseEvent")
    pressed = mouse(panel, 501, 0, 0, round(share * panel.getWidth()), 5, 1, False)
    JClass("java.awt.EventQueue").invokeAndWait(lambda: panel.getMouseListeners()[0].mousePressed(pressed))
    return image.getCurrentSlice()


def _all(container):
    for component in container.getComponents():
        yield component
        if isinstance(component, JClass("java.awt.Container")):
            yield from _all(component)


def press_in_threshold_window(key):
    """Press a key there and wait until it is gone."""
    dialog = _dialog()
    next(c for c in _all(dialog) if isinstance(c, JClass("java.awt.TextField"))).requestFocus()
    JClass("java.lang.Thread").sleep(300)
    press_key(key)
    wait_for(lambda: not dialog.isShowing(), "end of the window")


def wait_for_image(title):
    wait_for(lambda: title in titles(), f"image {title} in {PATIENCE_S} s")


def wait_for_frames(count):
    wait_for(lambda: overlay_size() == count, f"overlay of {count} elements")


def overlay_size():
    overlay = JClass("ij.WindowManager").getCurrentImage().getOverlay()
    return 0 if overlay is None else overlay.size()


def found_by_command_finder(text):
    """Rows that ImageJ's own search shows for a text."""
    JClass("java.lang.Thread")(lambda: JClass("ij.IJ").run("Find Commands...")).start()
    frame = wait_for(lambda: next((f for f in _frames() if "Find" in str(f.getTitle())), None), "the search")
    parts = list(_all(frame))
    field = wait_for(
        lambda: next((c for c in _all(frame) if isinstance(c, JClass("javax.swing.JTextField"))), None), "field"
    )
    JClass("java.awt.EventQueue").invokeAndWait(lambda: field.setText(text))
    table = next(c for c in parts if isinstance(c, JClass("javax.swing.JTable")))
    rows = [str(table.getValueAt(row, 0)) for row in range(table.getRowCount())]
    frame.dispose()
    return rows


def _frames():
    return [w for w in JClass("java.awt.Window").getWindows() if w.isShowing() and hasattr(w, "getTitle")]


def show_pixels(path, title):
    """Show the pixels of a file of numpy as an image of this title."""
    JClass("ij.ImagePlus")(title, processor_of(np.load(path))).show()


def dialog_texts(title):
    """Texts and choices of a dialog that is open, which is then cancelled."""
    dialog = wait_for(lambda: shown_window("ij.gui.GenericDialog", title), f"dialog {title}")
    fields = [str(field.getText()) for field in dialog.getStringFields() or []]
    choices = [[str(choice.getItem(i)) for i in range(choice.getItemCount())] for choice in dialog.getChoices() or []]
    chosen = [str(choice.getSelectedItem()) for choice in dialog.getChoices() or []]
    JClass("java.awt.EventQueue").invokeAndWait(lambda: dialog.windowClosing(None))
    return {"fields": fields, "choices": choices, "chosen": chosen}
