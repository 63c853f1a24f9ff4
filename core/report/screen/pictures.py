"""Images of a screen as small pictures within the page."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from parfocal.focus_quality.result import OUT_OF_FOCUS_LEVEL
from parfocal.images.metadata import UnreadableImage
from parfocal.report.screen.originals import grey_picture, restoration_picture

if TYPE_CHECKING:
    import pandas as pd

MOST_WORST, MOST_RESTORED = 12, 6
# Widths of an image as a whole and of a part of it at full resolution: reduced, a defocused image looks sharp.
_WHOLE_PX, _DETAIL_PX = 480, 224
# The same of the three panels of a restoration, each.
_PANEL_PX = 316
_GAP_PX = 4
_JPEG_QUALITY = 82


@dataclass(frozen=True)
class Embedded:
    """A picture that the page holds: data URL and size in px."""

    url: str
    width: int
    height: int


@dataclass(frozen=True)
class Picture:
    """An image of the screen.

    Attributes
    ----------
    file, told : str
        Which image it is, and what was found.
    whole, detail : Embedded or None
        The image, reduced, and a part at full resolution (None where the whole is not reduced); both None where the
        image cannot be read any more.
    """

    file: str
    told: str
    whole: Optional[Embedded] = None
    detail: Optional[Embedded] = None


def is_bad(rows: pd.DataFrame) -> pd.Series:
    """Whether each image is flagged, or of a level that counts as out of focus."""
    return rows["flagged"].fillna(False).astype(bool) | (rows["defocus_level"] > OUT_OF_FOCUS_LEVEL)


def worst_pictures(rows: pd.DataFrame, home: Path) -> list[Picture]:
    """Show the images of the highest levels among those that are flagged or out of focus, the more certain first.

    Parameters
    ----------
    rows : pandas.DataFrame
        Of `screen_rows`.
    home : Path
        Folder from which the paths of overlays are meant.
    """
    worst = rows[is_bad(rows)].sort_values("file", kind="stable")
    worst = worst.sort_values(["defocus_level", "certainty"], ascending=False, kind="stable").head(MOST_WORST)
    return [_picture(row, _found_text(row), _worst(row, home), 1) for row in worst.to_dict("records")]


def restored_pictures(rows: pd.DataFrame, home: Path) -> list[Picture]:
    """Show the restored images that were changed most: before, after, and the difference."""
    restored = rows[rows["restored"]].sort_values("change", ascending=False, kind="stable").head(MOST_RESTORED)
    return [_picture(row, _change_text(row), _restored(row, home), 3) for row in restored.to_dict("records")]


def _picture(row: dict[str, Any], told: str, picture: Optional[np.ndarray], panels: int) -> Picture:
    if picture is None:
        return Picture(row["file"], told)
    part = _DETAIL_PX if panels == 1 else _PANEL_PX
    width = _WHOLE_PX if panels == 1 else panels * (_PANEL_PX + _GAP_PX)
    detail = None if picture.shape[1] <= width else _embedded(_busiest(picture, panels, part), picture.shape[1])
    return Picture(row["file"], told, _embedded(picture, width), detail)


def _found_text(row: dict[str, Any]) -> str:
    level, certainty = row["defocus_level"], row["certainty"]
    parts = [f"level {level:.1f}" if np.isfinite(level) else "no level"]
    parts += [f"certainty {certainty:.2f}"] if np.isfinite(certainty) else []
    parts += ["flagged"] if row["flagged"] is True else []
    place = " ".join(filter(None, (row["plate"], row["well"], row["channel"])))
    return ", ".join([*parts, *filter(None, [place])])


def _change_text(row: dict[str, Any]) -> str:
    text = _found_text(row)
    change, ratio = row["change"], row["intensity_ratio"]
    text += f"; changed by {100 * change:.0f} % of its contrast" if np.isfinite(change) else ""
    return text + (f", total intensity {ratio:.2f} times that before" if np.isfinite(ratio) else "")


def _worst(row: dict[str, Any], home: Path) -> Optional[np.ndarray]:
    written = _written(row["overlay"], home)
    return grey_picture(row, home) if written is None else written


def _restored(row: dict[str, Any], home: Path) -> Optional[np.ndarray]:
    written = _written(row["preview"], home)
    return restoration_picture(row, home) if written is None else written


def _written(name: str, home: Path) -> Optional[np.ndarray]:
    """Read a picture of the run; None without one. A path that leads out of the folder is none of the run."""
    from PIL import Image

    path = home / name
    if not name or home.resolve() not in path.resolve().parents:
        return None
    try:
        with Image.open(path) as picture:
            return np.asarray(picture.convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, UnreadableImage):
        return None


def _busiest(picture: np.ndarray, panels: int, size: int) -> np.ndarray:
    """The part with the most contrast, at full resolution; the same part of each of several panels side by side."""
    width = (picture.shape[1] - _GAP_PX * (panels - 1)) // panels
    shades = picture[:, :width].mean(axis=2)
    steps = [range(0, max(1, length - size + 1), size // 2) for length in shades.shape]
    corners = [(y, x) for y in steps[0] for x in steps[1]]
    y, x = max(corners, key=lambda at: float(shades[at[0] : at[0] + size, at[1] : at[1] + size].std()))
    starts = [x + panel * (width + _GAP_PX) for panel in range(panels)]
    parts = [picture[y : y + size, start : start + min(size, width)] for start in starts]
    gap = np.full((len(parts[0]), _GAP_PX, 3), 255, np.uint8)
    return np.concatenate([each for part in parts for each in (part, gap)][:-1], axis=1)


def _embedded(picture: np.ndarray, width: int) -> Embedded:
    """Embed a picture (y, x, 3), uint8, as JPEG of this width at most."""
    from PIL import Image

    image, stream = Image.fromarray(np.ascontiguousarray(picture)), io.BytesIO()
    if image.width > width:
        image = image.resize((width, max(1, round(image.height * width / image.width))), Image.Resampling.LANCZOS)
    image.save(stream, "JPEG", quality=_JPEG_QUALITY, optimize=True)
    return Embedded("data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode(), *image.size)
