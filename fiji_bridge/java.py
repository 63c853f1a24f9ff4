"""Where Java is, and whether this process can have a JVM of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from .optional import need

# Java that is fetched where there is none.
_VERSION = "17"
# The oldest ImageJ 1 that was tried and has all that is used; in 1.53d the recorder and windows with a slider fail.
OLDEST_IMAGEJ = "1.53t"
NO_JAVA = "no Java was found here, neither by JAVA_HOME nor on the path: install one, 11 or later"


def choose_java() -> None:
    """Choose the Java of JAVA_HOME, else of the path, else one that is fetched.

    Raises
    ------
    FileNotFoundError
        Where JAVA_HOME names no Java.
    """
    home = java_home()
    if home:
        os.environ["JAVA_HOME"] = home
    need("scyjava").config.set_java_constraints(fetch="auto", version=_VERSION)


def java_home() -> str:
    """Folder of the Java of JAVA_HOME, else of the path; empty where there is none.

    Raises
    ------
    FileNotFoundError
        Where JAVA_HOME names no Java.
    """
    home = os.environ.get("JAVA_HOME") or _java_on_path()
    if home and not any((Path(home) / "bin" / name).exists() for name in ("java", "java.exe")):
        raise FileNotFoundError(f"JAVA_HOME must be the folder of a Java, there is no bin/java in {home}")
    return home


def check_no_jvm() -> None:
    """Raise OSError where a JVM runs in this process: there can be one only, with the classes it was started with."""
    javabridge = sys.modules.get("javabridge")
    if javabridge is not None and javabridge.get_env() is not None:
        raise OSError(
            "CellProfiler's JVM runs in this process and cannot be shared: start ImageJ in a Python of its own, "
            "such as with parfocal fiji"
        )
    if need("jpype").isJVMStarted():
        raise OSError(
            "a JVM runs in this process already, and there can be only one: give its gateway to "
            "parfocal.fiji_bridge.register, or start ImageJ in a new Python"
        )


def check_imagej() -> None:
    """Raise OSError where the ImageJ 1 that runs is too old, or there is none beside ImageJ2."""
    try:
        told = str(need("jpype").JClass("ij.IJ").getVersion())
    except TypeError:
        raise OSError(
            "Parfocal needs ImageJ 1 in the gateway, and this one was started without: leave out add_legacy=False"
        ) from None
    version = told.split("/")[-1]  # ImageJ2 puts its own before it
    if _numbered(version) < _numbered(OLDEST_IMAGEJ):
        raise OSError(
            f"ImageJ must be {OLDEST_IMAGEJ} or later, this one is {version}: update it (Help > Update...), "
            "or start another"
        )


def _numbered(version: str) -> tuple[int, int, str]:
    """A version such as 1.53d to be compared; one that is written in another way counts as new."""
    found = re.match(r"(\d+)\.(\d+)([a-z]*)", version)
    return (int(found[1]), int(found[2]), found[3]) if found else (sys.maxsize, 0, "")


def _java_on_path() -> str:
    """Home that `java` itself names, since it may be a link or a stub; empty where there is none."""
    java = shutil.which("java")
    if java is None:
        return ""
    told = subprocess.run([java, "-XshowSettings:properties", "-version"], capture_output=True, text=True)
    found = re.search(r"^ *java\.home = (.*)$", told.stderr + told.stdout, re.M)
    return found[1].strip() if found else ""
