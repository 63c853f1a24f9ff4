"""Runs the code cells of a notebook one after the other, in the folder of the notebook: NOTEBOOK RESULT.

With PARFOCAL_FIJI `imagej.init` starts PyImageJ's gateway from that folder. Else it gives ImageJ 1 and SciJava's core,
with of the gateway what the notebook uses of it: `context`, `module`, `IJ`. What a cell ends with is not displayed.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from types import ModuleType

import matplotlib
import scyjava

from parfocal.fiji_bridge.start import IMAGEJ1


class Gateway:
    """The part of the gateway that the notebook uses."""

    def __init__(self, context):
        from jpype import JClass

        self._context, self.IJ = context, JClass("ij.IJ")
        self._modules = JClass("org.scijava.module.ModuleService").class_

    def context(self):
        return self._context

    def module(self):
        return self._context.service(self._modules)


def stand_in():
    """In place of `imagej`: the same function, but another Fiji than the latest."""
    made, fiji = ModuleType("imagej"), os.environ.get("PARFOCAL_FIJI")
    made.init = lambda _: start_imagej2(fiji) if fiji else start_parts()
    return made


def start_imagej2(fiji):
    with_network = sys.modules.pop("imagej")
    import imagej

    sys.modules["imagej"] = with_network
    # What it has queued would be looked for in the network.
    scyjava.config.endpoints.clear()
    return imagej.init(fiji, mode="headless")


def start_parts():
    from jpype import JClass

    scyjava.config.endpoints[:] = IMAGEJ1.split("+")
    scyjava.config.add_options(["--add-opens=java.base/java.lang=ALL-UNNAMED", "-Djava.awt.headless=true"])
    scyjava.start_jvm()
    JClass("net.imagej.patcher.LegacyInjector").preinit()
    return Gateway(JClass("org.scijava.Context")(False))


def main(notebook, result):
    from parfocal.fiji_bridge.java import choose_java

    choose_java()
    matplotlib.use("Agg")
    sys.modules["imagej"] = stand_in()
    os.chdir(notebook.parent)
    names = {}
    for cell in json.loads(notebook.read_text())["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    names["table"].to_json(result)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), sys.argv[2])
