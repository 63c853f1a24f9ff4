"""Parfocal: one focus engine for CellProfiler, Fiji and Micro-Manager.

Names load on first use, so that importing the package costs next to nothing.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from parfocal.lazy import lazy_names

if TYPE_CHECKING:
    from parfocal.beads.calibrate import calibrate_beads
    from parfocal.beads.measure import measure_bead_focal_plane
    from parfocal.beads.result import BeadFocalPlane
    from parfocal.focal_position.calibrate import calibrate_focal_position
    from parfocal.focal_position.estimate import estimate_focal_position
    from parfocal.focal_position.result import FocalPosition
    from parfocal.focus_control.autofocus import autofocus
    from parfocal.focus_control.session import FocusSession, hold_focus
    from parfocal.focus_control.settings import HoldFocus
    from parfocal.focus_quality.measure import measure_image_focus
    from parfocal.focus_quality.result import ImageFocus
    from parfocal.optics import Optics
    from parfocal.restoration.restore import restore_defocus
    from parfocal.restoration.result import Restoration
    from parfocal.sorting.flag import flag_defocused
    from parfocal.sorting.result import DefocusFlag
    from parfocal.sorting.scores import threshold_for_false_alarms

_HOMES = {
    "calibrate_beads": "parfocal.beads.calibrate",
    "measure_bead_focal_plane": "parfocal.beads.measure",
    "BeadFocalPlane": "parfocal.beads.result",
    "autofocus": "parfocal.focus_control.autofocus",
    "FocusSession": "parfocal.focus_control.session",
    "hold_focus": "parfocal.focus_control.session",
    "HoldFocus": "parfocal.focus_control.settings",
    "calibrate_focal_position": "parfocal.focal_position.calibrate",
    "estimate_focal_position": "parfocal.focal_position.estimate",
    "FocalPosition": "parfocal.focal_position.result",
    "measure_image_focus": "parfocal.focus_quality.measure",
    "ImageFocus": "parfocal.focus_quality.result",
    "Optics": "parfocal.optics",
    "restore_defocus": "parfocal.restoration.restore",
    "Restoration": "parfocal.restoration.result",
    "flag_defocused": "parfocal.sorting.flag",
    "DefocusFlag": "parfocal.sorting.result",
    "threshold_for_false_alarms": "parfocal.sorting.scores",
    "__version__": "parfocal.version",
}

__all__ = [
    "BeadFocalPlane",
    "DefocusFlag",
    "FocalPosition",
    "FocusSession",
    "HoldFocus",
    "ImageFocus",
    "Optics",
    "Restoration",
    "autofocus",
    "calibrate_beads",
    "calibrate_focal_position",
    "estimate_focal_position",
    "flag_defocused",
    "hold_focus",
    "measure_bead_focal_plane",
    "measure_image_focus",
    "restore_defocus",
    "threshold_for_false_alarms",
]

# Else ONNX Runtime tells its maker of its use over the network; it looks at this once, when it starts.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
