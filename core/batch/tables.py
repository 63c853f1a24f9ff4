"""Tables and summary picture of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from parfocal.batch.files import FileReport

if TYPE_CHECKING:
    import pandas as pd

SUMMARY = "summary.png"
# Columns that every table of images has, also where no file could be read.
IMAGE_WHOLE_NUMBERS = ("series", "time", "channel", "n_planes", "height_px", "width_px")
IMAGE_TEXTS = ("file", "series_name", "channel_name", "well", "site", "status", "reason", "warnings", "modality")
_WHOLE_NUMBERS = (*IMAGE_WHOLE_NUMBERS, "sharpest_plane_index")
_TEXTS = (*IMAGE_TEXTS, "overlay", "sharpest_plane_file")
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
    written = write_table(output / "measurements.csv", images)
    for name, frame in (("planes.csv", planes), ("patches.csv", patches)):
        if len(frame):
            frame.to_csv(output / name, index=False)
            written.append(output / name)
        else:
            (output / name).unlink(missing_ok=True)  # of an earlier run that may be overwritten
    written.append(draw_plate(images, output / SUMMARY))
    return images, written


def write_table(path: Path, table: pd.DataFrame) -> list[Path]:
    """Write a table as CSV, and as Parquet beside it."""
    table.to_csv(path, index=False)
    table.to_parquet(path.with_suffix(".parquet"), index=False)
    return [path, path.with_suffix(".parquet")]


def image_table(
    rows: list[dict[str, Any]],
    numbers: Sequence[str] = _NUMBERS,
    whole_numbers: Sequence[str] = _WHOLE_NUMBERS,
    texts: Sequence[str] = _TEXTS,
) -> pd.DataFrame:
    """Table of images: the same columns and types whatever the files hold."""
    import pandas as pd

    frame = pd.DataFrame(rows)
    for name in numbers:
        frame[name] = frame[name].astype(float) if name in frame else float("nan")
    for name in (*whole_numbers, *texts):
        if name not in frame:
            frame[name] = None
    return _typed(frame, whole_numbers, texts)


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    return _typed(pd.DataFrame(rows), (*_WHOLE_NUMBERS, "plane"), _TEXTS)


def _typed(frame: pd.DataFrame, whole_numbers: Sequence[str], texts: Sequence[str]) -> pd.DataFrame:
    for name in frame.columns:
        if name in whole_numbers:
            frame[name] = frame[name].astype("Int64")
        elif name in texts:
            frame[name] = frame[name].astype(object).where(frame[name].notna(), "").astype(str)
    first = [name for name in _ORDER if name in frame]
    return frame[first + [name for name in frame.columns if name not in first]]
