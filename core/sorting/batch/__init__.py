"""Sorting many files on the cores of one machine."""

from parfocal.sorting.batch.sort import SortedBatch, sort_files

__all__ = ["SortedBatch", "sort_files"]
