"""A Fiji that is started from its icon, as far as Maven Central has its parts, and Pythons for its worker."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from parfocal.fiji_bridge.java import choose_java
from parfocal.fiji_bridge.scripts import install

HERE = Path(__file__).parent
# For classes that tests compile.
CLASSES = "classes"
PARTS = (
    "org.apposed:appose:0.9.0",
    "org.apache.groovy:groovy-jsr223:4.0.28",
    "net.imagej:ij:1.54p",
    "org.scijava:scijava-common:2.100.1",
    "net.imagej:ij1-patcher:2.0.0",
)
# Workers that are none, as programs that stand for Python.
HANGING_AT_START = "exec sleep 600"
ENDING_AT_START = "echo 'No module named parfocal' >&2; exit 3"
TALKING_NONSENSE = "echo 'Welcome to Python'; echo '[]'; echo null; exec cat >/dev/null"
# Parfocal's, killed as soon as it is at work: it has told how far it is.
_KILLED_AT_WORK = """
import os, signal
from parfocal.worker import __main__ as worker, loop
answer = loop.Worker._answer
def answer_and_die(self, task, kind, **more):
    answer(self, task, kind, **more)
    if kind == "UPDATE" and more.get("current"):
        os.kill(os.getpid(), signal.SIGKILL)
loop.Worker._answer = answer_and_die
worker.main()
"""
# Starts at once, and says of every image the same; or says nothing but hello.
_QUICK = """
import json, sys
told = {"features": {"Score": 1.5}, "status": "ok", "reason": "", "warnings": "", "patches": [], "provenance": ""}
for line in sys.stdin:
    request = json.loads(line)
    if request.get("script") == "hello" or "hang" not in sys.argv:
        answer = {"task": request.get("task"), "responseType": "COMPLETION", "outputs": told}
        print(json.dumps(answer), flush=True)
"""


@dataclass(frozen=True)
class Fiji:
    folder: Path
    python: Path

    def install(self, patience_s=120.0):
        return install(self.folder, str(self.python), patience_s)

    def use(self, program):
        """Have a program stand for Python, as a shell says it; None for none at all."""
        self.kill_worker()
        self.python.unlink(missing_ok=True)
        if program is not None:
            self.python.write_text(f"#!/bin/sh\necho $$ >> '{self.python}.pid'\n{program}\n")
            self.python.chmod(0o755)

    def use_parfocal(self):
        self.use(f"exec '{sys.executable}' \"$@\"")

    def use_killed_at_work(self):
        path = self.python.with_name("killed_at_work.py")
        path.write_text(_KILLED_AT_WORK)
        self.use(f"exec '{sys.executable}' '{path}'")

    def use_quick(self, *options):
        """A worker that is none, but answers; with `hang` it says hello and does not answer any more."""
        path = self.python.with_name("quick.py")
        path.write_text(_QUICK)
        self.use(f"exec '{sys.executable}' -S '{path}' {' '.join(options)}")

    def kill_worker(self):
        """Kill all that were started: labelling and holding focus have workers of their own beside that of commands."""
        told = Path(f"{self.python}.pid")
        for line in told.read_text().split() if told.exists() else ():
            # One that ended by itself may have left its number to another program.
            with suppress(ProcessLookupError, FileNotFoundError):
                if _is_worker(line):
                    os.kill(int(line), signal.SIGKILL)
        told.unlink(missing_ok=True)


def _is_worker(number):
    if not Path("/proc").exists():
        return True
    called = Path(f"/proc/{number}/cmdline").read_bytes()
    return any(name in called for name in (b"worker", b"quick.py", b"killed_at_work.py", b"sleep", b"cat"))


def make_fiji(folder):
    import jgo
    import scyjava

    choose_java()
    resolver = jgo.maven.PythonResolver(lenient=True)
    parts = jgo.build(endpoint="+".join(PARTS), cache_dir=scyjava.config.get_cache_dir(), resolver=resolver)
    for name in ("jars", "plugins", CLASSES):
        (folder / name).mkdir(parents=True)
    for jar in [*parts.jars_dir.glob("*.jar"), *parts.modules_dir.glob("*.jar")]:
        (folder / "jars" / jar.name).symlink_to(jar)
    fiji = Fiji(folder, folder.with_name("python"))
    fiji.use_parfocal()
    fiji.install()
    return fiji


def java_command(folder, headless):
    windows = f"-Dwindows={HERE / 'ordinary_windows.groovy'}"
    options = [f"-Djava.awt.headless={str(headless).lower()}", f"-Dfiji={folder}", windows]
    if headless:
        options.append("--add-opens=java.base/java.lang=ALL-UNNAMED")
    start, script = (str(HERE / name) for name in ("ordinary_start.groovy", "ordinary_fiji.groovy"))
    java = Path(os.environ["JAVA_HOME"]) / "bin" / "java"
    return [str(java), *options, "-cp", f"{folder}/jars/*:{folder}/{CLASSES}", "groovy.ui.GroovyMain", start, script]
