"""Starting ImageJ with Parfocal's commands: a Fiji on disk, one from Maven, or ImageJ 1 with SciJava's core alone."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, Optional

from .java import NO_JAVA, check_no_jvm, choose_java
from .optional import need
from .registering import register

FIJI = "sc.fiji:fiji"
# Enough for the menus, macros and windows of ImageJ 1 and for SciJava modules; all of it is on Maven Central.
# SciJava's core first: it decides on the versions of what it needs to run scripts.
IMAGEJ1 = "org.scijava:scijava-common:2.100.1+net.imagej:ij:1.54p+net.imagej:ij1-patcher:2.0.0"
_GATEWAYS = ("net.imagej:imagej", "sc.fiji:fiji")
_PATIENCE_S = 0.2


def start_imagej(fiji: Optional[str] = None, endpoint: Optional[str] = None, headless: bool = True) -> Any:
    """Start ImageJ in this process with Parfocal's commands, and go on.

    Parameters
    ----------
    fiji : path, optional
        Folder of a Fiji or ImageJ2.
    endpoint : str, optional
        Maven coordinates joined by `+` instead, such as `sc.fiji:fiji:2.16.0`; by default the latest Fiji. Without
        `net.imagej:imagej` or `sc.fiji:fiji` among them ImageJ 1 is started alone (`IMAGEJ1`).
    headless : bool
        Without a window.

    Returns
    -------
    ij
        PyImageJ's gateway; where ImageJ 1 is alone, the SciJava Context.

    Raises
    ------
    ImportError, OSError
        Where PyImageJ is missing, or ImageJ cannot be started: no such folder, no Java, a JVM that runs already.
    """
    where = _prepared(fiji, endpoint)
    if _is_gateway(where):
        ij = _gateway(where, "headless" if headless else "interactive")
        if not headless:
            ij.ui().showUI()
    else:
        ij = _imagej1(where, headless)
    register(ij)
    return ij


def show_imagej(fiji: Optional[str] = None, endpoint: Optional[str] = None) -> None:
    """Start ImageJ with its window and Parfocal's commands, and wait until it is quit; else as `start_imagej`."""
    where = _prepared(fiji, endpoint)
    # Java would take the signals that ask a process to end for itself, and end while Python still calls it.
    need("scyjava").config.add_options("-Xrs")
    if _is_gateway(where):
        # Its own way to wait, since on a Mac windows need the main thread. Quitting it may end Python at once.
        need("imagej").when_imagej_starts(register)
        _gateway(where, "gui")
        return
    register(_imagej1(where, headless=False))
    imagej1 = need("jpype").JClass("ij.IJ")
    while imagej1.getInstance() is not None:
        time.sleep(_PATIENCE_S)


def _prepared(fiji: Optional[str], endpoint: Optional[str]) -> str:
    """What is to be started, once it is clear that it can be."""
    if fiji is not None and not (Path(fiji) / "jars").is_dir():
        raise FileNotFoundError(f"no Fiji in {fiji}: it must be the folder that holds jars and plugins")
    check_no_jvm()
    choose_java()
    return fiji or endpoint or FIJI


def _is_gateway(where: str) -> bool:
    parts = [part.strip() for part in where.split("+")]
    return ":" not in where or any(part.startswith(_GATEWAYS) for part in parts) or Path(where).is_dir()


def _gateway(where: str, mode: str) -> Any:
    need("imagej")
    if Path(where).is_dir():
        # A folder has all it needs; what PyImageJ has queued would be looked for in the network.
        need("scyjava").config.endpoints.clear()
    try:
        return need("imagej").init(where, mode=mode)
    except Exception as error:  # of PyImageJ, Maven, Java and its classes, each of a kind of its own
        raise _not_started("ImageJ", where, error) from error


def _imagej1(endpoint: str, headless: bool) -> Any:
    """Start ImageJ 1; without a window its classes are patched first, as ImageJ2 does."""
    jpype, scyjava = need("jpype"), need("scyjava")
    scyjava.config.endpoints[:] = [part.strip() for part in endpoint.split("+")]
    scyjava.config.add_options("--add-opens=java.base/java.lang=ALL-UNNAMED")
    if headless:
        scyjava.config.add_options("-Djava.awt.headless=true")
    try:
        scyjava.start_jvm()
        if headless:
            jpype.JClass("net.imagej.patcher.LegacyInjector").preinit()
        context = jpype.JClass("org.scijava.Context")(False)
        if not headless:
            # Python ends by itself after ImageJ is quit.
            jpype.JClass("ij.ImageJ")().exitWhenQuitting(False)
    except Exception as error:  # as there
        raise _not_started("ImageJ 1", endpoint, error) from error
    return context


def _not_started(what: str, where: str, error: Exception) -> OSError:
    """Error that says what failed, and what is missing where no Java was found."""
    hint = "" if os.environ.get("JAVA_HOME") else f"; {NO_JAVA}"
    if "HeadlessException" in str(error):
        hint = "; there is no screen for its window: start_imagej() in Python needs none, or use xvfb-run"
    return OSError(f"{what} could not be started from {where}: {' '.join(str(error).split()).rstrip('.')}{hint}")
