"""Images of a screen as small pictures within the page."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from parfocal.images.metadata import UnreadableImage
from parfocal.report.screen.originals import grey_picture, restoration_picture

if TYPE_CHECKING:
    import pandas as pd

MOST_WORST, MOST_RESTORED = 12, 6
# Widths of an image as a whole and of a part of it at full resolution: reduced, a defocused image looks sharp.
_WHOLE_PX, _DETAIL_PX = 480, 224
_GAP_PX = 4
_JPEG_QUALITY = 82


@dataclass(frozen=True)
class Picture:
    """An image of the screen.

    Attributes
    ----------
    file, told : str
        Which image it is, and what was found.
    whole, detail : str
        Data URLs of the image, reduced, and of a part at full resolution (empty where the whole is not reduced); both
        empty where the image cannot be read any more.
    """

    file: str
    told: str
    whole: str
    detail: str


def worst_pictures(rows: pd.DataFrame, home: Path) -> list[Picture]:
    """Show the images of the highest levels, the more certain first where levels are equal.

    Parameters
    ----------
    rows : pandas.DataFrame
        Of `screen_rows`.
    home : Path
        Folder from which the paths of overlays are meant.
    """
    told = rows[rows["defocus_level"].notna()]
    worst = told.sort_values(["defocus_level", "certainty"], ascending=False, kind="stable").head(MOST_WORST)
    return [_picture(row, _level_text(row), _worst(row, home), 1) for row in worst.to_dict("records")]


def restored_pictures(rows: pd.DataFrame, home: Path) -> list[Picture]:
    """Show the restored images that were changed most: before, after, and the difference."""
    restored = rows[rows["restored"]].sort_values("change", ascending=False, kind="stable").head(MOST_RESTORED)
    return [_picture(row, _change_text(row), _restored(row, home), 3) for row in restored.to_dict("records")]


def _picture(row: dict[str, Any], told: str, picture: Optional[np.ndarray], panels: int) -> Picture:
    if picture is None:
        return Picture(row["file"], told, "", "")
    width = _WHOLE_PX * (1 if panels == 1 else 2)
    small = picture.shape[1] <= width
    detail = "" if small else _url(_busiest(picture, panels), panels * (_DETAIL_PX + _GAP_PX))
    return Picture(row["file"], told, _url(picture, width), detail)


def _level_text(row: dict[str, Any]) -> str:
    parts = [f"level {row['defocus_level']:.1f}"]
    parts += [f"certainty {row['certainty']:.2f}"] if np.isfinite(row["certainty"]) else []
    place = " ".join(filter(None, (row["plate"], row["well"], row["channel"])))
    return ", ".join([*parts, *filter(None, [place])])


def _change_text(row: dict[str, Any]) -> str:
    text = _level_text(row)
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


def _busiest(picture: np.ndarray, panels: int) -> np.ndarray:
    """The part with the most contrast, at full resolution; the same part of each of several panels side by side."""
    width = (picture.shape[1] - _GAP_PX * (panels - 1)) // panels
    shades = picture[:, :width].mean(axis=2)
    steps = [range(0, max(1, size - _DETAIL_PX + 1), max(1, _DETAIL_PX // 2)) for size in shades.shape]
    corners = [(y, x) for y in steps[0] for x in steps[1]]
    y, x = max(corners, key=lambda corner: _contrast(shades, *corner))
    starts = [x + panel * (width + _GAP_PX) for panel in range(panels)]
    parts = [picture[y : y + _DETAIL_PX, start : start + min(_DETAIL_PX, width)] for start in starts]
    return np.concatenate([np.pad(part, ((0, 0), (0, _GAP_PX), (0, 0)), constant_values=255) for part in parts], axis=1)


def _contrast(shades: np.ndarray, y: int, x: int) -> float:
    return float(shades[y : y + _DETAIL_PX, x : x + _DETAIL_PX].std())


def _url(picture: np.ndarray, width: int) -> str:
    """Data URL of a picture (y, x, 3), uint8, as JPEG of this width at most."""
    from PIL import Image

    image, stream = Image.fromarray(np.ascontiguousarray(picture)), io.BytesIO()
    if image.width > width:
        image = image.resize((width, max(1, round(image.height * width / image.width))), Image.Resampling.LANCZOS)
    image.save(stream, "JPEG", quality=_JPEG_QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode()
