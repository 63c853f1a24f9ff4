"""Images of ImageJ that are closed, empty or in use when a command comes to them; runs in the process of ImageJ."""

from __future__ import annotations

import threading
from pathlib import Path

from jpype import JClass

from parfocal.fiji_bridge import measuring
from parfocal.fiji_bridge.commands import COMMANDS


def causes_of(error):
    """Messages of a Java exception and of what caused it."""
    told = []
    while error is not None:
        told.append(str(error.getMessage()))
        error = error.getCause()
    return "; ".join(told)


def run_on_closed(name, given):
    image = _image("closed.tif")
    _close(image)
    return _told(name, image, given)


def run_on_locked(name):
    image = _image("a.tif")
    thread = threading.Thread(target=image.lock)
    thread.start()
    thread.join()
    return _told(name, image)


def run_on_gone_file(name, path):
    """A virtual stack whose file is removed when it has been opened."""
    image = JClass("ij.plugin.FileInfoVirtualStack").openVirtual(path)
    Path(path).unlink()
    return _told(name, image)


def run_on_empty(name, given):
    image = _image("empty")
    image.getStack().deleteLastSlice()
    image.getStack().deleteLastSlice()
    return _told(name, image, given)


def close_while_measured():
    """Score of the image in front, which is closed when it has been taken and before its pixels are read."""
    image, read = JClass("ij.WindowManager").getCurrentImage(), measuring.planes_of

    def close_and_read(image, places):
        _close(image)
        return read(image, places)

    measuring.planes_of = close_and_read
    try:
        outputs = _command("measure_image_focus").measure({}, image)
    finally:
        measuring.planes_of = read
    return outputs["features"]["Score"]


def _close(image):
    image.close()
    image.flush()  # as its window does


def _command(name):
    return next(command for command in COMMANDS if command.spec.name == name)


def _told(name, image, given=None):
    try:
        _command(name).measure(given or {}, image)
    except ValueError as error:
        return str(error)


def _image(title):
    return JClass("ij.IJ").createImage(title, "8-bit ramp", 100, 100, 2)
