"""A distance network for the user's own instrument: from sweeps over the reference focal plane to a model folder."""

from parfocal.beads.calibrate.command import calibrate_beads
from parfocal.beads.calibrate.fit import BeadCalibration, CalibrationSettings, calibrate_sweeps
from parfocal.beads.calibrate.sweep import CropCut, Sweep, label_sweep

__all__ = [
    "BeadCalibration",
    "CalibrationSettings",
    "CropCut",
    "Sweep",
    "calibrate_beads",
    "calibrate_sweeps",
    "label_sweep",
]
