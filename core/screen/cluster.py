"""The workers of a screen: processes started here, those of a scheduler that is there, or jobs of a cluster."""

from __future__ import annotations

import logging
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from parfocal.screen.closing import closed, ended, made
from parfocal.screen.place import JOBQUEUES, Place

if TYPE_CHECKING:
    from distributed import Client

_EMBEDDED = {
    # A task whose process dies is not given to others at once: it is tried again alone.
    "distributed.scheduler.allowed-failures": 0,
    "distributed.worker.multiprocessing-method": "spawn",
    "distributed.worker.preload": ["parfocal.screen.preload"],
    # A worker that is being started again is not to be taken for lost and ended for good.
    "distributed.deploy.lost-worker-timeout": "1000 days",
    # Nothing but an image is in a worker's memory: to wait or to write to disk frees none of it.
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": 0.95,
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.admin.log-length": 100,
    "distributed.admin.system-monitor.log-length": 100,
}
# A scheduler serves pages in any case: from a free port, of this machine alone, and without Dask's dashboard.
_NO_PAGES = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}


@contextmanager
def connected(place: Place) -> Iterator[Client]:
    """Give a client of wherever the work is done; what was started for it ends with the context.

    Parameters
    ----------
    place : Place
        Checked already.

    Raises
    ------
    ValueError
        Where dask-jobqueue cannot use its configuration.
    OSError
        Where no scheduler answers.
    """
    with _quiet_logs():
        if place.scheduler is not None:
            with _client(place.scheduler) as client:
                yield client
        elif place.jobqueue is not None:
            with _jobs(place) as cluster, _client(cluster) as client:
                yield client
        else:
            with _embedded(place) as cluster, _client(cluster) as client:
                yield client


@contextmanager
def _client(cluster: Any) -> Iterator[Client]:
    from distributed import Client

    try:
        client = made(lambda: Client(cluster, set_as_default=False))
    except OSError as error:
        raise OSError(f"no scheduler answers at {cluster}: {error}") from error
    try:
        yield client
    finally:
        closed(client.close)


@contextmanager
def _embedded(place: Place) -> Iterator[Any]:
    """Processes of one thread each, that can be reached from this machine alone."""
    import dask
    from distributed import LocalCluster

    # What Dask writes down goes to a folder of the run's own.
    folder = tempfile.mkdtemp(prefix="parfocal-")
    try:
        with dask.config.set(_EMBEDDED):
            # Processes are asked for when the cluster is there to be closed, whatever happens while they start.
            about = {
                "n_workers": 0,
                "threads_per_worker": 1,
                "host": "127.0.0.1",
                "dashboard_address": _NO_PAGES["dashboard_address"],
                "scheduler_kwargs": _NO_PAGES,
                "memory_limit": _memory_limit(place),
                "local_directory": folder,
                "silence_logs": logging.CRITICAL,
            }
            cluster = made(lambda: LocalCluster(processes=True, **about))
            try:
                cluster.scale(place.workers)
                yield cluster
            finally:
                ended(cluster)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _memory_limit(place: Place) -> int:
    """Bytes that a process may take."""
    from distributed.system import MEMORY_LIMIT

    return place.memory_bytes() or MEMORY_LIMIT // place.workers


@contextmanager
def _jobs(place: Place) -> Iterator[Any]:
    make = getattr(_jobqueue(str(place.jobqueue)), JOBQUEUES[str(place.jobqueue)])
    try:
        cluster = made(lambda: make(scheduler_options=dict(_NO_PAGES)))
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"dask-jobqueue cannot use {place.jobqueue} as it is configured (cores and memory must be set in "
            f"~/.config/dask/jobqueue.yaml): {error}"
        ) from error
    try:
        cluster.scale(jobs=place.jobs)
        yield cluster
    finally:
        cluster.shutdown_on_close = False
        closed(cluster.close)


def _jobqueue(name: str) -> ModuleType:
    """Import a kind of dask-jobqueue's clusters, which makes Ctrl-C its own on the way: that is taken back."""
    before = signal.getsignal(signal.SIGINT)
    module = import_module(f"dask_jobqueue.{name}")
    if signal.getsignal(signal.SIGINT) is not before:
        signal.signal(signal.SIGINT, before)
    return module


@contextmanager
def _quiet_logs() -> Iterator[None]:
    """Keep Dask's log off the terminal: what a user must know of it becomes a row or an error."""
    import distributed  # noqa: F401  it sets up its logs when it is imported

    # Some have a level of their own, that those above them do not change.
    known = [name for name in logging.root.manager.loggerDict if name.startswith("distributed.")]
    logs = [logging.getLogger(name) for name in ("distributed", *known, "tornado.application", "bokeh", "asyncio")]
    levels = [log.level for log in logs]
    for log in logs:
        log.setLevel(logging.CRITICAL + 1)
    yield
    # After an error they stay silent: what is still at work would only tell of the same in its own words.
    for log, level in zip(logs, levels):
        log.setLevel(level)
