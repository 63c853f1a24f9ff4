"""Going through everything, one thing after the other, whatever one of them does."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Optional, Union

from parfocal.doctor import engine, hosts, optional
from parfocal.doctor.finding import BROKEN, Finding
from parfocal.install.packages import extra_command, quoted

Check = Callable[[], Union[Finding, list[Finding]]]


def examine(
    fiji: Optional[str] = None, cellprofiler_plugins: Optional[str] = None, thorough: bool = False
) -> list[Finding]:
    """Find out what of Parfocal works here.

    Parameters
    ----------
    fiji : str, optional
        Folder of a Fiji into which scripts were installed.
    cellprofiler_plugins : str, optional
        Plugins folder of a CellProfiler into which modules were installed.
    thorough : bool
        Import TensorFlow and start a JVM too, each in a process of its own.

    Returns
    -------
    list of Finding
        In the order of need; what cannot be found out is `broken`, with the error. Nothing raises.
    """
    again = engine.again()
    checks: list[tuple[str, Check, str]] = [
        ("Python", engine.python, again),
        ("libraries", engine.libraries, again),
        ("models", engine.models, again),
        ("temporary folder", engine.temporary_folder, "set TMPDIR (Windows: TEMP) to another folder"),
        ("processors", engine.processors, "set PARFOCAL_THREADS to 1"),
        *((what, partial(optional.format_reader, what), extra_command("formats")) for what in optional.FORMATS),
        ("screens", optional.screen, extra_command("screen")),
        ("worker", hosts.worker, extra_command("worker")),
        ("CellProfiler", hosts.cellprofiler, extra_command("cellprofiler")),
        ("Java", lambda: hosts.java(thorough), "set JAVA_HOME to the folder of a JDK, 11 or later"),
        ("ImageJ", hosts.imagej, extra_command("fiji")),
        ("Micro-Manager", optional.micro_manager, extra_command("micromanager")),
        ("bioimage.io", optional.bioimageio, extra_command("bioimageio")),
        ("TensorFlow", lambda: optional.tensorflow(thorough), extra_command("train")),
    ]
    if fiji is not None:
        checks.append(("scripts in Fiji", lambda: hosts.fiji(fiji), f"parfocal install fiji {quoted(fiji)}"))
    if cellprofiler_plugins is not None:
        place = cellprofiler_plugins
        command = f"parfocal install cellprofiler {quoted(place)}"
        checks.append(("modules in CellProfiler", lambda: hosts.cellprofiler_plugins(place), command))
    return [finding for check in checks for finding in guarded(*check)]


def guarded(what: str, check: Check, remedy: str) -> list[Finding]:
    """Findings of a check; one that raises is a finding itself."""
    try:
        found = check()
    except Exception as error:  # whatever libraries raise when they are half installed
        words = " ".join(str(error).split())
        return [Finding(what, BROKEN, f"{type(error).__name__}: {words}", remedy)]
    return found if isinstance(found, list) else [found]
