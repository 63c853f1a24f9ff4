"""What each process of this machine that works for a screen does first; Dask calls it by its name."""

from __future__ import annotations

import signal
from typing import Any


def dask_setup(worker: Any) -> None:
    """Leave Ctrl-C, which a terminal sends to all processes of a run, to the one that can leave things in order."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
