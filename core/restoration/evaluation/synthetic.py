"""Held-out synthetic pairs: SSIM and PSNR of all methods by level, and what the network gains."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from parfocal.report.sections import Section
from parfocal.restoration.comparison import by_classical, by_networks, rows_of
from parfocal.restoration.dataset import image_level
from parfocal.restoration.evaluation.exposures import exposures
from parfocal.restoration.evaluation.margins import margin_table, margin_text
from parfocal.restoration.evaluation.plan import SIDES, Found, Plan
from parfocal.restoration.evaluation.tables import by_level
from parfocal.restoration.evaluation_figure import Example, draw_examples

if TYPE_CHECKING:
    import pandas as pd

_DRAWN = (2, 5, 8)
_VALUES = {"ssim": "SSIM", "psnr": "PSNR", "ssim_inside": "SSIM within structures"}
_TEXT = (
    "{photons:g} photoelectrons in bright structures, a tenth of them in the background. SSIM (Gaussian window) and"
    " PSNR at data range 1, after the affine of least squares for every method. The networks get the measured level."
    " Richardson-Lucy and Wiener get the true PSF: `richardson_lucy` for 30 iterations, `richardson_lucy_best` for as"
    " many of 5, 10, 20 and 30 as suit the truth best; `richardson_lucy_gaussian` gets the Gaussian's width and the"
    " number of iterations that do. `SSIM within structures` leaves the empty background out."
)


def sections(plan: Plan) -> Found:
    """Score every method on every exposure; draws `examples.png`."""
    import pandas as pd

    rows, examples = _scored(plan)
    scores = pd.DataFrame(rows)
    draw_examples(plan.path("examples.png"), examples)
    names = [Path(name).name for name in plan.models]
    written: list[Section] = []
    for side, about in SIDES.items():
        part = scores[scores["held_out"] == side]
        if not part.empty:
            # The picture shows sources that were left out, if there are any.
            figures = () if written else ("examples.png",)
            written.append(_section(part, about, names, plan.photons, figures))
    return Found(tuple(written), scores)


def _scored(plan: Plan) -> tuple[list[dict[str, Any]], list[Example]]:
    chosen = plan.held_out()
    restorers = plan.restorers()
    drawn_side = "left_out" if chosen["left_out"] else "test"
    rows: list[dict[str, Any]] = []
    examples: dict[tuple[str, float], Example] = {}
    for one in exposures(plan, chosen):
        measured, truth = image_level(one.blurred), one.truth
        found = {"blurred": one.blurred, **by_networks(one.blurred, restorers, measured)}
        found.update(by_classical(one.blurred, truth, one.level))
        rows += rows_of(found, truth, {**one.about, "measured_level": measured})
        if one.held_out == drawn_side and one.level in _DRAWN:
            example = Example(f"{one.source}, level {one.level:g}", found, truth)
            examples.setdefault((one.source, one.level), example)
    return rows, list(examples.values())


def _section(
    part: pd.DataFrame, about: str, networks: Sequence[str], photons: float, figures: tuple[str, ...]
) -> Section:
    n_images = part["image"].nunique()
    margins = [margin_table(part, networks, value) for value in ("ssim", "psnr")]
    verdict = " ".join(margin_text(table, networks, value) for table, value in zip(margins, ("ssim", "psnr")))
    tables = (*margins, *(by_level(part, value, f"{name} at level") for value, name in _VALUES.items()))
    text = f"{verdict}\n\n{_TEXT.format(photons=photons)}"
    return Section(f"SSIM and PSNR, {about} ({n_images} images)", text, tables, figures)
