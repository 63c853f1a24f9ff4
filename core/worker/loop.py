"""Reading requests and answering them, one task after the other."""

from __future__ import annotations

import json
import os
import sys
import threading
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, Optional, TextIO

from parfocal.progress import listening
from parfocal.registry import ModelError
from parfocal.worker.calls import kind_of, remove_files
from parfocal.worker.protocol import plain
from parfocal.worker.tasks import run_task

# The host lays planes into its memory by a task of this name, while the one that has asked for them waits.
PLANES = "planes"
# So often it is asked whether they are wanted still.
_POLL_S = 0.1
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
    planes : SimpleQueue
        Gets the index of the first of the planes that the host has laid into its memory.
    """

    uuid: str
    script: str
    inputs: Mapping[str, Any]
    unwanted: threading.Event = field(default_factory=threading.Event)
    planes: SimpleQueue[int] = field(default_factory=SimpleQueue)


class Worker:
    """A worker of Appose whose tasks run in the thread that calls `run`, while another reads requests.

    Parameters
    ----------
    requests, answers : text files
        Lines of JSON.
    grace_s : float, optional
        Time for the task at work once the input has ended, s, after which the process ends; as long as it takes by
        default.
    """

    def __init__(self, requests: TextIO, answers: TextIO, grace_s: Optional[float] = None) -> None:
        self._requests, self._answers, self._grace_s = requests, answers, grace_s
        self._waiting: SimpleQueue[Optional[Task]] = SimpleQueue()
        self._tasks: dict[str, Task] = {}
        self._answering = threading.Lock()
        self._ended, self._done = threading.Event(), threading.Event()

    def run(self) -> None:
        """Do tasks until the input ends, and those that were asked for before that."""
        threading.Thread(target=self._read, name="requests", daemon=True).start()
        while True:
            task = self._waiting.get()
            if task is None:
                self._done.set()
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
        self._ended.set()
        self._waiting.put(None)
        if self._grace_s is not None and not self._done.wait(self._grace_s):
            remove_files()
            os._exit(0)

    def _take(self, request: dict[str, Any]) -> None:
        uuid, kind = str(request["task"]), request["requestType"]
        if kind == "EXECUTE":
            task = Task(uuid, str(request.get("script") or "").strip(), request.get("inputs") or {})
            if task.script == PLANES:
                self._hand_over(task)
                return
            self._tasks[uuid] = task
            self._waiting.put(task)
        elif kind == "CANCEL":
            # One that has ended in the meantime has been answered.
            if uuid in self._tasks:
                self._tasks[uuid].unwanted.set()
        else:
            raise ValueError(f"requestType must be EXECUTE or CANCEL, got {kind!r}")

    def _hand_over(self, task: Task) -> None:
        """Tell a task at work that planes are there; one that has ended in the meantime needs none."""
        waiting = self._tasks.get(str(task.inputs["of"]))
        if waiting is not None:
            waiting.planes.put(int(task.inputs["first"]))
        self._answer(task, "COMPLETION", outputs={})

    def _supply(self, task: Task, first: int) -> None:
        """Ask the host for the planes from an index on, and wait for them."""
        self._answer(task, "UPDATE", info={"planes_from": first})
        while True:
            try:
                if task.planes.get(timeout=_POLL_S) == first:
                    return
            except Empty:
                if task.unwanted.is_set() or self._ended.is_set():
                    raise Cancelled from None

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
                outputs = run_task(task.script, task.inputs, lambda first: self._supply(task, first))
            self._answer(task, "COMPLETION", outputs=outputs)
        except Cancelled:
            self._answer(task, "CANCELATION")
        except MENDABLE as error:
            told = {"type": kind_of(error)}
            self._answer(task, "FAILURE", error=str(error) or type(error).__name__, info=told)
        except Exception as error:
            told = {"trace": traceback.format_exc()}
            self._answer(task, "FAILURE", error=f"{type(error).__name__}: {error}", info=told)

    def _answer(self, task: Task, kind: str, **more: Any) -> None:
        answer = {"task": task.uuid, "responseType": kind, **plain(more)}
        with self._answering:
            self._answers.write(json.dumps(answer, allow_nan=False, separators=(",", ":")) + "\n")
            self._answers.flush()
