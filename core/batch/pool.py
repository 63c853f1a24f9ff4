"""Work spread over processes, of which any may die without taking the others' work along."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any, Optional, TypeVar

Task = TypeVar("Task")

# Tasks handed out beyond those at work; few, because all that are out when a process dies must be done again.
_AHEAD = 1


def run_in_processes(
    function: Callable[[Task], Any],
    tasks: list[Task],
    workers: int,
    initializer: Optional[Callable[..., None]] = None,
    initargs: tuple[Any, ...] = (),
) -> Iterator[tuple[Task, Any]]:
    """Apply a function to each task in worker processes; yields in the order in which tasks are done.

    When a process dies (killed for memory, or a crash in a library), the tasks that were out are done again one by one,
    each in a process of its own, so that only the one at fault is lost.

    Parameters
    ----------
    function : callable
        Defined at module level; it takes a task and returns a result, both of which can be pickled.
    tasks : list
    workers : int
        Number of processes, at least 1.
    initializer, initargs
        Called once in each process.

    Yields
    ------
    task, result
        Of a task whose process died, the result is a `BrokenProcessPool` error.
    """
    waiting = deque(tasks)
    while waiting:
        suspects: list[Task] = []
        yield from _run_until_broken(function, waiting, workers, (initializer, initargs), suspects)
        for task in suspects:
            alone: list[Task] = []
            yield from _run_until_broken(function, deque([task]), 1, (initializer, initargs), alone)
            if alone:
                yield task, BrokenProcessPool("the process that worked on it died")


def _run_until_broken(
    function: Callable[[Task], Any], waiting: deque[Task], workers: int, start: tuple, suspects: list[Task]
) -> Iterator[tuple[Task, Any]]:
    """Take tasks from `waiting` until none is left or a process dies; then `suspects` gets those that were out."""
    # Fresh interpreters: forking a process that runs threads (progress, inference) can lock up.
    executor = ProcessPoolExecutor(workers, get_context("spawn"), *start)
    out: dict[Future[Any], Task] = {}
    try:
        while (waiting or out) and not suspects:
            while waiting and len(out) < workers + _AHEAD:
                out[executor.submit(function, waiting[0])] = waiting[0]
                waiting.popleft()
            for future in wait(out, return_when=FIRST_COMPLETED).done:
                task = out.pop(future)
                if isinstance(future.exception(), BrokenProcessPool):
                    suspects.append(task)
                else:
                    yield task, future.result()
    except BrokenProcessPool:
        pass  # raised by submit: the process died between two tasks, and those that are out are done again
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
    suspects.extend(out.values())
