"""The folder of a Fiji, and what it must have."""

from __future__ import annotations

import os
import re
import zipfile
from pathlib import Path

from parfocal.install.place import whole_path
from parfocal.system_errors import told_plainly

OLDEST_APPOSE = (0, 9, 0)
SCRIPTS = Path("scripts") / "Plugins" / "Parfocal"
_PROPERTIES = "META-INF/maven/org.apposed/appose/pom.properties"
_NAMES = ("Fiji.app", "Fiji", "ImageJ2.app", "ImageJ2")


def fiji_folder(path: str | os.PathLike[str]) -> Path:
    """Folder that holds `jars`, of the path of a Fiji: that folder, the one around it, a launcher or bundle in it.

    Raises
    ------
    OSError
        Where there is none, or it cannot be looked into; the message says what would be right.
    """
    given = whole_path(path)
    with told_plainly(f"{given} cannot be looked into"):
        candidates = [given, *(given / name for name in _NAMES), *([given.parent] if given.exists() else [])]
        for folder in candidates:
            if (folder / "jars").is_dir() and (folder / "plugins").is_dir():
                return folder
    if (given / "ij.jar").is_file():
        raise FileNotFoundError(
            f"no Fiji in {given}, which is ImageJ 1 alone: it has no Groovy and no Appose, take a Fiji from https://fiji.sc"
        )
    raise FileNotFoundError(
        f"no Fiji in {given}: it must be the folder that holds jars and plugins, such as Fiji.app or Fiji"
    )


def check_appose(fiji: Path) -> None:
    """Raise OSError where a Fiji has no Appose, or one that hangs on shared memory, with its version."""
    found = sorted((fiji / "jars").glob("appose-*.jar"), key=_version)
    needed = ".".join(map(str, OLDEST_APPOSE))
    update = "update it (Help > Update... in Fiji), or take a new one from https://fiji.sc"
    if not found:
        raise OSError(f"{fiji} has no Appose, needed is {needed} or later: {update}")
    if _version(found[0]) < OLDEST_APPOSE:
        version = ".".join(map(str, _version(found[0])))
        raise OSError(f"{fiji} has Appose {version} ({found[0].name}), needed is {needed} or later: {update}")


def _version(jar: Path) -> tuple[int, ...]:
    """Version that a jar states inside, else that of its name."""
    try:
        with zipfile.ZipFile(jar) as archive:
            told = re.search(r"^version=(.*)$", archive.read(_PROPERTIES).decode(), re.M)
    except (OSError, KeyError, zipfile.BadZipFile):
        told = None
    text = told[1] if told else jar.stem.split("-", 1)[1]
    return tuple(int(number) for number in re.findall(r"\d+", text.split("-")[0]))
