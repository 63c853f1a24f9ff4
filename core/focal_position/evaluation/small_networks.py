"""Networks of the paper, trained at a small budget on simulated stacks, for its studies."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from parfocal.focal_position.evaluation.plan import Plan
from parfocal.focal_position.evaluation.simulated import labelled
from parfocal.focal_position.fit import Fit, distributions, run_fit
from parfocal.focal_position.inputs import paper_input
from parfocal.focal_position.sampler import PlaneSampler
from parfocal.focal_position.settings import FocalPositionTraining, training_settings
from parfocal.focal_position.simulation import simulate_stack
from parfocal.focal_position.stacks import LabelledStack
from parfocal.focal_position.training import labelled_planes

# Crops are a fourth of the paper's, as are batches and steps less: a CPU has minutes, not the paper's days on a GPU.
CROP_PX = 256
_HALF_RANGE_UM, _PLANES = 20.0, 31


@dataclass(frozen=True, eq=False)
class Trained:
    """What a training of a study gave on the test stacks.

    Attributes
    ----------
    true_um, told_um : ndarray
        Distance of each test plane, and the middle of its likeliest bin (n,), um.
    probability : ndarray
        (n, bins).
    minutes : float
        Time of the training.
    """

    true_um: np.ndarray
    told_um: np.ndarray
    probability: np.ndarray
    minutes: float

    def row(self) -> dict[str, float]:
        """Error as the paper gives it: mean, deviation and mean square; and the share within 1 um."""
        error = self.told_um - self.true_um
        return {
            "minutes": self.minutes,
            "mean error um": float(error.mean()),
            "deviation um": float(error.std()),
            "mean squared error um2": float(np.mean(error**2)),
            "median um": float(np.median(np.abs(error))),
            "within 1 um": float(np.mean(np.abs(error) <= 1.0)),
        }


def settings_of(plan: Plan, **changes: Any) -> FocalPositionTraining:
    """Settings of the paper's network at the budget of the studies."""
    given = {"half_range": _HALF_RANGE_UM, "batch_size": 10, "steps": plan.steps, "crop_px": CROP_PX, **changes}
    return replace(training_settings("wei2018", **given), validation_steps=plan.steps, seed=plan.seed + 1)


def study_stacks(count: int, seed: int) -> list[LabelledStack]:
    """Simulated stacks of cells like those of the paper: 31 planes over 40 um, sign to be known."""
    z_um = np.linspace(-_HALF_RANGE_UM, _HALF_RANGE_UM, _PLANES)
    rng = np.random.default_rng([seed, 97])
    made = []
    for number in range(count):
        cells = int(rng.integers(10, 40))
        drawn = simulate_stack(z_um, 700_000 + 1000 * seed + number, "nuclei", cells, size_px=CROP_PX)
        made.append(labelled(drawn, f"stack {number}"))
    return made


def trained(settings: FocalPositionTraining, train: Sequence[LabelledStack], test: Sequence[LabelledStack]) -> Trained:
    """Train a network on some stacks and infer every plane of others."""
    sampler = PlaneSampler(labelled_planes(train, settings, 1.0), "wei2018", settings.seed, settings.input_px)
    begun = time.perf_counter()
    network, _ = run_fit(Fit(settings, sampler, sampler))
    minutes = (time.perf_counter() - begun) / 60
    bins = settings.bins
    inputs = [
        paper_input(plane, settings.crop_px, settings.downsampling)[..., None]
        for stack in test
        for plane in stack.stack_zyx
    ]
    parts = [np.stack(inputs[start : start + 32]) for start in range(0, len(inputs), 32)]
    told = np.concatenate([distributions(network, part, bins.count) for part in parts])
    true = np.concatenate([stack.defocus_um for stack in test])
    return Trained(true, bins.positions[told.argmax(axis=1)], told, minutes)


def budget(plan: Plan, stacks: int) -> str:
    """State the budget in a sentence."""
    return (
        f"`wei2018` on {stacks} simulated stacks of {_PLANES} planes over +-{_HALF_RANGE_UM:g} um, crops of "
        f"{CROP_PX} px, {plan.steps} steps (the paper: 345 stacks, 1000 px, 100,000 steps), judged on "
        f"{test_count(plan)} others: "
        "the order of the rows, not the errors, is to be compared with the paper."
    )


def test_count(plan: Plan) -> int:
    """Stacks that are kept for the test."""
    return max(2, plan.stacks // 4)
