"""Restoring many files on the cores of one machine."""

from parfocal.restoration.batch.restore import RestoredBatch, restore_files

__all__ = ["RestoredBatch", "restore_files"]
