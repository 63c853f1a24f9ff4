"""Runs beside ImageJ in a process of its own: reads calls of the functions below from stdin, answers on stdout."""

from __future__ import annotations

import json
import os
import sys
import time
import traceback

from jpype import JClass

from parfocal.fiji_bridge import register, start_imagej
from parfocal.fiji_bridge.start import IMAGEJ1

PATIENCE_S = 60
ij = None


def serve(mode, answers):
    global ij
    ij = start_imagej(endpoint=IMAGEJ1, headless=mode == "headless")
    answers.write(b'{"result": null}\n')
    for line in sys.stdin.buffer:
        name, arguments = json.loads(line)
        try:
            answer = {"result": globals()[name](*arguments)}
        except Exception:
            answer = {"error": traceback.format_exc()}
        answers.write(json.dumps(answer).encode() + b"\n")


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


# Headless


def register_again():
    register(ij)
    register(ij)
    return int(JClass("ij.Executer").getListenerCount())


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


if __name__ == "__main__":
    # What Java and others print must not come between the answers.
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    serve(sys.argv[1], out)
