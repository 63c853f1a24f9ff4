"""Groovy in ImageJ, which has it from its jars alone; runs in the process of ImageJ."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import jpype
from jpype import JClass


def run_groovy(path, image, jars):
    """Run a script on the image of a file; the slice that is shown then.

    What the Script Editor makes of lines that begin with #@ is done here: services become variables.
    """
    for jar in jars:
        jpype.addClassPath(jar)
    context, text = sys.modules["__main__"].ij, Path(path).read_text()
    shell = JClass("groovy.lang.GroovyShell")()
    for kind, name in re.findall(r"^#@ (\w+Service) (\w+)$", text, re.M):
        home = f"org.scijava.{kind.replace('Service', '').lower()}.{kind}"
        shell.setVariable(name, context.service(JClass(home).class_))
    batch, shown = JClass("ij.macro.Interpreter"), JClass("ij.IJ").openImage(image)
    before = batch.batchMode
    batch.batchMode = True
    batch.addBatchModeImage(shown)
    try:
        shell.evaluate(re.sub(r"^#@", "//", text, flags=re.M))
    finally:
        batch.removeBatchModeImage(shown)
        batch.batchMode = before
    return int(shown.getCurrentSlice())
