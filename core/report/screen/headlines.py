"""The numbers that come first, in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parfocal import status
from parfocal.focus_quality.result import OUT_OF_FOCUS_LEVEL

if TYPE_CHECKING:
    import pandas as pd


# Number and sign stay on one line.
_PERCENT = "\u00a0%"


@dataclass(frozen=True)
class Headline:
    """A number, what it counts, and what it means."""

    number: str
    name: str
    note: str


def headlines(rows: pd.DataFrame) -> list[Headline]:
    """Count images by what came out; what was not asked for is left out.

    Parameters
    ----------
    rows : pandas.DataFrame
        Of `screen_rows`.
    """
    n, levels = len(rows), rows["defocus_level"]
    blurred, silent = int((levels > OUT_OF_FOCUS_LEVEL).sum()), int((~rows["answered"]).sum())
    unreadable = int((rows["status"] == status.UNREADABLE).sum())
    found = [Headline(counted(n), "image" if n == 1 else "images", _where(rows))]
    found.append(Headline(counted(blurred), "out of focus", f"level above {OUT_OF_FOCUS_LEVEL:g}; {share(blurred, n)}"))
    if rows["flagged"].notna().any():
        flagged = int(rows["flagged"].sum())
        found.append(Headline(counted(flagged), "flagged as defocused", f"by the sorter; {share(flagged, n)}"))
    if rows["restored"].any() or (rows["restoration_status"] != "").any():
        restored = int(rows["restored"].sum())
        found.append(Headline(counted(restored), "restored", f"marked as such; {share(restored, n)}"))
    note = f"{share(silent, n)}; {counted(unreadable)} of them could not be read"
    found.append(Headline(counted(silent), "without an answer", note))
    if levels.notna().any():
        middle, late = levels.quantile([0.5, 0.95])
        found.append(Headline(f"{middle:.1f}", "median defocus level", f"95 % of images lie below {late:.1f}"))
    return found


def _where(rows: pd.DataFrame) -> str:
    wells = rows.loc[rows["well"] != "", ["plate", "well"]].drop_duplicates()
    if wells.empty:
        return "of no known well"
    plates, channels = wells["plate"].nunique(), rows["channel"].nunique()
    told = (several(len(wells), "well"), several(plates, "plate"), several(channels, "channel"))
    return ", ".join(told)


def several(count: int, name: str) -> str:
    """A count with its noun."""
    return f"{counted(count)} {name}{'' if count == 1 else 's'}"


def times(count: int) -> str:
    """How often something was done."""
    return {1: "once", 2: "twice"}.get(count) or f"{counted(count)} times"


def counted(count: int) -> str:
    """A whole number with a comma at each thousand."""
    return f"{count:,}"


def share(part: int, whole: int) -> str:
    """A share in percent; small ones are told from none, and large ones from all."""
    percent = 100 * part / whole if whole else 0.0
    if 0 < percent < 0.1:
        return f"less than 0.1{_PERCENT}"
    if 99.9 < percent < 100:
        return f"more than 99.9{_PERCENT}"
    return f"{percent:.1f}{_PERCENT}" if percent % 1 else f"{percent:.0f}{_PERCENT}"
