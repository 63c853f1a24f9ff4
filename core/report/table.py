"""Tables of focus, from `parfocal measure` or exported by CellProfiler, brought to one form."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from parfocal.batch.places import place_of, well_name
from parfocal.batch.plates import plates_of

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("plate", "image", "well", "site", "defocus_level", "certainty", "mean_certainty", "answered", "status")
_CELLPROFILER = re.compile(r"ImageFocus_Score_(.+)")


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a table (CSV or Parquet) that `parfocal measure` or CellProfiler's ExportToSpreadsheet wrote.

    Raises
    ------
    FileNotFoundError
        Where there is no such file.
    ValueError
        Where it is no table.
    """
    import pandas as pd

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no such table: {path}")
    try:
        if path.suffix.lower() == ".parquet":
            return pd.read_parquet(path)
        return pd.read_csv(path, dtype={"plate": str, "site": str, "Metadata_Plate": str, "Metadata_Site": str})
    except (ValueError, OSError) as error:  # pandas' and pyarrow's own errors are ValueErrors
        raise ValueError(f"{path} is no table that can be read: {error}") from error


def focus_table(table: pd.DataFrame) -> pd.DataFrame:
    """Bring a table to the columns `COLUMNS`, one row for each image.

    Parameters
    ----------
    table : pandas.DataFrame
        As `read_table` gives it: that of `parfocal measure`, or CellProfiler's Image.csv, in which each measured image
        has columns of its own (`ImageFocus_Score_<image>`, ...).

    Returns
    -------
    pandas.DataFrame
        Texts are empty where nothing is known; numbers are NaN without an answer.

    Raises
    ------
    ValueError
        Where the table holds no focus.
    """
    import pandas as pd

    if "defocus_level" in table and "certainty" in table:
        return _of_measure(table)
    images = [found[1] for found in map(_CELLPROFILER.fullmatch, map(str, table.columns)) if found]
    if not images:
        raise ValueError(
            "the table holds no focus: needed are the columns defocus_level and certainty (parfocal measure) or "
            f"ImageFocus_Score_<image> (CellProfiler), there are {', '.join(map(str, table.columns[:8]))}, ..."
        )
    return pd.concat([_of_cellprofiler(table, image) for image in images], ignore_index=True)


def _of_measure(table: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    channels, wells = _texts(table, "channel_name"), _texts(table, "well")
    numbers = pd.to_numeric(table.get("channel", pd.Series(0, index=table.index)), errors="coerce").fillna(0)
    images = channels.where((channels != "") | (numbers.nunique() <= 1), numbers.map("channel {:.0f}".format))
    plates = plates_of(list(_texts(table, "file")), list(wells), list(_texts(table, "plate")))
    return _table(table, plates, images, wells.map(well_name), _texts(table, "site"), "")


def _of_cellprofiler(table: pd.DataFrame, image: str) -> pd.DataFrame:
    short = {
        "defocus_level": f"ImageFocus_Score_{image}",
        "certainty": f"ImageFocus_Certainty_{image}",
        "mean_certainty": f"ImageFocus_MeanCertainty_{image}",
        "answered": f"ImageFocus_Answered_{image}",
        "status": f"ImageFocus_Status_{image}",
    }
    named = table.rename(columns={long: name for name, long in short.items()})
    places = _texts(table, f"FileName_{image}").map(place_of)
    wells, sites = _texts(table, "Metadata_Well").map(well_name), _texts(table, "Metadata_Site")
    wells = wells.where(wells != "", places.map(lambda place: place.well if place else ""))
    sites = sites.where(sites != "", places.map(lambda place: place.site if place else ""))
    files = _texts(table, f"PathName_{image}") + "/" + _texts(table, f"FileName_{image}")
    plates = plates_of(list(files), list(wells), list(_texts(table, "Metadata_Plate")))
    return _table(named, plates, image, wells, sites, "")


def _table(table: pd.DataFrame, plate: object, image: object, well: object, site: object, status: str) -> pd.DataFrame:
    import pandas as pd

    nothing = pd.Series(float("nan"), index=table.index)
    numbers = {name: pd.to_numeric(table.get(name, nothing), errors="coerce") for name in COLUMNS[4:7]}
    answered = table["answered"].map(_is_true) if "answered" in table else numbers["defocus_level"].notna()
    texts = {"plate": plate, "image": image, "well": well, "site": site}
    columns = {
        **texts,
        **numbers,
        "answered": answered,
        "status": _texts(table, "status") if "status" in table else status,
    }
    return pd.DataFrame(columns, index=table.index).reset_index(drop=True)[list(COLUMNS)]


def _is_true(value: object) -> bool:
    return str(value).lower() in ("true", "1", "1.0")


def _texts(table: pd.DataFrame, name: str) -> pd.Series:
    import pandas as pd

    if name not in table:
        return pd.Series("", index=table.index)
    column = table[name]
    return column.astype(object).where(column.notna(), "").astype(str)
