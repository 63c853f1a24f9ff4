"""Columns of the table of a screen and their types: the same in every part, whatever the files hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

TEXT, WHOLE, NUMBER, FLAG = "text", "whole number", "number", "flag"

# Texts are empty, the others null, where there is nothing to say.
COLUMNS: dict[str, str] = {
    "file": TEXT,
    "series": WHOLE,
    "series_name": TEXT,
    "time": WHOLE,
    "channel": WHOLE,
    "channel_name": TEXT,
    "plate": TEXT,
    "well": TEXT,
    "site": TEXT,
    "acquired": TEXT,
    "n_planes": WHOLE,
    "height_px": WHOLE,
    "width_px": WHOLE,
    "defocus_level": NUMBER,
    "predicted_level": NUMBER,
    "certainty": NUMBER,
    "mean_certainty": NUMBER,
    "blur_diameter_px": NUMBER,
    "defocus_distance_um": NUMBER,
    "sharpest_plane_index": WHOLE,
    "sharpest_plane_z_um": NUMBER,
    "answered": FLAG,
    "status": TEXT,
    "reason": TEXT,
    "warnings": TEXT,
    "flagged": FLAG,
    "probability": NUMBER,
    "threshold": NUMBER,
    "sorting_status": TEXT,
    "sorting_reason": TEXT,
    "sorting_warnings": TEXT,
    "restored": FLAG,
    "change": NUMBER,
    "intensity_ratio": NUMBER,
    "restoration_status": TEXT,
    "restoration_reason": TEXT,
    "restoration_warnings": TEXT,
    "overlay": TEXT,
    "restored_file": TEXT,
    "uncertainty_file": TEXT,
    "preview": TEXT,
    "pixel_size_um": NUMBER,
    "z_step_um": NUMBER,
    "numerical_aperture": NUMBER,
    "emission_wavelength_um": NUMBER,
    "immersion_index": NUMBER,
    "modality": TEXT,
    "seconds": NUMBER,
}


def columns_of(classical_metrics: bool) -> dict[str, str]:
    """Columns with their types; classical metrics follow at the end where they were asked for."""
    if not classical_metrics:
        return dict(COLUMNS)
    from parfocal.focus_quality.classical import METRICS

    return {**COLUMNS, **dict.fromkeys(METRICS, NUMBER)}


def schema_of(columns: dict[str, str]) -> pa.Schema:
    """Parquet schema of the columns."""
    import pyarrow as pa

    types = {TEXT: pa.string(), WHOLE: pa.int64(), NUMBER: pa.float64(), FLAG: pa.bool_()}
    return pa.schema([(name, types[kind]) for name, kind in columns.items()])
