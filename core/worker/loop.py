"""Reading requests and answering them, one task after the other."""

from __future__ import annotations

import json
import sys
import threading
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, Optional, TextIO

from parfocal.progress import listening
from parfocal.registry import ModelError
from parfocal.worker.protocol import plain
from parfocal.worker.tasks import run_task

# What a person can mend; of everything else the host gets the trace too.
MENDABLE = (ValueError, TypeError, OSError, ImportError, MemoryError, ModelError)


class Cancelled(Exception):
    """The host does not want the task any more."""


@dataclass
class Task:
    """A request to execute.

    Attributes
    ----------
    uuid : str
        By which the host knows it.
    script : str
        Name of the task.
    inputs : mapping
    unwanted : Event
        Set when it is to be cancelled.
    """

    uuid: str
    script: str
    inputs: Mapping[str, Any]
    unwanted: threading.Event = field(default_factory=threading.Event)


class Worker:
    """A worker of Appose whose tasks run in the thread that calls `run`, while another reads requests.

    Parameters
    ----------
    requests, answers : text files
        Lines of JSON.
    """

    def __init__(self, requests: TextIO, answers: TextIO) -> None:
        self._requests, self._answers = requests, answers
        self._waiting: SimpleQueue[Optional[Task]] = SimpleQueue()
        self._tasks: dict[str, Task] = {}

    def run(self) -> None:
        """Do tasks until the input ends, and those that were asked for before that."""
        threading.Thread(target=self._read, name="requests", daemon=True).start()
        while True:
            task = self._waiting.get()
            if task is None:
                return
            self._do(task)
            self._tasks.pop(task.uuid, None)

    def _read(self) -> None:
        for line in self._requests:
            try:
                self._take(json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                # Without the name of a task nobody can be answered.
                print(f"no request of Appose ({error!r}): {line.strip()[:200]}", file=sys.stderr, flush=True)
        self._waiting.put(None)

    def _take(self, request: dict[str, Any]) -> None:
        uuid, kind = str(request["task"]), request["requestType"]
        if kind == "EXECUTE":
            task = Task(uuid, str(request.get("script") or "").strip(), request.get("inputs") or {})
            self._tasks[uuid] = task
            self._waiting.put(task)
        elif kind == "CANCEL":
            # One that has ended in the meantime has been answered.
            if uuid in self._tasks:
                self._tasks[uuid].unwanted.set()
        else:
            raise ValueError(f"requestType must be EXECUTE or CANCEL, got {kind!r}")

    def _do(self, task: Task) -> None:
        def progressed(done: int, total: int) -> None:
            if task.unwanted.is_set():
                raise Cancelled
            self._answer(task, "UPDATE", current=done, maximum=total)

        self._answer(task, "LAUNCH")
        try:
            if task.unwanted.is_set():
                raise Cancelled
            with listening(progressed):
                outputs = run_task(task.script, task.inputs)
            self._answer(task, "COMPLETION", outputs=outputs)
        except Cancelled:
            self._answer(task, "CANCELATION")
        except MENDABLE as error:
            self._answer(task, "FAILURE", error=str(error) or type(error).__name__)
        except Exception as error:
            told = {"trace": traceback.format_exc()}
            self._answer(task, "FAILURE", error=f"{type(error).__name__}: {error}", info=told)

    def _answer(self, task: Task, kind: str, **more: Any) -> None:
        answer = {"task": task.uuid, "responseType": kind, **plain(more)}
        self._answers.write(json.dumps(answer, allow_nan=False, separators=(",", ":")) + "\n")
        self._answers.flush()
