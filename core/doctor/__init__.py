"""What of Parfocal works here, and what to do about the rest."""

from parfocal.doctor.examine import examine
from parfocal.doctor.finding import BROKEN, MISSING, WORKS, Finding

__all__ = ["BROKEN", "MISSING", "WORKS", "Finding", "examine"]
