"""A stitched mosaic of fields restored whole, against restored field by field (figure S13 of Xue et al. 2021)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from parfocal.report.sections import Section
from parfocal.restoration.comparison import by_networks
from parfocal.restoration.dataset import image_level
from parfocal.restoration.evaluation.exposures import Exposure, exposures
from parfocal.restoration.evaluation.plan import Found, Plan
from parfocal.restoration.evaluation_figure import Example, draw_examples
from parfocal.restoration.restorers import Restorer
from parfocal.restoration.scores import score

if TYPE_CHECKING:
    import pandas as pd

# A field must be large enough for its focus to be measured alone.
SMALLEST_FIELD_PX = 96
# The default network works on squares of so many pixels.
_SQUARE_PX = 4
# Bands of distance to the nearest seam, px.
_BANDS = ((0, 8), (8, 32), (32, 96), (96, 1 << 20))
_TEXT = (
    "Mosaics of 2 x 2 fields that meet without a gap, defocused as a whole and exposed. `whole`: restored as one"
    " image; `fields`: each field measured and restored alone, then stitched. `difference` is the mean absolute"
    " difference of the two, bright structures 1, by distance to the nearest seam. `seam step` is the mean step"
    " between the pixels on both sides of a seam over that between neighbours within 8 pixels: 1 where no seam can be"
    " seen. `grid step` is the same for the borders of the squares of 4 x 4 pixels on which the default network works."
    " {unanswered} of the fields had no measured level of their own and went in as they were."
)


def sections(plan: Plan) -> Found:
    """Restore mosaics both ways; draws `mosaic.png`."""
    import pandas as pd

    rows, examples, unanswered = _measured(plan)
    if not rows:
        raise FileNotFoundError(f"no held-out image is {2 * SMALLEST_FIELD_PX} px wide or more with a measured level")
    scores = pd.DataFrame(rows)
    draw_examples(plan.path("mosaic.png"), examples)
    text = f"{_verdict(scores)} {_TEXT.format(unanswered=unanswered)}"
    return Found((Section("Stitched mosaics", text, (_table(scores),), ("mosaic.png",)),), scores)


def _measured(plan: Plan) -> tuple[list[dict[str, Any]], list[Example], int]:
    """Rows of the table, images to draw, and the number of fields without a measured level."""
    restorers = plan.restorers()
    rows: list[dict[str, Any]] = []
    examples: dict[str, Example] = {}
    unanswered = 0
    for one in exposures(plan, width_px=2 * plan.crop_px):
        if min(one.blurred.shape) < 2 * SMALLEST_FIELD_PX:
            continue
        whole = by_networks(one.blurred, restorers, image_level(one.blurred))
        fields, left = _field_by_field(one.blurred, restorers)
        unanswered += left
        rows += [{**one.about, "method": name, **_figures(whole[name], fields[name], one)} for name in whole]
        if one.level >= np.median(plan.levels) and whole:
            examples.setdefault(one.source, _example(one, whole, fields))
    return rows, list(examples.values()), unanswered


def _example(one: Exposure, whole: dict[str, np.ndarray], fields: dict[str, np.ndarray]) -> Example:
    name = next(iter(whole))
    found = {"blurred": one.blurred, "whole": whole[name], "fields": fields[name]}
    return Example(f"{one.source}, level {one.level:g}", found, one.truth)


def seams_of(shape: tuple[int, ...]) -> tuple[int, int]:
    """First row and first column of the lower right field of a mosaic of 2 x 2 fields."""
    return shape[0] // 2, shape[1] // 2


def _field_by_field(mosaic_yx: np.ndarray, restorers: dict[str, Restorer]) -> tuple[dict[str, np.ndarray], int]:
    """Stitched mosaic by network, and the number of fields without a level, which stay as they are."""
    row, column = seams_of(mosaic_yx.shape)
    stitched = {name: mosaic_yx.copy() for name in restorers}
    unanswered = 0
    for rows in (slice(0, row), slice(row, None)):
        for columns in (slice(0, column), slice(column, None)):
            level = image_level(mosaic_yx[rows, columns])
            unanswered += level != level
            for name, image in by_networks(mosaic_yx[rows, columns], restorers, level).items():
                stitched[name][rows, columns] = image
    return stitched, unanswered


def _figures(whole_yx: np.ndarray, fields_yx: np.ndarray, one: Exposure) -> dict[str, float]:
    truth = one.truth
    away = _distance_to_seam(whole_yx.shape)
    difference = np.abs(whole_yx - fields_yx)
    found = {"SSIM blurred": score(one.blurred, truth).ssim}
    for name, image in (("whole", whole_yx), ("fields", fields_yx)):
        found.update({f"SSIM {name}": score(image, truth).ssim, f"PSNR {name}": score(image, truth).psnr})
    for low, high in _BANDS:
        band = (away >= low) & (away < high)
        found[_band_name(low, high)] = float(difference[band].mean()) if band.any() else float("nan")
    steps = {"blurred": one.blurred, "whole": whole_yx, "fields": fields_yx}
    found.update({f"seam step {name}": seam_step(image) for name, image in steps.items()})
    found.update({f"grid step {name}": grid_step(image) for name, image in (("truth", truth), ("whole", whole_yx))})
    return found


def seam_step(mosaic_yx: np.ndarray) -> float:
    """Mean absolute step across the seams over that between neighbouring lines up to 8 pixels away."""
    ratios = []
    for image, seam in zip((mosaic_yx, mosaic_yx.T), seams_of(mosaic_yx.shape)):
        steps = np.abs(np.diff(image[seam - 9 : seam + 9].astype(np.float64), axis=0)).mean(axis=1)
        # Line 8 is the step from seam - 1 to seam.
        ratios.append(steps[8] / max(float(np.delete(steps, 8).mean()), 1e-12))
    return float(np.mean(ratios))


def grid_step(image_yx: np.ndarray) -> float:
    """Mean absolute step across the borders of squares of 4 x 4 pixels over that inside them; 1 without a grid."""
    ratios = []
    for image in (image_yx, image_yx.T):
        steps = np.abs(np.diff(image.astype(np.float64), axis=0)).mean(axis=1)
        border = np.arange(1, len(steps) + 1) % _SQUARE_PX == 0
        ratios.append(float(steps[border].mean() / max(steps[~border].mean(), 1e-12)))
    return float(np.mean(ratios))


def _distance_to_seam(shape: tuple[int, ...]) -> np.ndarray:
    lines = [np.abs(np.arange(length) + 0.5 - seam) for length, seam in zip(shape, seams_of(shape))]
    return np.asarray(np.minimum(lines[0][:, None], lines[1][None, :]))


def _band_name(low: int, high: int) -> str:
    return f"difference {low} to {high} px" if high <= 96 else f"difference beyond {low} px"


def _table(scores: pd.DataFrame) -> pd.DataFrame:
    keys = ["method", "level"]
    figures = [name for name in scores.columns if name not in (*keys, "held_out", "source", "stain", "image")]
    table = scores.groupby(keys, sort=False)[figures].mean()
    table.insert(0, "mosaics", scores.groupby(keys, sort=False).size())
    return table.reset_index()


def _verdict(scores: pd.DataFrame) -> str:
    told = []
    for name, own in scores.groupby("method", sort=False):
        gain = (own["SSIM whole"] - own["SSIM fields"]).mean()
        near, far = own[_band_name(0, 8)].mean(), own[_band_name(32, 96)].mean()
        told.append(
            f"`{name}`: restored whole {gain:+.4f} in SSIM against field by field; the two differ by {near:.4f} within"
            f" 8 px of a seam and {far:.4f} at 32 to 96 px; seam step {own['seam step whole'].mean():.2f} whole,"
            f" {own['seam step fields'].mean():.2f} by fields; grid step {own['grid step whole'].mean():.2f}"
            f" (truth {own['grid step truth'].mean():.2f})."
        )
    return " ".join(told)
