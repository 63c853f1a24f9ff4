"""Images of each well put together, for maps of plates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from parfocal.batch.places import row_index
from parfocal.focus_quality.result import OUT_OF_FOCUS_LEVEL
from parfocal.report.screen.figures import rounded

if TYPE_CHECKING:
    import pandas as pd

# Rows and columns of the plates there are.
FORMATS = ((2, 3), (3, 4), (4, 6), (6, 8), (8, 12), (16, 24), (32, 48))
CERTAINTY, PROBABILITY = "certainty", "probability"


@dataclass(frozen=True)
class PlateLine:
    """What the list of plates says of one."""

    name: str
    n_images: int
    n_wells: int
    median_level: float
    share_blurred: float
    share_silent: float


def second_measure(rows: pd.DataFrame) -> str:
    """What is mapped beside the level: certainty, or the probability of defocus where images were only sorted."""
    return CERTAINTY if rows["certainty"].notna().any() or rows["probability"].isna().all() else PROBABILITY


def plate_maps(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Put the images of each well together, for each plate and channel.

    Returns
    -------
    list of dict
        One for each plate and channel that has wells: `plate`, `channel`, `shape` (rows and columns of the plate, the
        same for all) and
        by well `row`, `column` (from 0), `n`, `silent`, `flagged`, and mean and worst of both measures (None without
        an answer).
    """
    placed = rows[rows["well"] != ""]
    if placed.empty:
        return []
    second = second_measure(rows)
    worst = "min" if second == CERTAINTY else "max"
    wells = placed.groupby(["plate", "channel", "well"], sort=True).agg(
        n=("file", "size"),
        answered=("answered", "sum"),
        flagged=("flagged", "sum"),
        level_mean=("defocus_level", "mean"),
        level_worst=("defocus_level", "max"),
        second_mean=(second, "mean"),
        second_worst=(second, worst),
    )
    shape = plate_shape([_row_and_column(well) for well in placed["well"].unique()])
    return [_map(names, group.reset_index(), shape) for names, group in wells.groupby(level=["plate", "channel"])]


def _map(names: Any, wells: pd.DataFrame, shape: tuple[int, int]) -> dict[str, Any]:
    places = [_row_and_column(well) for well in wells["well"]]
    measures = ("level_mean", "level_worst", "second_mean", "second_worst")
    return {
        "plate": names[0],
        "channel": names[1],
        "shape": shape,
        "row": [row for row, _ in places],
        "column": [column for _, column in places],
        "n": wells["n"].tolist(),
        "silent": (wells["n"] - wells["answered"]).astype(int).tolist(),
        "flagged": wells["flagged"].fillna(0).astype(int).tolist(),
        **{name: rounded(wells[name], 2) for name in measures},
    }


def plate_shape(places: list[tuple[int, int]]) -> tuple[int, int]:
    """Rows and columns of the smallest plate that has all these wells (row, column from 0)."""
    rows, columns = (1 + max(numbers) for numbers in zip(*places))
    fitting = (shape for shape in FORMATS if shape[0] >= rows and shape[1] >= columns)
    return next(fitting, FORMATS[-1])


def _row_and_column(well: str) -> tuple[int, int]:
    letters = well.rstrip("0123456789")
    return row_index(letters), int(well[len(letters) :]) - 1


def plate_lines(rows: pd.DataFrame) -> list[PlateLine]:
    """Sum up each plate, that with the largest share of images out of focus first."""
    placed = rows[rows["well"] != ""].assign(blurred=rows["defocus_level"] > OUT_OF_FOCUS_LEVEL)
    plates = placed.groupby("plate").agg(
        n=("file", "size"),
        wells=("well", "nunique"),
        level=("defocus_level", "median"),
        blurred=("blurred", "mean"),
        answered=("answered", "mean"),
    )
    plates = plates.sort_values(["blurred", "answered"], ascending=[False, True], kind="stable")
    return [
        PlateLine(str(row.Index), int(row.n), int(row.wells), row.level, row.blurred, 1 - row.answered)
        for row in plates.itertuples()
    ]
