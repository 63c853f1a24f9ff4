"""Work for the processes of a screen that stands in for measuring; each process imports it, so it imports little."""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

tries = Counter()


def stand_in(task, settings):
    """A row without a look at the file; `crash` takes its process along, `fat` fills the memory."""
    from parfocal.screen.rows import finished_row, unreadable_row

    name = Path(task.path).stem
    if name == "crash":
        os._exit(3)
    if name == "fat":
        kept = []
        while True:
            kept.append(bytearray(20_000_000))
            time.sleep(0.02)
    return [finished_row({**unreadable_row(task, "not looked at"), "status": "ok"}, task, 0.0)]


def full_disk(path, pixels, metadata):
    """Stand in for writing a picture on a disk that is full."""
    raise OSError(28, "No space left on device")


def dies_twice(task):
    """Stand in for a process that dies: of files called so at the first two tries, or at each."""
    from distributed import KilledWorker

    name = Path(task.path).stem
    tries[name] += 1
    if name == "always" or (name == "twice" and tries[name] < 3):
        raise KilledWorker(name, SimpleNamespace(address="gone"), 0)
    return [{"file": task.path}]
