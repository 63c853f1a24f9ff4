"""`python -m parfocal.worker`: serve one host until it closes the input."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from typing import Optional, TextIO


def main(grace_s: Optional[float] = None) -> None:
    """Serve; what libraries print goes to standard error, so that it cannot come between the answers.

    See `parfocal.worker.loop.Worker` for `grace_s`.
    """
    answers = _own_output()
    # Whatever the system's own encoding is.
    sys.stdin.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    if grace_s is not None:
        # Of a host that is ended at the same time, as by the scheduler of a cluster, the file would stay in memory.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    _preload()
    from parfocal.worker.calls import remove_files
    from parfocal.worker.loop import Worker

    # Where the host has gone, or is ended by Ctrl-C together with this.
    with suppress(BrokenPipeError, KeyboardInterrupt):
        Worker(sys.stdin, answers, grace_s).run()
    remove_files()


def _own_output() -> TextIO:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return answers


def _preload() -> None:
    """Load what every task needs while nobody reads: on Windows libraries hang if they load beside a reader."""
    import onnxruntime  # noqa: F401
    from appose import python_worker

    from parfocal.worker.calls import COMMANDS, function_of

    # Tells Appose that shared memory belongs to the host: Python would else delete it at its own end.
    python_worker.Worker()
    for name in COMMANDS:
        function_of(name)


if __name__ == "__main__":
    main()
