"""Measuring z-stacks of beads from files: tables, pictures, a report, and a history over dates."""

from parfocal.beads.batch.finish import BeadBatch
from parfocal.beads.batch.measure import measure_bead_stacks
from parfocal.beads.batch.settings import BatchSettings
from parfocal.beads.batch.targets import Target
from parfocal.beads.batch.verdict import Limits

__all__ = ["BatchSettings", "BeadBatch", "Limits", "Target", "measure_bead_stacks"]
