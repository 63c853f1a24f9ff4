"""Calling Parfocal in another Python: one warm worker, started at the first call and again where it dies."""

from __future__ import annotations

import atexit
import threading
from pathlib import Path
from typing import Any, Optional

from parfocal.worker.calls import CALL, ERRORS
from parfocal.worker.codec import decode, encode
from parfocal.worker.exchange import ArrayReader, ArrayWriter, SharedFile
from parfocal.worker.process import WorkerDied, WorkerProcess, WorkerSilent
from parfocal.worker.protocol import PROTOCOL

_HELLO = "hello"
# The first start reads all packages from disk; a virus scanner may look at each.
_START_S = 120.0
# A worker that has died is not at fault for sure: another program may have taken the memory.
_TRIES = 2


class EngineError(RuntimeError):
    """There is no worker that can be asked; the text says what to do."""


class CallLost(RuntimeError):
    """A worker was lost at a call, and the next call gets a new one; the text says how."""


class Client:
    """Calls functions of Parfocal in another Python, one after the other, whichever thread asks.

    Parameters
    ----------
    python : str
        The other Python.
    version : str
        Version that Parfocal must have there.
    patience_s : float
        Time without a sign of life after which a worker is ended, s.
    advice : str
        What to do where there is no such Python or no such Parfocal.
    """

    def __init__(self, python: str, version: str, patience_s: float, advice: str) -> None:
        self._python, self._version, self._patience_s, self._advice = python, version, patience_s, advice
        self._asking = threading.Lock()
        self._process: Optional[WorkerProcess] = None
        self._memory: Optional[SharedFile] = None
        atexit.register(self.close)

    def call(self, name: str, *arguments: Any, **named: Any) -> Any:
        """Call a function of `parfocal.worker.calls`; the result is what it is in the other Python.

        Where the worker dies, the call is tried once more in a new one. How far it is goes to whoever listens
        (`parfocal.progress`); an exception that the listener raises ends the worker with the call.

        Raises
        ------
        ValueError, TypeError, OSError, ImportError, MemoryError, ModelError
            What the function raised, with its text.
        RuntimeError
            Where it raised anything else: its text and trace.
        EngineError
            Where no worker can be started.
        CallLost
            Where the worker died twice at this call, gave no sign of life, or was closed by another thread.
        """
        with self._asking:
            for left in reversed(range(_TRIES)):
                process = None
                try:
                    process = self._running()
                    return self._call(process, name, (list(arguments), named))
                except WorkerDied as error:
                    if self._process is not process:
                        raise CallLost(f"Parfocal's worker was closed at {name}") from error
                    self._drop()
                    if not left:
                        raise CallLost(f"Parfocal's worker ended {_TRIES} times at {name}, {error}") from error
                except WorkerSilent as error:
                    raise CallLost(f"Parfocal's worker was ended at {name}: {error}") from error
        raise AssertionError  # the last try returns or raises

    def close(self) -> None:
        """End the worker, also one at work for another thread; the next call starts another."""
        process, self._process = self._process, None
        if process is not None:
            process.close()
        memory, self._memory = self._memory, None
        if memory is not None:
            memory.close()

    def _call(self, process: WorkerProcess, name: str, arguments: Any) -> Any:
        memory = self._memory_file()
        with ArrayWriter(memory) as writer:
            told = encode(arguments, writer.put)
        inputs = {"protocol": PROTOCOL, "name": name, "arguments": told, "memory": str(memory)}
        answer = self._asked(process, CALL, inputs)
        if answer["responseType"] == "COMPLETION":
            return decode(answer["outputs"]["result"], ArrayReader(memory).take)
        raise _error_of(answer)

    def _asked(self, process: WorkerProcess, task: str, inputs: dict[str, Any]) -> dict[str, Any]:
        """Answer of a worker; one that is left at work, also by Ctrl-C, is ended."""
        try:
            return process.ask(task, inputs, max(self._patience_s, _START_S if task == _HELLO else 0.0))
        except WorkerDied:
            raise
        except BaseException:
            self._drop()
            raise

    def _running(self) -> WorkerProcess:
        if self._process is not None and not self._process.is_alive():
            self._drop()
        if self._process is None:
            self._process = self._started()
        return self._process

    def _started(self) -> WorkerProcess:
        try:
            self._process = process = WorkerProcess(self._python)
            answer = self._asked(process, _HELLO, {"protocol": PROTOCOL})
        except OSError as error:
            told = (
                f"{self._python}, the Python that does Parfocal's work, cannot be started ({error.strerror or error})"
            )
            raise EngineError(f"{told}: {self._advice}") from error
        except (WorkerDied, WorkerSilent) as error:
            self._drop()
            raise EngineError(f"Parfocal does not run in {self._python} ({error}): {self._advice}") from error
        found = (answer.get("outputs") or {}).get("parfocal")
        if found != self._version:
            self._drop()
            told = answer.get("error") or f"it is Parfocal {found}"
            raise EngineError(f"{self._python} must have Parfocal {self._version}, {told}: {self._advice}")
        return process

    def _drop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()

    def _memory_file(self) -> Path:
        """Path of the file for arrays; another one where the system has cleared it away in the meantime."""
        memory, self._memory = self._memory, None
        if memory is not None and not memory.path.exists():
            memory.close()
            memory = None
        self._memory = memory or SharedFile()
        return self._memory.path


def _error_of(answer: dict[str, Any]) -> Exception:
    info, text = answer.get("info") or {}, str(answer.get("error") or "it was canceled")
    kind = ERRORS.get(str(info.get("type")))
    return RuntimeError(f"{text}\n{info.get('trace', '')}".rstrip()) if kind is None else kind(text)
