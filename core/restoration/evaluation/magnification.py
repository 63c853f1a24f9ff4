"""Trained at one magnification, tested at another."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from parfocal.report.sections import Section
from parfocal.restoration.evaluation.exposures import Kernels, born_wolf_kernels, exposures
from parfocal.restoration.evaluation.plan import Found, Plan
from parfocal.restoration.evaluation.small_networks import (
    StudySampler,
    TurnsSampler,
    budget_text,
    random_level,
    scored,
    study_images,
    trained,
)
from parfocal.restoration.evaluation.tables import overall
from parfocal.restoration.synthesis import optics_of

# Lateral unit lambda / NA in pixels, and the factor by which the images are resized: everything is twice as wide at the
# higher one.
MAGNIFICATIONS = {"low": (1.25, 0.5), "high": (2.5, 1.0)}
_TEXT = (
    "`high` has pixels half as wide as `low` under an objective of the same NA: structures and diffraction pattern"
    " (lambda / NA is 2.5 and 1.25 pixels) are twice as wide. Levels count blur in pixels of their own, so that both"
    " are blurred alike in the picture. `both` was trained on the two half of the time each."
)


def sections(plan: Plan) -> Found:
    """Train at each magnification and at both, test all at each."""
    import pandas as pd

    restorers = _trained(plan)
    rows: list[dict[str, Any]] = []
    for name, (unit, zoom) in MAGNIFICATIONS.items():
        kernels = partial(born_wolf_kernels, optics=optics_of(unit))
        for one in exposures(plan, kernels=kernels, zoom=zoom):
            rows += scored(one, restorers, {"tested at": name})
    scores = pd.DataFrame(rows)
    table = scores.pivot_table(index="method", columns="tested at", values="ssim", sort=False)[list(MAGNIFICATIONS)]
    table.columns = [f"SSIM at {name}" for name in table.columns]
    text = f"{_verdict(table)} {_TEXT} {budget_text(plan)}"
    tables = (table.reset_index(), overall(scores, "method", "tested at"))
    return Found((Section("Magnification", text, tables),), scores)


def _trained(plan: Plan) -> dict[str, Any]:
    images = study_images(plan)
    zoomed = {name: images.zoomed(zoom) for name, (_, zoom) in MAGNIFICATIONS.items()}
    samplers = {}
    for name, (unit, _) in MAGNIFICATIONS.items():
        draw = partial(_random_kernels, unit)
        sides = (zoomed[name].train, zoomed[name].validation)
        samplers[name] = tuple(StudySampler(scenes, plan.network, plan.seed, draw) for scenes in sides)
    restorers = {name: trained(plan, name, *both) for name, both in samplers.items()}
    restorers["both"] = trained(plan, "both", *(TurnsSampler(one) for one in zip(*samplers.values())))
    return restorers


def _verdict(table: Any) -> str:
    own, other = (
        np.mean([table.loc[a, f"SSIM at {b}"] for a, b in zip(MAGNIFICATIONS, order)])
        for order in (list(MAGNIFICATIONS), list(reversed(MAGNIFICATIONS)))
    )
    return (
        f"SSIM: tested at its own magnification {own:.3f}, at the other {other:.3f}, trained at both"
        f" {table.loc['both'].mean():.3f}, blurred {table.loc['blurred'].mean():.3f}."
    )


def _random_kernels(unit_px: float, rng: np.random.Generator) -> Kernels:
    return born_wolf_kernels(random_level(rng), optics_of(unit_px))
