"""Names and types of MeasureBeadFocalPlane's measurements.

Written down here, since the columns must be known where parfocal is not installed; a test compares them with it.
"""

from __future__ import annotations

from cellprofiler_core.constants.measurement import COLTYPE_FLOAT, COLTYPE_VARCHAR_FORMAT

CATEGORY = "BeadFocalPlane"
FEATURES = ("ReferenceFocalPlaneUm", "IntervalLowUm", "IntervalHighUm", "SlopeZUm", "CentreZUm", "TargetUm")
FEATURES += ("BeadCount", "RefusedCount", "TiltUmPerMm", "TiltErrorUmPerMm", "Answered")
# Of each plane of a group.
PLANE_FEATURES = ("PlaneZUm", "DistanceUm")
# Text columns and their longest text.
TEXTS = {"Status": 32, "Reason": 255, "Warnings": 255}
BEAD_FEATURES = ("Used", "FocalPlaneUm", "FocalPlaneErrorUm", "DistanceUm")
WIDTH_FEATURES = ("LateralFwhmUm", "AxialFwhmUm", "SignalToBackground")


def image_features(grouped: bool) -> list[str]:
    """List the features of an image: numbers first, then text."""
    return [*FEATURES, *(PLANE_FEATURES if grouped else ()), *TEXTS]


def bead_features(fluorescence: bool) -> list[str]:
    """List the features of a bead."""
    return [*BEAD_FEATURES, *(WIDTH_FEATURES if fluorescence else ())]


def column(feature: str, image_name: str) -> str:
    """Name the column of a feature."""
    return f"{CATEGORY}_{feature}_{image_name}"


def column_type(feature: str) -> str:
    """Type of a column in a database."""
    return COLTYPE_VARCHAR_FORMAT % TEXTS[feature] if feature in TEXTS else COLTYPE_FLOAT
