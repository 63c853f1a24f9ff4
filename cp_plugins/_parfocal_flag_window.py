"""What FlagDefocused shows in its window: plain arrays, which analysis workers can send."""

from __future__ import annotations

from typing import Any

import numpy as np

if __package__:
    from ._parfocal_flag_run import SortedImage
else:  # CellProfiler imports the files of its plugins folder one by one, with the folder on the path.
    from _parfocal_flag_run import SortedImage

# Told apart by width and dashes too, and by the words above.
_FRAMES: dict[bool, dict[str, Any]] = {
    True: {"color": "#d55e00", "linewidth": 5, "linestyle": (0, (3, 1.5))},
    False: {"color": "#0072b2", "linewidth": 1.5, "linestyle": "-"},
}


def window_data(images: list[SortedImage], flag: str, flagged: bool, skips: bool) -> dict[str, Any]:
    """Collect what `draw` needs: each image with its verdict and numbers, and what becomes of the image set."""
    heading = f"Image set {'flagged' if flagged else 'passes'} ({flag} = {int(flagged)})"
    heading += ", the rest of the pipeline is skipped" if skips else ""
    return {"heading": heading, "images": [_shown(image) for image in images]}


def _shown(image: SortedImage) -> dict[str, Any]:
    plane, index, n_planes = image.shown_plane()
    place = f", plane {index + 1} of {n_planes}" if n_planes > 1 else ""
    rows = [[name, text] for name, text in image.texts().items() if text]
    numbers = {name: f"{value:.4g}" for name, value in image.features().items() if np.isfinite(value)}
    if n_planes == 1:
        numbers.pop("SharpestPlane", None)
    if "Threshold" in numbers:
        numbers["Threshold"] += f" ({image.threshold.origin})"
    rows += [[name, text] for name, text in numbers.items()]
    title = f"{image.image_name}{place}: {_verdict(image)}"
    return {"name": image.image_name, "plane": plane, "title": title, "flagged": image.flagged, "table": rows}


def _verdict(image: SortedImage) -> str:
    result = image.result
    if not result.answered:
        return f"{'FLAGGED' if image.flagged else 'passes'}, no answer ({result.status})"
    level = result.main_plane.defocus_level
    told = f"probability {result.probability:.2f}" + (f", level {level:.1f}" if np.isfinite(level) else "")
    return f"{'FLAGGED, defocused' if image.flagged else 'passes, in focus'}, {told}"


def draw(figure: Any, data: dict[str, Any]) -> None:
    """Draw each image in a frame that tells whether it is flagged, beside its numbers."""
    images = data["images"]
    figure.set_subplots((2, len(images)))
    figure.figure.suptitle(data["heading"], fontsize="medium")
    for row, shown in enumerate(images):
        show = figure.subplot_imshow_color if shown["plane"].ndim == 3 else figure.subplot_imshow_grayscale
        show(0, row, shown["plane"], title=shown["title"])
        for spine in figure.subplot(0, row).spines.values():
            spine.set(visible=True, **_FRAMES[shown["flagged"]])
        figure.subplot_table(1, row, shown["table"], col_labels=("Measurement", shown["name"]))
