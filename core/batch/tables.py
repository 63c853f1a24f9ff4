"""Tables and summary picture of a batch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from parfocal.batch.worker import FileReport

if TYPE_CHECKING:
    import pandas as pd

SUMMARY = "summary.png"
_WHOLE_NUMBERS = ("series", "time", "channel", "n_planes", "height_px", "width_px", "sharpest_plane_index", "plane")
_TEXTS = (
    "file",
    "series_name",
    "channel_name",
    "well",
    "site",
    "status",
    "reason",
    "warnings",
    "modality",
    "overlay",
    "sharpest_plane_file",
)
# Columns that every table of images has, also where no file could be read.
_NUMBERS = (
    "defocus_level",
    "predicted_level",
    "certainty",
    "mean_certainty",
    "blur_diameter_px",
    "defocus_distance_um",
    "sharpest_plane_z_um",
    "pixel_size_um",
    "z_step_um",
    "numerical_aperture",
    "emission_wavelength_um",
    "immersion_index",
)
_ORDER = (
    "file",
    "series",
    "series_name",
    "time",
    "channel",
    "channel_name",
    "well",
    "site",
    "plane",
    "z_um",
    "n_planes",
    "height_px",
    "width_px",
    "defocus_level",
    "predicted_level",
    "certainty",
    "mean_certainty",
    "answered",
    "status",
    "reason",
    "warnings",
)


def write_tables(output: Path, reports: list[FileReport]) -> tuple[pd.DataFrame, list[Path]]:
    """Write `measurements.csv` and `.parquet`, `planes.csv` and `patches.csv` where there are any, and `summary.png`.

    Returns
    -------
    table : pandas.DataFrame
        The table of images.
    written : list of Path
    """
    from parfocal.report.plate import draw_plate

    images = image_table([row for report in reports for row in report.images])
    planes = _frame([row for report in reports for row in report.planes])
    patches = _frame([row for report in reports for row in report.patches])
    written = [output / "measurements.csv", output / "measurements.parquet"]
    images.to_csv(written[0], index=False)
    images.to_parquet(written[1], index=False)
    for name, frame in (("planes.csv", planes), ("patches.csv", patches)):
        if len(frame):
            frame.to_csv(output / name, index=False)
            written.append(output / name)
        else:
            (output / name).unlink(missing_ok=True)  # of an earlier run that may be overwritten
    written.append(draw_plate(images, output / SUMMARY))
    return images, written


def image_table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Table of images: the same columns and types whatever the files hold."""
    frame = _frame(rows)
    for name in _NUMBERS:
        frame[name] = frame[name].astype(float) if name in frame else float("nan")
    for name in (*_WHOLE_NUMBERS[:-1], *_TEXTS):
        if name not in frame:
            frame[name] = None
    return _typed(frame)


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    return _typed(pd.DataFrame(rows))


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    for name in frame.columns:
        if name in _WHOLE_NUMBERS:
            frame[name] = frame[name].astype("Int64")
        elif name in _TEXTS:
            frame[name] = frame[name].astype(object).where(frame[name].notna(), "").astype(str)
    first = [name for name in _ORDER if name in frame]
    return frame[first + [name for name in frame.columns if name not in first]]
