"""Measuring many files on the cores of one machine."""

from parfocal.batch.measure import BatchResult, measure_files

__all__ = ["BatchResult", "measure_files"]
