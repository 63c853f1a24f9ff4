"""Where the work of a screen is done: processes of this machine, a scheduler that is there, or jobs of a cluster."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Optional

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
# How long there may be no worker: processes of a machine that is busy take long to start.
_PATIENCE_S, _STARTING_S = 60.0, 300.0
_ADDRESS = re.compile(r"(?:tcp|tls)://(?:\[(?P<ipv6>[^\]]+)\]|(?P<host>[^\[\]:/]+)):(?P<port>\d{1,5})/?")
# A scheduler that is there takes a connection at once; a name may have to be looked up.
_CONNECT_S = 10.0


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
        """Raise ValueError where these do not go together, and ImportError where what does the work is missing."""
        _need("a screen", ("dask", "distributed"), "screen")
        if self.scheduler is not None and self.jobqueue is not None:
            raise ValueError(f"give scheduler or jobqueue, got both: {self.scheduler} and {self.jobqueue}")
        if self.jobqueue is not None and self.jobqueue not in JOBQUEUES:
            raise ValueError(f"jobqueue must be one of {', '.join(JOBQUEUES)}, got {self.jobqueue!r}")
        if self.jobqueue is not None:
            _need("jobqueue", ("dask_jobqueue",), "cluster")
        if self.scheduler is not None:
            _host_and_port(self.scheduler)
        if self.jobs < 1:
            raise ValueError(f"jobs must be 1 or more, got {self.jobs}")
        self.memory_bytes()

    def reach(self) -> None:
        """Raise OSError where nobody listens at the scheduler's address: Dask would try for long."""
        if self.scheduler is None:
            return
        try:
            socket.create_connection(_host_and_port(self.scheduler), _CONNECT_S).close()
        except OSError as error:
            raise OSError(f"no scheduler answers at {self.scheduler}: {error.strerror or error}") from error

    def memory_bytes(self) -> Optional[int]:
        """Memory at which a process is ended, bytes; None where what there is is shared out."""
        from dask.utils import parse_bytes

        if self.memory_limit == "auto":
            return None
        try:
            return int(parse_bytes(self.memory_limit))
        except ValueError as error:
            told = f"memory_limit must be a size such as 2GB, or auto, got {self.memory_limit!r}"
            raise ValueError(told) from error

    @property
    def awaited(self) -> str:
        """What is waited for while there is no worker."""
        if self.scheduler is not None:
            return f"a worker of {self.scheduler}"
        return "processes to start" if self.jobqueue is None else f"the first of {self.jobs} jobs of {self.jobqueue}"

    @property
    def patience_s(self) -> Optional[float]:
        """How long there may be no worker before the run ends; None for jobs, that may queue for days."""
        if self.jobqueue is not None:
            return None
        return _STARTING_S if self.scheduler is None else _PATIENCE_S

    @property
    def advice(self) -> str:
        """What to do where no worker comes."""
        return "see whether memory and disk have room" if self.scheduler is None else "start workers"


def _need(what: str, packages: tuple[str, ...], extra: str) -> None:
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        from parfocal.install.packages import extra_command

        named = " and ".join(missing).replace("_", "-")
        raise ImportError(f"{what} needs {named}: {extra_command(extra)}", name=missing[0])


def _host_and_port(address: str) -> tuple[str, int]:
    found = _ADDRESS.fullmatch(address)
    if found is None or not 0 < int(found["port"]) < 1 << 16:
        raise ValueError(f"scheduler must be an address such as tcp://node1:8786 or tls://node1:8786, got {address!r}")
    return found["ipv6"] or found["host"], int(found["port"])
