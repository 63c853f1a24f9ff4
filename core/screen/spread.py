"""The files of a screen spread over workers, of which any may die without taking the others' work along."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Optional

from parfocal.screen.place import Place
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
_GONE = "the scheduler has gone, or has cancelled the work; what is done is kept, go on with --resume"


class WorkersLost(OSError):
    """No worker, or no scheduler, is left to go on with."""


class Spread:
    """Works through files on the workers of a client, a bounded number of them at a time.

    Parameters
    ----------
    client : distributed.Client
    work : callable
        Defined at module level: takes a task, and gives its rows.
    place : Place
        What the client is of: it says how long there may be no worker.
    tell : callable
        Called about once a second with the number of workers.
    """

    def __init__(
        self, client: Client, work: Callable[..., Rows], arguments: tuple, place: Place, tell: Callable[[int], None]
    ) -> None:
        self._client, self._work, self._arguments, self._place, self._tell = client, work, arguments, place, tell
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
            # What nobody holds any longer is not begun; closing the client would be too late for a slow scheduler.
            self._out.clear()

    def _hand_out(self, task: ScreenTask) -> None:
        self._count += 1
        # By a pair as key all tasks are one group to the scheduler, which keeps what it knows of a group for ever.
        key = ("parfocal-screen", id(self), self._count)
        with _scheduler_answers():
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
            raise WorkersLost(_GONE)
        try:
            with _scheduler_answers():
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
        with _scheduler_answers():
            return len(self._client.get_events("worker-restart-memory"))

    def _look(self) -> None:
        """See how many processes there are, now and then: they come and go on a cluster."""
        now = time.monotonic()
        if now - self._looked < _LOOK_S:
            return
        self._looked = now
        # A client that connects anew has no longer what it handed out.
        if self._client.status != "running":
            raise WorkersLost(_GONE)
        with _scheduler_answers():
            threads = sum(self._client.nthreads().values())
        self._tell(threads)
        self._window = max(_AHEAD, _AHEAD * threads)
        patience_s = self._place.patience_s
        if threads:
            self._last_worker = now
        elif patience_s is not None and now - self._last_worker > patience_s:
            raise WorkersLost(f"no worker for {patience_s:g} s; {self._place.advice}, and go on with --resume")


@contextmanager
def _scheduler_answers() -> Iterator[None]:
    """Raise WorkersLost where the scheduler does not answer, whatever Dask makes of it."""
    from distributed import CancelledError

    try:
        yield
    except (OSError, CancelledError) as error:
        raise WorkersLost(_GONE) from error
