"""What some uses of Parfocal need: training, formats, screens, sharing, microscopes."""

from __future__ import annotations

import re
import sys
from dataclasses import replace

from parfocal.doctor.finding import BROKEN, WORKS, Finding, looked_up, told_by_python, version_of
from parfocal.install.packages import extra_command

_OLDEST_TENSORFLOW = (2, 15)
# For which pymmcore-plus is released.
_OLDEST_PYTHON = (3, 10)
FORMATS = {
    "format ND2": {"nd2": "nd2"},
    "format CZI": {"pylibCZIrw": "pylibczirw"},
    "format LIF": {"bioio_lif": "bioio-lif"},
    "format OME-Zarr": {"ome_zarr": "ome-zarr"},
}
_SCREEN = {"dask": "dask", "distributed": "distributed", "plotly": "plotly", "jinja2": "jinja2"}
_TRAINING = {"tensorflow": "tensorflow", "tf2onnx": "tf2onnx", "onnx": "onnx"}


def tensorflow(thorough: bool) -> Finding:
    """TensorFlow, which training needs and nothing else; imported by a process of its own where it is asked for."""
    found = looked_up("TensorFlow", _TRAINING, "train", "only to train models", imported=False)
    if found.state != WORKS:
        return found
    told = tuple(int(number) for number in re.findall(r"\d+", version_of("tensorflow"))[:2])
    if told < _OLDEST_TENSORFLOW:
        oldest = ".".join(map(str, _OLDEST_TENSORFLOW))
        return Finding(found.what, BROKEN, f"{found.text}, needed is {oldest} or later", extra_command("train"))
    if not thorough:
        return Finding(found.what, WORKS, f"{found.text} (not imported: --thorough does)")
    told_by_python("import tensorflow, tf2onnx")
    return found


def format_reader(what: str) -> Finding:
    """Reader of a format beyond TIFF, PNG, JPEG and BMP."""
    return looked_up(what, FORMATS[what], "formats", "to read such files")


def screen() -> Finding:
    """Dask and what the report of a screen needs."""
    return looked_up("screens", _SCREEN, "screen", "parfocal screen and its report")


def bioimageio() -> Finding:
    """What writes packages of bioimage.io, tried on a description."""
    found = looked_up("bioimage.io", {"bioimageio.spec": "bioimageio.spec"}, "bioimageio", "parfocal export")
    if found.state == WORKS:
        from parfocal.sharing.describe import check_describes

        try:
            check_describes()
        except ImportError as error:
            text, remedy = str(error).split(": ", 1)
            return Finding(found.what, BROKEN, text, remedy)
    return found


def micro_manager() -> Finding:
    """The core of Micro-Manager, made, and the device adapters that it finds."""
    what, packages = "Micro-Manager", {"pymmcore_plus": "pymmcore-plus", "useq": "useq-schema"}
    found = looked_up(what, packages, "micromanager", "to hold focus at a microscope; needs Python 3.10 or later")
    if found.state != WORKS and sys.version_info < _OLDEST_PYTHON:
        return replace(found, remedy="use Parfocal in a Python 3.10 or later for that")
    if found.state != WORKS:
        return found
    from pymmcore_plus import CMMCorePlus, find_micromanager

    core = CMMCorePlus()
    adapters, folder = core.getDeviceAdapterNames(), find_micromanager()
    if not adapters:
        text = f"{found.text}; the core works, but no device adapter was found"
        return Finding(what, BROKEN, text, "install Micro-Manager's adapters: mmcore install")
    return Finding(what, WORKS, f"{found.text}; {len(adapters)} device adapters in {folder}")
