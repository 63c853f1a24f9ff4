"""Runs beside ImageJ in a process of its own: calls come from stdin, of functions here and in its helpers."""

from __future__ import annotations

import json
import os
import sys
import threading
import traceback
from contextlib import contextmanager, nullcontext

import imagej_acquisitions
import imagej_autofocus
import imagej_gateway
import imagej_hold_window
import imagej_images
import imagej_micromanager
import imagej_mishaps
import imagej_scripts
import imagej_tables
import imagej_window
import numpy as np
from imagej_mishaps import causes_of
from jpype import JClass

from parfocal.fiji_bridge import register, start_imagej
from parfocal.fiji_bridge.start import IMAGEJ1

ij = None
HELPERS = (
    imagej_gateway,
    imagej_images,
    imagej_window,
    imagej_tables,
    imagej_mishaps,
    imagej_micromanager,
    imagej_acquisitions,
    imagej_autofocus,
    imagej_hold_window,
    imagej_scripts,
)


def serve(mode, answers):
    global ij
    if mode.startswith("gateway"):
        ij = imagej_gateway.start(mode == "gateway-window")
    else:
        ij = start_imagej(endpoint=IMAGEJ1, headless=mode == "headless")
    answers.write(b'{"result": null}\n')
    for line in sys.stdin.buffer:
        name, arguments = json.loads(line)
        try:
            answer = {"result": _function(name)(*arguments)}
        except Exception:
            answer = {"error": traceback.format_exc()}
        answers.write(json.dumps(answer).encode() + b"\n")


def _function(name):
    homes = [vars(home) for home in (sys.modules[__name__], *HELPERS)]
    return next(home[name] for home in homes if name in home)


def register_again():
    register(ij)
    register(ij)
    return int(JClass("ij.Executer").getListenerCount())


def register_wrongly(wrong):
    try:
        register(wrong)
    except TypeError as error:
        return str(error)


def start_again():
    try:
        start_imagej(endpoint=IMAGEJ1)
    except OSError as error:
        return str(error)


def run_macro(code):
    """What a macro returns, or the text of the exception that ends it."""
    try:
        return str(JClass("ij.IJ").runMacro(code))
    except JClass("java.lang.Throwable") as error:
        return f"threw {error.getMessage()}"


def service(name):
    context = ij if isinstance(ij, JClass("org.scijava.Context")) else ij.context()
    return context.service(JClass(name).class_)


def modules():
    """Names of our modules with their place in the menu."""
    infos = service("org.scijava.module.ModuleService").getModules()
    ours = [info for info in infos if str(info.getIdentifier()).startswith("parfocal:")]
    return {str(info.getName()): str(info.getMenuPath().getMenuString()) for info in ours}


def found_in_menu(path):
    """Name of the module that a path of labels leads to in SciJava's own menu."""
    menu = service("org.scijava.menu.MenuService").getMenu()
    for label in path:
        menu = next(child for child in menu.getChildren() if str(child.getName()) == label)
    return str(menu.getModuleInfo().getName())


def inputs(name):
    """Items of a module's dialog: label, kind, default, least and greatest value, choices."""
    return {
        str(item.getName()): [
            str(item.getLabel()),
            str(item.getType().getSimpleName()),
            None if item.getDefaultValue() is None else str(item.getDefaultValue()),
            None if item.getMinimumValue() is None else float(item.getMinimumValue()),
            None if item.getMaximumValue() is None else float(item.getMaximumValue()),
            [str(choice) for choice in item.getChoices() or []],
            bool(item.isPersisted()),
        ]
        for item in info_of(name).inputs()
    }


def info_of(name):
    return service("org.scijava.module.ModuleService").getModuleById(f"parfocal:{name}")


def outputs_of(name):
    """Kinds of a module's outputs."""
    return {str(item.getName()): str(item.getType().getSimpleName()) for item in info_of(name).outputs()}


def run_module(name, path, given, escape=False, info=None):
    """Run a module on the image of a file; numbers of its features, and status, or the cause of its failure."""
    arguments = JClass("java.util.HashMap")()
    if path:
        image = JClass("ij.IJ").openImage(path)
        if info:
            image.setProperty("Info", info)
        arguments.put("image", image)
    for key, value in given.items():
        arguments.put(key, value)
    try:
        run = service("org.scijava.module.ModuleService").run
        with escape_pressed() if escape else nullcontext():
            module = run(info_of(name), True, arguments).get()
    except JClass("java.util.concurrent.ExecutionException") as error:
        return {"failed": causes_of(error)}
    features = module.getOutput("features")
    image = module.getOutput("image")
    return {
        "features": {str(key): float(features.get(key)) for key in features.keySet()},
        "status": str(module.getOutput("status")),
        "image": None if image is None else [str(image.getTitle()), str(image.getInfoProperty())],
    }


def run_without_image(name, given):
    """Run a module that takes no image; the cause of its failure, if it fails."""
    arguments = JClass("java.util.HashMap")()
    for key, value in given.items():
        arguments.put(key, value)
    try:
        service("org.scijava.module.ModuleService").run(info_of(name), True, arguments).get()
    except JClass("java.util.concurrent.ExecutionException") as error:
        return causes_of(error)


def run_with_escape(function, *arguments):
    """Run a function while Escape is pressed again and again."""
    with escape_pressed():
        return _function(function)(*arguments)


@contextmanager
def escape_pressed():
    ended = threading.Event()

    def press():
        while not ended.wait(0.005):
            JClass("ij.IJ").setKeyDown(27)

    thread = threading.Thread(target=press)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def restore_again(path, out):
    """Save the pixels of a restored image, and say what happens when it is restored again."""
    run = service("org.scijava.module.ModuleService").run
    image = JClass("ij.IJ").openImage(path)
    image.getCalibration().setUnit("micron")
    image.getCalibration().pixelWidth = 0.5
    given = {"image": image, "defocus_level": "5", "method": "wiener"}
    restored = run(info_of("restore_defocus"), True, given).get().getOutput("image")
    np.save(out, np.asarray(restored.getProcessor().getPixels()).reshape(image.getHeight(), image.getWidth()))
    calibration = restored.getCalibration()
    try:
        run(info_of("restore_defocus"), True, {"image": restored}).get()
    except JClass("java.util.concurrent.ExecutionException") as error:
        again = causes_of(error)
    return {"calibration": [float(calibration.pixelWidth), str(calibration.getUnit())], "again": again}


if __name__ == "__main__":
    # What Java and others print must not come between the answers.
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    serve(sys.argv[1], out)
