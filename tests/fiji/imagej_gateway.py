"""PyImageJ's whole gateway, of a Fiji on disk; runs in the process of ImageJ."""

from __future__ import annotations

import os

import numpy as np
import scyjava
from imagej_mishaps import causes_of
from jpype import JClass

from parfocal.fiji_bridge import register, start_imagej
from parfocal.fiji_bridge.java import choose_java

ij = None


def start(window):
    """Start the Fiji that PARFOCAL_FIJI names: with a window as `parfocal fiji` does, without as a notebook does."""
    global ij
    folder = os.environ["PARFOCAL_FIJI"]
    if window:
        ij = start_imagej(fiji=folder, headless=False)
        # Quitting ImageJ would end this process at once.
        JClass("ij.IJ").getInstance().exitWhenQuitting(False)
    else:
        import imagej  # queues what it would look for in the network, which a folder does not need

        choose_java()
        scyjava.config.endpoints.clear()
        ij = imagej.init(folder, mode="headless")
        register(ij)
    return ij


def versions():
    """Of ImageJ2 and ImageJ 1."""
    return [str(ij.getVersion()), str(JClass("ij.IJ").getVersion())]


def endpoints():
    """What would have been looked for in the network."""
    return [str(endpoint) for endpoint in scyjava.config.endpoints]


def module_names():
    """Names of our modules, as `ij.module()` lists them."""
    infos = ij.module().getModules()
    return sorted(str(info.getName()) for info in infos if str(info.getIdentifier()).startswith("parfocal:"))


def run_on_pixels(name, path, kind, dims, given):
    """Run a module on pixels of a file of numpy, as an ImagePlus or a Dataset with these axes; numbers and status."""
    image = ij.py.to_dataset(np.load(path), dim_order=dims)
    if kind == "ImagePlus":
        image = ij.convert().convert(image, JClass("ij.ImagePlus").class_)
    assert image is not None, "no conversion"
    return _run(name, {"image": image, **given})


def run_on_file(name, path, given):
    """The same for a file that SCIFIO opens as a Dataset."""
    return _run(name, {"image": ij.io().open(path), **given})


def run_module_without_image(name):
    """Outputs of a module that was given no image, or the cause of its failure."""
    return _run(name, {})


def _run(name, given):
    try:
        module = _module(name, given)
    except JClass("java.util.concurrent.ExecutionException") as error:
        return {"failed": causes_of(error)}
    features = module.getOutput("features")
    if features is None:
        # What is missing, and errors of what runs before a module, do not throw: the outputs are missing.
        return {"failed": "no outputs"}
    return {
        "features": {str(key): float(features.get(key)) for key in features.keySet()},
        "status": str(module.getOutput("status")),
    }


def _module(name, given):
    """A module that has run."""
    info = ij.module().getModuleById(f"parfocal:{name}")
    assert info is not None, module_names()
    arguments = JClass("java.util.HashMap")()
    for key, value in given.items():
        arguments.put(key, value)
    return ij.module().run(info, True, arguments).get()


def restored_pixels(path, out, given):
    """Restore an image by the module and save its pixels, as PyImageJ gives them to Python."""
    image = ij.py.to_imageplus(np.load(path))
    restored = _module("restore_defocus", {"image": image, **given}).getOutput("image")
    np.save(out, np.asarray(ij.py.from_java(restored)))
    return str(restored.getTitle())


def run_python_macro(code):
    """Run a macro by `ij.py`; it throws nothing where it fails: look for what it should have done."""
    ij.py.run_macro(code)


def open_in_macro(path):
    """Open an image as a macro of the gateway does, as the current one."""
    ij.py.run_macro(f'open("{path}");')
    image = JClass("ij.WindowManager").getCurrentImage()
    return None if image is None else str(image.getTitle())


def found_by_search(text):
    """Names of the modules that ImageJ2's search bar lists for a text; None where this Fiji has no such search."""
    try:
        searchers = JClass("org.scijava.search.Searcher").class_
    except TypeError:
        return None
    made = ij.plugin().createInstancesOfType(searchers)
    searcher = next((one for one in made if str(one.getClass().getSimpleName()) == "ModuleSearcher"), None)
    return None if searcher is None else [str(result.name()) for result in searcher.search(text, True)]
