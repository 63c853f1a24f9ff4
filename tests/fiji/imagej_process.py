"""ImageJ in a process of its own, and calls of functions there."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

CHILD = Path(__file__).with_name("in_imagej.py")
START_S, CALL_S = 300, 90


class ImageJProcess:
    """A Python of its own with ImageJ 1, since a process can have one JVM only; calls functions of in_imagej.py.

    Or another command that answers such calls.
    """

    def __init__(self, mode, log, env, command=None):
        self._log = open(log, "w")  # noqa: SIM115
        self._child = subprocess.Popen(
            command or [sys.executable, CHILD, mode],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**os.environ, **env},
        )
        self._answer(START_S)

    def __getattr__(self, name):
        def call(*arguments):
            self._child.stdin.write(json.dumps([name, arguments]).encode() + b"\n")
            self._child.stdin.flush()
            return self._answer(CALL_S)

        return call

    def log_text(self):
        """What ImageJ and Java have printed."""
        return Path(self._log.name).read_text()

    def _answer(self, patience_s):
        assert select.select([self._child.stdout], [], [], patience_s)[0], f"no answer: {self.log_text()}"
        line = self._child.stdout.readline()
        assert line, f"ImageJ's process has ended: {self.log_text()}"
        answer = json.loads(line)
        if "error" in answer:
            pytest.fail(answer["error"])
        return answer["result"]

    def end(self):
        self._child.stdin.close()
        try:
            assert self._child.wait(60) == 0, self.log_text()
        finally:
            self._child.kill()
        self._child.stdout.close()
        self._log.close()
