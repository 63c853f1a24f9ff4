"""What RestoreDefocus shows in its window: plain arrays, which analysis workers can send."""

from __future__ import annotations

from typing import Any

import numpy as np

if __package__:
    from ._parfocal_restore_run import RestoredImage
else:  # CellProfiler imports the files of its plugins folder one by one, with the folder on the path.
    from _parfocal_restore_run import RestoredImage

# Blue where restoring took light away, red where it put light.
_DIFFERENCE_COLORS = "RdBu_r"
# Share of the pixels that lie within a scale.
_SHOWN_PERCENT = 99.9


def window_data(restored: RestoredImage) -> dict[str, Any]:
    """Collect what `draw` needs: the main plane before and after, and the numbers."""
    index = restored.main_index()
    before, after = restored.image.pixel_data, restored.pixels
    n_planes = 1
    if restored.image.volumetric:
        n_planes = len(before)
        before, after = before[index], after[index]
    rows = [[name, text] for name, text in restored.texts().items() if text]
    rows += [[name, f"{value:.4g}"] for name, value in restored.features().items() if np.isfinite(value)]
    data = {"before": before, "after": after, "table": rows}
    return {**data, "plane": f", plane {index + 1} of {n_planes}" if n_planes > 1 else ""}


def draw(figure: Any, data: dict[str, Any], image_name: str, restored_name: str) -> None:
    """Draw the image before and after on one scale of grays, the numbers, and the difference."""
    before, after = data["before"], data["after"]
    figure.set_subplots((2, 2))
    # A gray means the same in both, so that what was put and taken can be seen; a few bright pixels are left out.
    both = np.stack([before, after])
    low, high = float(np.nanmin(both)), float(np.nanpercentile(both, _SHOWN_PERCENT))
    show = figure.subplot_imshow_color if before.ndim == 3 else figure.subplot_imshow_grayscale
    scale = {"normalize": False, "vmin": low, "vmax": high if high > low else low + 1}
    show(0, 0, before, title=f"{image_name}{data['plane']}", **scale)
    show(1, 0, after, title=f"{restored_name}{data['plane']}", sharexy=figure.subplot(0, 0), **scale)
    figure.subplot_table(0, 1, data["table"], col_labels=("Measurement", restored_name))
    # The scale beside it needs the border of the window: the table would lie over it.
    _draw_difference(figure, before, after)


def _draw_difference(figure: Any, before: np.ndarray, after: np.ndarray) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    difference = np.nan_to_num(after.astype(np.float32) - before.astype(np.float32))
    if difference.ndim == 3:
        difference = difference[..., :3].mean(axis=-1)
    size = np.abs(difference)
    limit = float(np.percentile(size, _SHOWN_PERCENT) or size.max()) or 1.0
    scale = {"colormap": _DIFFERENCE_COLORS, "normalize": False, "vmin": -limit, "vmax": limit}
    figure.subplot_imshow(1, 1, difference, title="Difference (red is brighter)", sharexy=figure.subplot(0, 0), **scale)
    colors = ScalarMappable(Normalize(-limit, limit), _DIFFERENCE_COLORS)
    figure.figure.colorbar(colors, ax=figure.subplot(1, 1), fraction=0.05, extend="both")
