"""One network for both sides of focus against one for each, where the two sides look different (figure 7)."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any

import numpy as np

from parfocal.optics.optics import Optics
from parfocal.optics.psf import gibson_lanni_psf
from parfocal.report.sections import Section
from parfocal.restoration.evaluation.exposures import Kernels, exposures
from parfocal.restoration.evaluation.plan import Found, Plan
from parfocal.restoration.evaluation.small_networks import (
    StudySampler,
    budget_text,
    random_level,
    scored,
    study_images,
    trained,
)
from parfocal.restoration.evaluation.tables import overall
from parfocal.restoration.synthesis import PSF_PX

# A dry objective of NA 0.75 on pixels that give the model's diffraction pattern, focused 20 um deep into water: its
# spherical aberration makes the blur above and below focus different.
OPTICS = Optics(0.5, 0.75, 1.0, 0.65 * 0.5 / 0.75)
MEDIUM = {"ns": 1.33, "pz": 20.0}
SIDES = {"above": 1, "below": -1}
_TEXT = (
    "Spherical aberration makes the two sides of focus different: Gibson-Lanni, NA 0.75, air, a structure {depth:g}"
    " um deep in a sample of index {index:g}; the kernels of the same distance above and below correlate by"
    " {correlation:.2f} (1 without aberration). `both` saw both sides half of the time each, `above` and `below` their"
    " own side for as many steps. The paper finds no difference between networks trained together and separately."
)


def sections(plan: Plan) -> Found:
    """Train networks on both sides and on each, test each on both."""
    import pandas as pd

    images = study_images(plan)
    restorers = {}
    for name in ("both", *SIDES):
        draw = partial(_random_kernels, tuple(SIDES.values()) if name == "both" else (SIDES[name],))
        train, validation = (StudySampler(s, plan.network, plan.seed, draw) for s in (images.train, images.validation))
        restorers[name] = trained(plan, name, train, validation)
    rows: list[dict[str, Any]] = []
    for side, sign in SIDES.items():
        for one in exposures(plan, kernels=partial(aberrated_kernels, sign)):
            rows += scored(one, restorers, {"side": side})
    scores = pd.DataFrame(rows)
    table = scores.pivot_table(index="method", columns="side", values="ssim", sort=False)[list(SIDES)]
    table.columns = [f"SSIM {side}" for side in table.columns]
    section = Section(
        "Both sides of focus", _text(plan, table), (table.reset_index(), overall(scores, "method", "side"))
    )
    return Found((section,), scores)


def _random_kernels(signs: tuple[int, ...], rng: np.random.Generator) -> Kernels:
    return aberrated_kernels(int(rng.choice(signs)), random_level(rng))


@lru_cache(maxsize=256)
def aberrated_kernels(sign: int, level: float) -> Kernels:
    """Kernels of a level above (1) or below (-1) the sharpest plane; the level counts blur without aberration."""
    away = sign * OPTICS.level_to_um(level)
    focused, defocused = (_psf(sharpest_um() + distance) for distance in (0.0, away))
    return Kernels(focused, defocused, level, OPTICS)


@lru_cache(maxsize=1)
def sharpest_um() -> float:
    """Stage position of the sharpest plane, where the PSF is highest; the deep structure's focus is shifted."""
    positions = np.arange(0.0, 2 * MEDIUM["pz"], 0.5)
    return float(max(positions, key=lambda z: float(_psf(float(z)).max())))


def _psf(position_um: float) -> np.ndarray:
    return np.asarray(gibson_lanni_psf(position_um, OPTICS, PSF_PX, vectorial=False, **MEDIUM))


def _text(plan: Plan, table: Any) -> str:
    above, below = (aberrated_kernels(sign, 5.0).defocused.ravel() for sign in SIDES.values())
    apart = float(np.corrcoef(above, below)[0, 1])
    own = float(np.mean([table.loc[side, f"SSIM {side}"] for side in SIDES]))
    foreign = float(np.mean([table.loc[side, f"SSIM {other}"] for side, other in zip(SIDES, reversed(SIDES))]))
    verdict = (
        f"SSIM: one network for both sides {table.loc['both'].mean():.3f}, one for each {own:.3f}, one for each on the"
        f" other side {foreign:.3f}, blurred {table.loc['blurred'].mean():.3f}."
    )
    about = _TEXT.format(depth=MEDIUM["pz"], index=MEDIUM["ns"], correlation=apart)
    return f"{verdict} {about} {budget_text(plan)}"
