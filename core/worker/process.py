"""A worker in another Python, as its host sees it: started, asked, ended."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import Any, Optional
from uuid import uuid4

from parfocal.progress import tell

# Without the folder of the host on the path: it may hold files with the names of packages. Once the host has gone, what
# is at work has two seconds, in which a file that is nearly written can be finished.
_START = "import sys; sys.path[:] = [p for p in sys.path if p]; from parfocal.worker.__main__ import main; main(2.0)"
# Settings of the host's own Python, and of a program that brings its libraries along.
_OF_PYTHON = ("PYTHONHOME", "PYTHONPATH", "PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__")
_OF_LIBRARIES = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_LINES_KEPT = 20
_LAST_WORD_S = 5.0
# On Windows Ctrl-C does not reach a thread that waits, only one that looks up now and then.
_LOOK_UP_S = 1.0


class WorkerDied(Exception):
    """The process has ended; the text has its exit code and last lines."""


class WorkerSilent(Exception):
    """There was no sign of life for as long as the host is patient."""


def environment() -> dict[str, str]:
    """Environment for another Python, without what is meant for this one."""
    known = {name: value for name, value in os.environ.items() if name not in _OF_PYTHON}
    for name in _OF_LIBRARIES:
        # PyInstaller keeps here what was there before its program was started.
        before = known.pop(f"{name}_ORIG", None)
        if before is not None:
            known[name] = before
        elif getattr(sys, "frozen", False):
            known.pop(name, None)
    return known


@contextmanager
def own_libraries() -> Iterator[None]:
    """Have processes that are started meanwhile look for libraries where they would without this program.

    On Windows a program by PyInstaller looks first in its own folder, and so would all that it starts.
    """
    folder = getattr(sys, "_MEIPASS", None)
    libraries: Any = getattr(ctypes, "windll", None)
    if libraries is None or folder is None:
        yield
        return
    libraries.kernel32.SetDllDirectoryW(None)
    try:
        yield
    finally:
        libraries.kernel32.SetDllDirectoryW(folder)


class WorkerProcess:
    """A process that serves by `parfocal.worker.protocol`; it ends when its input is closed, so at its host's end too.

    Parameters
    ----------
    python : str
        The other Python.

    Raises
    ------
    OSError
        Where it cannot be started.
    """

    def __init__(self, python: str) -> None:
        with own_libraries():
            self._process = subprocess.Popen(
                [python, "-c", _START],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment(),
                encoding="utf-8",
                errors="replace",
                # Else Windows opens a console for it, beside a program that has none.
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        self._answers: SimpleQueue[Optional[dict[str, Any]]] = SimpleQueue()
        self._lines: deque[str] = deque(maxlen=_LINES_KEPT)
        # Daemons: else the host would wait for them at its end, and they for the worker, and that for the host.
        self._talkers = [threading.Thread(target=work, daemon=True) for work in (self._read, self._listen)]
        for talker in self._talkers:
            talker.start()

    def ask(self, task: str, inputs: dict[str, Any], patience_s: float) -> dict[str, Any]:
        """Have a task executed: the answer, which is a `COMPLETION`, a `FAILURE` or a `CANCELATION`.

        How far it is goes to whoever listens here (`parfocal.progress`).

        Raises
        ------
        WorkerDied, WorkerSilent
        """
        uuid = uuid4().hex
        self._send({"task": uuid, "requestType": "EXECUTE", "script": task, "inputs": inputs})
        while True:
            answer = self._next_answer(patience_s)
            if answer is None:
                raise WorkerDied(self._last_words())
            if answer.get("task") != uuid or answer.get("responseType") == "LAUNCH":
                continue
            if answer["responseType"] != "UPDATE":
                return answer
            tell(answer["current"], answer["maximum"])

    def _next_answer(self, patience_s: float) -> Optional[dict[str, Any]]:
        until = time.monotonic() + patience_s
        while True:
            try:
                return self._answers.get(timeout=max(0.0, min(_LOOK_UP_S, until - time.monotonic())))
            except Empty:
                if time.monotonic() >= until:
                    raise WorkerSilent(f"it gave no sign of life for {patience_s:g} s") from None

    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def close(self) -> None:
        """Let the process end by itself, or end it where it does not."""
        try:
            self._process.stdin.close()  # type: ignore[union-attr]
            self._process.wait(_LAST_WORD_S)
        except (OSError, subprocess.TimeoutExpired):
            self.kill()

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.wait()

    def _send(self, request: dict[str, Any]) -> None:
        try:
            self._process.stdin.write(json.dumps(request) + "\n")  # type: ignore[union-attr]
            self._process.stdin.flush()  # type: ignore[union-attr]
        except OSError:
            raise WorkerDied(self._last_words()) from None

    def _read(self) -> None:
        for line in self._process.stdout:  # type: ignore[union-attr]
            try:
                self._answers.put(json.loads(line))
            except ValueError:
                self._lines.append(line.rstrip())
        self._answers.put(None)

    def _listen(self) -> None:
        for line in self._process.stderr:  # type: ignore[union-attr]
            self._lines.append(line.rstrip())

    def _last_words(self) -> str:
        try:
            code = f"exit code {self._process.wait(_LAST_WORD_S)}"
        except subprocess.TimeoutExpired:
            code = "without ending"
        for talker in self._talkers:
            talker.join(_LAST_WORD_S)
        return f"{code}: {' / '.join(self._lines) or 'it said nothing'}"
