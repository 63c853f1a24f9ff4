"""Where the work of a screen is done: processes of this machine, a scheduler that is there, or jobs of a cluster."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Optional

if TYPE_CHECKING:
    from distributed import Client

# Names of dask-jobqueue's clusters; `local` is for trying a configuration out.
JOBQUEUES = {
    "slurm": "SLURMCluster",
    "pbs": "PBSCluster",
    "sge": "SGECluster",
    "lsf": "LSFCluster",
    "htcondor": "HTCondorCluster",
    "moab": "MoabCluster",
    "oar": "OARCluster",
    "local": "LocalCluster",
}
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
    "distributed.admin.log-length": 100,
    "distributed.admin.system-monitor.log-length": 100,
}
_CLOSE_S = 10.0


@dataclass(frozen=True)
class Place:
    """Where the work is done; of the last three one at most is given.

    Attributes
    ----------
    workers : int
        Processes of this machine.
    scheduler : str, optional
        Address of a scheduler of dask.distributed, such as `tcp://node1:8786`.
    jobqueue : str, optional
        One of `JOBQUEUES`; cores, memory, queue and walltime come from dask-jobqueue's configuration.
    jobs : int
        Number of jobs that are asked for.
    memory_limit : str
        Memory at which a process of this machine is ended, such as `2GB`; `auto` shares out what there is.
    """

    workers: int = 1
    scheduler: Optional[str] = None
    jobqueue: Optional[str] = None
    jobs: int = 1
    memory_limit: str = "auto"

    def check(self) -> None:
        """Raise ValueError where these do not go together."""
        if self.scheduler is not None and self.jobqueue is not None:
            raise ValueError(f"give scheduler or jobqueue, got both: {self.scheduler} and {self.jobqueue}")
        if self.jobqueue is not None and self.jobqueue not in JOBQUEUES:
            raise ValueError(f"jobqueue must be one of {', '.join(JOBQUEUES)}, got {self.jobqueue!r}")
        if self.jobs < 1:
            raise ValueError(f"jobs must be 1 or more, got {self.jobs}")


@contextmanager
def connected(place: Place) -> Iterator[Client]:
    """Give a client of wherever the work is done; what was started for it ends with the context.

    Raises
    ------
    ValueError
        Where the place cannot be used as it is given.
    OSError
        Where no scheduler answers.
    """
    place.check()
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
        client = Client(cluster, set_as_default=False)
    except OSError as error:
        raise OSError(f"no scheduler answers at {cluster}: {error}") from error
    try:
        yield client
    finally:
        with suppress(Exception):  # a scheduler that is gone cannot be told
            client.close(timeout=_CLOSE_S)


@contextmanager
def _embedded(place: Place) -> Iterator[Any]:
    """Processes of one thread each, that this one alone can reach by the network."""
    import dask
    from distributed import LocalCluster

    # What Dask writes down goes to a folder of the run's own.
    with dask.config.set(_EMBEDDED), tempfile.TemporaryDirectory(prefix="parfocal-") as folder:
        cluster = LocalCluster(
            n_workers=place.workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
            memory_limit=place.memory_limit,
            local_directory=folder,
            silence_logs=logging.CRITICAL,
        )
        try:
            yield cluster
        finally:
            with suppress(Exception):  # processes that were killed meanwhile
                cluster.close(timeout=_CLOSE_S)


@contextmanager
def _jobs(place: Place) -> Iterator[Any]:
    try:
        module = import_module(f"dask_jobqueue.{place.jobqueue}")
    except ImportError as error:
        raise ImportError("jobqueue needs the package dask-jobqueue: pip install 'parfocal[cluster]'") from error
    make = getattr(module, JOBQUEUES[str(place.jobqueue)])
    try:
        cluster = make(scheduler_options={"dashboard_address": None})
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"dask-jobqueue cannot use {place.jobqueue} as it is configured (cores and memory must be set in "
            f"~/.config/dask/jobqueue.yaml): {error}"
        ) from error
    try:
        cluster.scale(jobs=place.jobs)
        yield cluster
    finally:
        with suppress(Exception):  # jobs that ended by themselves
            cluster.close(timeout=_CLOSE_S)


@contextmanager
def _quiet_logs() -> Iterator[None]:
    """Keep Dask's log off the terminal: what a user must know of it becomes a row or an error."""
    logs = [logging.getLogger(name) for name in ("distributed", "tornado.application", "bokeh")]
    levels = [log.level for log in logs]
    for log in logs:
        log.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for log, level in zip(logs, levels):
            log.setLevel(level)
