"""Work for other processes that ends them; it imports next to nothing, since each process imports it."""

from __future__ import annotations

import os


def upper_or_die(letter):
    if letter == "b":
        os._exit(3)
    return letter.upper()


def measure_file_or_die(task):
    """Stand in for `measure_file`: a file called crash takes its process along."""
    if task.path.stem == "crash":
        os._exit(3)
    from parfocal.batch.worker import measure_file

    return measure_file(task)


def restore_file_or_die(task):
    """Stand in for `restore_file`: a file called crash takes its process along."""
    if task.path.stem == "crash":
        os._exit(3)
    from parfocal.restoration.batch.worker import restore_file

    return restore_file(task)


def sort_file_or_die(task):
    """Stand in for `sort_file`: a file called crash takes its process along."""
    if task.path.stem == "crash":
        os._exit(3)
    from parfocal.sorting.batch.worker import sort_file

    return sort_file(task)
