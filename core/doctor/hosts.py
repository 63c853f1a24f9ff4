"""The programs that Parfocal works in, and the worker that some of them talk to."""

from __future__ import annotations

import re
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from parfocal.doctor.finding import BROKEN, MISSING, WORKS, Finding, looked_up, told_by_python, version_of
from parfocal.install.packages import quoted
from parfocal.install.place import Place, whole_path

_OLDEST_JAVA = 11
_PATIENCE_S = 120.0
_START_JVM = "import jpype; jpype.startJVM(); print(jpype.JClass('java.lang.System').getProperty('java.version'))"


def java(thorough: bool) -> Finding:
    """The Java that ImageJ would get; its version is read from its folder, a JVM is started where that is asked for."""
    from parfocal.fiji_bridge.java import NO_JAVA, java_home

    what, remedy = "Java", "install a JDK, 11 or later, and set JAVA_HOME to its folder"
    home = java_home()
    if not home:
        return Finding(what, MISSING, NO_JAVA, remedy)
    release = Path(home) / "release"
    text = release.read_text(encoding="utf-8", errors="replace") if release.is_file() else ""
    stated = re.search(r'^JAVA_VERSION="?([^"\n]+)', text, re.M)
    told = stated[1] if stated else ""
    old = re.match(r"1\.(\d+)|(\d+)", told)
    if old and int(old[1] or old[2]) < _OLDEST_JAVA:
        return Finding(what, BROKEN, f"{told} in {home}, needed is {_OLDEST_JAVA} or later", remedy)
    if thorough and find_spec("jpype") is not None:
        return Finding(what, WORKS, f"{told_by_python(_START_JVM)} in {home}, started")
    return Finding(what, WORKS, f"{told or 'of no stated version'} in {home}")


def imagej() -> Finding:
    """PyImageJ; no JVM is started."""
    packages = {"imagej": "pyimagej", "scyjava": "scyjava"}
    return looked_up("ImageJ", packages, "fiji", "parfocal fiji, and notebooks", imported=False)


def worker() -> Finding:
    """A worker of this Python: started, greeted, ended."""
    from parfocal.worker.process import WorkerProcess
    from parfocal.worker.protocol import PROTOCOL

    found = looked_up("worker", {"appose": "appose"}, "worker", "a Fiji or CellProfiler that has no Parfocal", False)
    if found.state != WORKS:
        return found
    process = WorkerProcess(sys.executable)
    try:
        answer = process.ask("hello", {"protocol": PROTOCOL}, _PATIENCE_S)
    finally:
        process.close()
    if answer["responseType"] != "COMPLETION":
        raise OSError(str(answer.get("error")))
    return Finding(found.what, WORKS, f"{found.text}; answers as Parfocal {answer['outputs']['parfocal']}")


def cellprofiler() -> Finding:
    """CellProfiler in this Python."""
    if find_spec("cellprofiler") is None:
        remedy = "for a CellProfiler elsewhere: parfocal install cellprofiler PLUGINS_DIR"
        return Finding("CellProfiler", MISSING, "not in this Python", remedy)
    told = version_of("cellprofiler")
    if not told.startswith("4.2"):
        return Finding(
            "CellProfiler",
            BROKEN,
            f"{told}, the modules are for 4.2",
            """in Parfocal's folder, in a Python 3.9: pip install -e ".[cellprofiler]\"""",
        )
    return Finding("CellProfiler", WORKS, f"{told}; its plugins folder is cp_plugins in Parfocal's folder")


def cellprofiler_plugins(folder: str) -> Finding:
    """The modules that were installed into a plugins folder of a CellProfiler."""
    from parfocal.install.cellprofiler import own_folder, place_in

    place = place_in(whole_path(folder))
    if place.folder == own_folder():
        told = "Parfocal's own folder, for a CellProfiler that has Parfocal in its Python"
        remedy = "for another CellProfiler: parfocal install cellprofiler FOLDER, an empty one of your own"
        return Finding(f"modules in {place.folder}", MISSING, told, remedy)
    command = f"parfocal install cellprofiler {quoted(folder)}"
    return _installed(f"modules in {place.folder}", place, command, f"{command} --python PATH, of another Python")


def fiji(folder: str) -> Finding:
    """The scripts that were installed into a Fiji, and the Appose in it."""
    from parfocal.fiji_bridge.scripts.folder import check_appose, fiji_folder
    from parfocal.fiji_bridge.scripts.manifest import place_in

    try:
        found = fiji_folder(folder)
    except OSError as error:
        return Finding("scripts in Fiji", BROKEN, str(error), "give the folder of a Fiji that is there")
    command = f"parfocal install fiji {quoted(folder)}"
    told = _installed(f"scripts in {found}", place_in(found), command, f"{command}, in a Python that has Parfocal")
    if told.state == WORKS:
        check_appose(found)
    return told


def _installed(what: str, place: Place[Any], again: str, elsewhere: str) -> Finding:
    """Say whether what was installed is whole and of this version, and its Python still works."""
    from parfocal.install.other_python import checked_python, packages_of

    written = place.read()
    if written is None:
        return Finding(what, MISSING, "none were installed", again)
    changed = [name for name in written.files if not written.is_unchanged(place.folder / name)]
    if written.parfocal != version("parfocal"):
        text = f"they are of Parfocal {written.parfocal}, this is {version('parfocal')}"
        return Finding(what, BROKEN, text, again)
    if changed:
        return Finding(what, BROKEN, f"missing or changed: {', '.join(changed)}", f"move them away, then {again}")
    try:
        packages_of(checked_python(written.python))
    except (OSError, ImportError, ValueError) as error:
        return Finding(what, BROKEN, str(error), elsewhere)
    return Finding(what, WORKS, f"of this version, {len(written.files)} files, done by {written.python}")
