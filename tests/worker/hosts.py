"""A host of the worker in Python, by Appose's own other side."""

from __future__ import annotations

import sys
import tempfile
import threading

import appose

from parfocal.worker.protocol import PROTOCOL

PATIENCE_S = 120


class Host:
    def __init__(self):
        self.service = appose.service.Service(tempfile.gettempdir(), None, sys.executable, "-m", "parfocal.worker")

    def ask(self, script, pixels=None, arrays=None, listener=None, **inputs):
        """Outputs of a task with arrays in shared memory, and the arrays after it; or the task that failed."""
        given = {"image": pixels, **(arrays or {})}
        shared = {name: share(array) for name, array in given.items() if array is not None}
        try:
            task = self.service.task(script, {"protocol": PROTOCOL, **inputs, **shared})
            self.finish(task, listener)
            after = {name: array.ndarray().copy() for name, array in shared.items()}
        finally:
            for array in shared.values():
                array.shm.dispose()
        return task, after

    def finish(self, task, listener=None):
        """Start a task and wait for its end, however it ends."""
        ended = threading.Event()

        def heard(event):
            if listener:
                listener(event)
            if event.response_type.is_terminal():
                ended.set()

        task.listen(heard)
        task.start()
        assert ended.wait(PATIENCE_S), f"no answer: {self.service.error_lines()}"

    def features(self, script, pixels, **inputs):
        task, _ = self.ask(script, pixels, **inputs)
        assert task.error is None, task.error
        return {name: float(value) for name, value in task.outputs["features"].items()}

    def error(self, script, pixels=None, **inputs):
        task, _ = self.ask(script, pixels, **inputs)
        assert task.status.name == "FAILED", task
        return task.error


def share(pixels):
    shared = appose.NDArray(str(pixels.dtype), list(pixels.shape))
    shared.ndarray()[...] = pixels
    return shared
