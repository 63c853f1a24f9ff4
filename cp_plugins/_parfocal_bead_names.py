"""Names and types of MeasureBeadFocalPlane's measurements.

Written down here, since the columns must be known where parfocal is not installed; a test compares them with it.
"""

from __future__ import annotations

from cellprofiler_core.constants.measurement import (
    C_LOCATION,
    C_NUMBER,
    COLTYPE_FLOAT,
    COLTYPE_INTEGER,
    COLTYPE_VARCHAR_FORMAT,
    FF_COUNT,
    FTR_CENTER_X,
    FTR_CENTER_Y,
    FTR_CENTER_Z,
    FTR_OBJECT_NUMBER,
    IMAGE,
)

if __package__:
    from ._parfocal_bead_settings import GROUPED, SINGLE
else:  # CellProfiler imports the files of its plugins folder one by one, with the folder on the path.
    from _parfocal_bead_settings import GROUPED, SINGLE

CATEGORY = "BeadFocalPlane"
FEATURES = ("ReferenceFocalPlaneUm", "IntervalLowUm", "IntervalHighUm", "SlopeZUm", "CentreZUm", "TargetUm")
FEATURES += ("BeadCount", "RefusedCount", "TiltUmPerMm", "TiltErrorUmPerMm", "Answered")
# Which need more than one plane.
STACK_FEATURES = ("SlopeZUm", "CentreZUm")
# Of each plane of a group, and of a single image.
PLANE_FEATURES = {GROUPED: ("PlaneZUm", "DistanceUm"), SINGLE: ("DistanceUm", "DistanceLowUm", "DistanceHighUm")}
# Text columns and their longest text.
TEXTS = {"Status": 32, "Reason": 255, "Warnings": 255}
BEAD_FEATURES = ("Used", "FocalPlaneUm", "DistanceUm")
# Of beads in a stack, and in one of fluorescence.
STACK_BEAD_FEATURES = ("FocalPlaneErrorUm",)
WIDTH_FEATURES = ("LateralFwhmUm", "AxialFwhmUm", "SignalToBackground")
# What CellProfiler itself measures of objects, by category.
LOCATIONS = {C_LOCATION: [FTR_CENTER_X, FTR_CENTER_Y, FTR_CENTER_Z], C_NUMBER: [FTR_OBJECT_NUMBER]}


def image_features(form: str) -> list[str]:
    """List the features of an image for a way to give the beads: numbers first, then text."""
    left_out = STACK_FEATURES if form == SINGLE else ()
    return [name for name in (*FEATURES, *PLANE_FEATURES.get(form, ()), *TEXTS) if name not in left_out]


def bead_features(form: str, fluorescence: bool) -> list[str]:
    """List the features of a bead."""
    if form == SINGLE:
        return list(BEAD_FEATURES)
    return [*BEAD_FEATURES, *STACK_BEAD_FEATURES, *(WIDTH_FEATURES if fluorescence else ())]


def columns(form: str, fluorescence: bool, image_name: str, objects_name: str) -> list[tuple[str, str, str]]:
    """List the columns: object or image, name, type."""
    listed = [(IMAGE, column(feature, image_name), column_type(feature)) for feature in image_features(form)]
    listed.append((IMAGE, FF_COUNT % objects_name, COLTYPE_INTEGER))
    for category, features in LOCATIONS.items():
        kind = COLTYPE_INTEGER if category == C_NUMBER else COLTYPE_FLOAT
        listed += [(objects_name, f"{category}_{feature}", kind) for feature in features]
    beads = bead_features(form, fluorescence)
    return listed + [(objects_name, column(feature, image_name), COLTYPE_FLOAT) for feature in beads]


def column(feature: str, image_name: str) -> str:
    """Name the column of a feature."""
    return f"{CATEGORY}_{feature}_{image_name}"


def column_type(feature: str) -> str:
    """Type of a column in a database."""
    return COLTYPE_VARCHAR_FORMAT % TEXTS[feature] if feature in TEXTS else COLTYPE_FLOAT
