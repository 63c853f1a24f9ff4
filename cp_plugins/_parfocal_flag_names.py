"""Names and types of FlagDefocused's measurements.

Written down here, since the columns must be known where parfocal is not installed; a test compares them with it.
"""

from __future__ import annotations

from cellprofiler_core.constants.measurement import C_METADATA, COLTYPE_FLOAT, COLTYPE_VARCHAR_FORMAT

CATEGORY = "FlagDefocused"
FEATURES = ("Probability", "Defocused", "Answered", "Threshold", "DefocusLevel", "SharpestPlane")
# Text columns and their longest text.
TEXTS = {"Status": 32, "Reason": 255, "Warnings": 255}
# Category and feature of the flag of a single image.
METADATA, FLAG = C_METADATA, "Defocused"


def column(feature: str, image_name: str) -> str:
    """Name the column of a feature."""
    return f"{CATEGORY}_{feature}_{image_name}"


def column_type(feature: str) -> str:
    """Type of a column in a database."""
    return COLTYPE_VARCHAR_FORMAT % TEXTS[feature] if feature in TEXTS else COLTYPE_FLOAT


def image_flag(image_name: str) -> str:
    """Name the column of the flag of an image."""
    return f"{METADATA}_{FLAG}_{image_name}"
