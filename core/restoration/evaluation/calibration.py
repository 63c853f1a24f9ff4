"""Calibration of the uncertainty image: stated standard deviations against errors, pixel by pixel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from parfocal.focus_quality.evaluation.scores import rank_correlation
from parfocal.optics.optics import MODEL_OPTICS
from parfocal.report.sections import Section
from parfocal.restoration.dataset import image_level
from parfocal.restoration.evaluation.exposures import Exposure, exposures
from parfocal.restoration.evaluation.plan import SIDES, Found, Plan
from parfocal.restoration.intensity import Intensity
from parfocal.restoration.restorers import Restorer

if TYPE_CHECKING:
    import pandas as pd

# Title, and the images drawn under it.
Map = tuple[str, tuple[np.ndarray, ...]]
# Squares over whose pixels stated and true error are averaged for the second correlation.
_SQUARE_PX = 16
_TEXT = (
    "`within 1 sd` and `within 2 sd`: share of the pixels whose error is at most one and two of the standard"
    " deviations that the uncertainty image states; 0.68 and 0.95 if errors were normal, 0.76 and 0.94 under the"
    " Laplace distribution for which the default network is trained. The errors are those against the image in focus"
    " without noise, bright structures 1 ({photons:g} photoelectrons). Rank correlation of stated and true error over"
    " the pixels of an image, and over the means of {square} x {square} pixels, mean over the images."
)


def sections(plan: Plan) -> Found:
    """Hold stated against true errors, by level; draws `calibration.png`."""
    import pandas as pd

    rows, maps, missing = _measured(plan)
    if not rows:
        raise ValueError(
            f"none of the {missing} exposures has a measured level: there is nothing to hold errors against"
        )
    scores = pd.DataFrame(rows)
    _draw(plan.path("calibration.png"), maps)
    text = f"{_TEXT.format(photons=plan.photons, square=_SQUARE_PX)} {missing} exposures had no measured level."
    written = [
        Section(f"Uncertainty of `{Path(plan.models[0]).name}`, {about}", text, (_table(part),))
        for about, part in ((SIDES[side], scores[scores["held_out"] == side]) for side in SIDES)
        if not part.empty
    ]
    return Found((*written, Section("Stated and true errors", "", (), ("calibration.png",))), scores)


def _measured(plan: Plan) -> tuple[list[dict[str, Any]], list[Map], int]:
    """Rows of the table, images to draw, and the number of exposures without a measured level."""
    network = next(iter(plan.restorers().values()))
    rows: list[dict[str, Any]] = []
    maps: dict[str, Map] = {}
    missing = 0
    for one in exposures(plan):
        found = _stated(one, network)
        if found is None:
            missing += 1
            continue
        stated, error, restored = found
        rows.append({**one.about, **_figures(stated, error)})
        if one.level >= np.median(plan.levels):
            maps.setdefault(one.source, (f"{one.source}, level {one.level:g}", (one.blurred, restored, stated, error)))
    return rows, list(maps.values()), missing


def _stated(one: Exposure, network: Restorer) -> Optional[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Stated standard deviation, true error and restored image, (y, x); None where no level could be measured."""
    level = image_level(one.blurred)
    if network.needs_level and level != level:
        return None
    intensity = Intensity.of(one.blurred)
    done = network.restore(intensity.apply(one.blurred)[..., None], level, MODEL_OPTICS, True)
    assert done.error is not None
    restored = intensity.undo(done.image[..., 0])
    return done.error[..., 0] * np.float32(intensity.span), np.abs(restored - one.focused), restored


def _figures(stated: np.ndarray, error: np.ndarray) -> dict[str, float]:
    true = float(np.sqrt(np.mean(error**2)))
    claimed = float(np.sqrt(np.mean(stated**2)))
    return {
        "within 1 sd": float(np.mean(error <= stated)),
        "within 2 sd": float(np.mean(error <= 2 * stated)),
        "stated sd": claimed,
        "true rms error": true,
        "stated over true": claimed / max(true, 1e-12),
        "rank correlation": rank_correlation(stated.ravel(), error.ravel()),
        "rank correlation of squares": rank_correlation(_squares(stated), _squares(error)),
    }


def _squares(image_yx: np.ndarray) -> np.ndarray:
    rows, columns = (n // _SQUARE_PX for n in image_yx.shape)
    cut = image_yx[: rows * _SQUARE_PX, : columns * _SQUARE_PX]
    return cut.reshape(rows, _SQUARE_PX, columns, _SQUARE_PX).mean(axis=(1, 3)).ravel()


def _table(part: pd.DataFrame) -> pd.DataFrame:
    table = part.drop(columns=["held_out", "source", "stain", "image"]).groupby("level").mean()
    table.insert(0, "images", part.groupby("level").size().astype(float))
    table.loc["mean"] = table.mean()
    table.insert(0, "level", [label if isinstance(label, str) else f"{label:g}" for label in table.index])
    return table.reset_index(drop=True)


def _draw(path: Path, maps: list[Map]) -> None:
    """Draw blurred, restored, stated and true error, the last two under one scale."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 2.9 * max(1, len(maps))), layout="constrained")
    axes = figure.subplots(max(1, len(maps)), 4, squeeze=False)
    for row, (title, images) in zip(axes, maps):
        largest = float(np.percentile(images[3], 99.5))
        scales = (("blurred", "gray", 1), ("restored", "gray", 1), ("stated sd", "magma", largest))
        for axis, (name, colours, high), image in zip(row, (*scales, ("true error", "magma", largest)), images):
            axis.axis("off")
            axis.imshow(image, cmap=colours, vmin=0, vmax=high)
            axis.set_title(f"{name}\n{title}", fontsize=8)
    figure.savefig(path, dpi=80)
