"""The files of a screen spread over workers, of which any may die without taking the others' work along."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Optional

from parfocal.screen.task import ScreenTask

if TYPE_CHECKING:
    from distributed import Client, Future

Rows = list[dict[str, Any]]
Done = tuple[ScreenTask, Rows, str]
# Files that are out for each process, so that it has the next one at hand.
_AHEAD = 2
# A file whose process died is tried again so often with no other beside: the first may have died for another reason.
_TRIES_ALONE = 2
_LOOK_S = 1.0


class WorkersLost(OSError):
    """No worker, or no scheduler, is left to go on with."""


class Spread:
    """Works through files on the workers of a client, a bounded number of them at a time.

    Parameters
    ----------
    client : distributed.Client
    work : callable
        Defined at module level: takes a task, and gives its rows.
    patience_s : float or None
        How long no worker may be there before the run ends; None waits for ever, as for the jobs of a cluster.
    """

    def __init__(
        self, client: Client, work: Callable[..., Rows], arguments: tuple, patience_s: Optional[float]
    ) -> None:
        self._client, self._work, self._arguments, self._patience_s = client, work, arguments, patience_s
        self._out: dict[Future, ScreenTask] = {}
        self._suspects: deque[ScreenTask] = deque()
        self._count, self._window, self._looked = 0, _AHEAD, 0.0
        self._last_worker = time.monotonic()

    def each(self, tasks: Iterable[ScreenTask]) -> Iterator[Done]:
        """Give each task with its rows as they are done, or with none and the reason.

        Raises
        ------
        WorkersLost
            Where none is left to go on with.
        """
        try:
            for task in tasks:
                self._hand_out(task)
                while len(self._out) >= self._window or self._suspects:
                    yield from self._some_done()
                    yield from self._alone()
            while self._out or self._suspects:
                yield from self._some_done()
                yield from self._alone()
        finally:
            self._give_up()

    def _hand_out(self, task: ScreenTask) -> None:
        self._count += 1
        # By a pair as key all tasks are one group to the scheduler, which keeps what it knows of a group for ever.
        key = ("parfocal-screen", id(self), self._count)
        future = self._client.submit(self._work, task, *self._arguments, key=key, pure=False)
        self._out[future] = task

    def _some_done(self) -> Iterator[Done]:
        """Wait for the first that is done, or until it is time to look whether anybody is at work."""
        from distributed import CancelledError, wait
        from distributed import TimeoutError as NotYet

        self._look()
        if not self._out:
            return
        try:
            with self._client.as_current():
                finished = wait(list(self._out), timeout=_LOOK_S, return_when="FIRST_COMPLETED").done
        except NotYet:
            return
        except CancelledError:
            finished = {future for future in self._out if future.cancelled()}
        for future in finished:
            task = self._out.pop(future)
            rows = self._rows_of(future)
            if rows is None:
                self._suspects.append(task)
            else:
                yield task, rows, ""

    def _rows_of(self, future: Future) -> Optional[Rows]:
        """Rows of a task that is done; None where its worker died. Other errors are those of the run."""
        from distributed import KilledWorker

        if future.cancelled():
            raise WorkersLost("the scheduler has gone, or has cancelled the work; go on with --resume")
        try:
            return future.result()
        except KilledWorker:
            return None
        finally:
            future.release()

    def _alone(self) -> Iterator[Done]:
        """Try files again whose worker died, when all others that were out are done; no more than one at a time."""
        while self._suspects and not self._out:
            task = self._suspects.popleft()
            for last in (False,) * (_TRIES_ALONE - 1) + (True,):
                memory = self._out_of_memory()
                self._hand_out(task)
                done = self._wait_alone()
                if done is not None:
                    yield done
                    break
                if last:
                    yield task, [], self._reason(memory)

    def _wait_alone(self) -> Optional[Done]:
        while self._out:
            for done in self._some_done():
                return done
        self._suspects.pop()
        return None

    def _reason(self, memory: int) -> str:
        given_up = time.monotonic() + _LOOK_S
        while time.monotonic() < given_up:
            # The word of it comes from another process than the word of the death.
            if self._out_of_memory() > memory:
                return "out of memory: the process that worked on it was ended at its limit"
            time.sleep(_LOOK_S / 20)
        return "the process that worked on it died: too large for the memory, or it breaks a reader"

    def _out_of_memory(self) -> int:
        """Count the processes that were ended for their memory."""
        return len(self._client.get_events("worker-restart-memory"))

    def _look(self) -> None:
        """See how many processes there are, now and then: they come and go on a cluster."""
        now = time.monotonic()
        if now - self._looked < _LOOK_S:
            return
        self._looked = now
        if self._client.status not in ("running", "connecting"):
            raise WorkersLost("the scheduler has gone; go on with --resume")
        threads = sum(self._client.nthreads().values())
        self._window = max(_AHEAD, _AHEAD * threads)
        if threads:
            self._last_worker = now
        elif self._patience_s is not None and now - self._last_worker > self._patience_s:
            raise WorkersLost(f"no worker for {self._patience_s:g} s; start workers, and go on with --resume")

    def _give_up(self) -> None:
        """Cancel what is out; a scheduler that is gone has done so itself."""
        if self._out and self._client.status == "running":
            self._client.cancel(list(self._out), force=True)
        self._out.clear()
