"""How what works for a screen is made and closed, so that Ctrl-C or a process that hangs leaves nothing behind."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from multiprocessing import active_children
from typing import Any

# What does not close within this time is left, or ended: nothing keeps the program from its end.
_CLOSE_S = 10.0
# Of a run that is killed it would tell on the terminal what it cleans up: that is as it should be.
_QUIET = "ignore:resource_tracker:UserWarning"


def made(make: Callable[[], Any]) -> Any:
    """Make what is to be closed in a thread of its own: Ctrl-C would leave half of it, that nobody could close."""
    result: Future[Any] = Future()

    def work() -> None:
        _unreached_by_ctrl_c()
        try:
            result.set_result(make())
        except BaseException as error:
            result.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        return result.result()
    except KeyboardInterrupt:
        closed(lambda: result.result().close())
        raise


def _unreached_by_ctrl_c() -> None:
    """Have threads and processes that this thread starts not meant by Ctrl-C either, from their first moment on."""
    if hasattr(signal, "pthread_sigmask"):
        from multiprocessing import resource_tracker

        # When it starts it lets signals through again, and takes over how warnings are dealt with.
        sys.warnoptions.append(_QUIET)
        try:
            resource_tracker.ensure_running()
        finally:
            sys.warnoptions.remove(_QUIET)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def closed(close: Callable[[], Any]) -> None:
    """Call what closes something, but wait for it only so long."""

    def quietly() -> None:
        with suppress(Exception):  # processes that were killed meanwhile, a scheduler that is gone
            close()

    closing = threading.Thread(target=quietly, daemon=True)
    closing.start()
    closing.join(_CLOSE_S)


def ended(cluster: Any) -> None:
    """Close a cluster of this machine, and end those of its processes that do not end by themselves."""
    cluster.shutdown_on_close = False  # Dask's own hook at the end of the program would wait for it once more
    try:
        closed(cluster.close)
    finally:
        left = {nanny.pid for nanny in cluster.workers.values()}
        for child in active_children():
            if child.pid in left:
                child.kill()
