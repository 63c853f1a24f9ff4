"""Networks trained at a small budget on simulated stacks, for the studies of the paper."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from parfocal.focal_position.evaluation.plan import Plan
from parfocal.focal_position.evaluation.simulated import labelled
from parfocal.focal_position.fit import Fit, distributions, run_fit
from parfocal.focal_position.inputs import default_input, paper_input, reduced
from parfocal.focal_position.network import FIELD_PX
from parfocal.focal_position.sampler import PlaneSampler
from parfocal.focal_position.settings import MICROMETRE, FocalPositionTraining, training_settings
from parfocal.focal_position.simulation import simulate_stack
from parfocal.focal_position.stacks import LabelledStack
from parfocal.focal_position.training import labelled_planes

# Crops are half as wide as the paper's, and batches and steps less: a CPU has minutes, not the paper's days on a GPU.
CROP_PX = 512
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
        """Error as the paper gives it: mean, deviation and mean square; medians, and the share within 1 um."""
        error = self.told_um - self.true_um
        return {
            "minutes": self.minutes,
            "mean error um": float(error.mean()),
            "deviation um": float(error.std()),
            "mean squared error um2": float(np.mean(error**2)),
            "median um": float(np.median(np.abs(error))),
            "median um but for the sign": float(np.median(np.abs(np.abs(self.told_um) - np.abs(self.true_um)))),
            "within 1 um": float(np.mean(np.abs(error) <= 1.0)),
        }


def settings_of(plan: Plan, **changes: Any) -> FocalPositionTraining:
    """Settings of a network at the budget of the studies; those of the paper but for batches and steps."""
    given: dict[str, Any] = {"half_range": _HALF_RANGE_UM, "batch_size": 10, "steps": plan.steps, "crop_px": CROP_PX}
    given |= {"unit": MICROMETRE, "bin_width": 1.0, **changes}
    return replace(training_settings(plan.network, **given), validation_steps=plan.steps, seed=plan.seed + 1)


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
    name = settings.architecture
    planes = labelled_planes(train, settings, 1.0 / settings.downsampling)
    # The default network sees squares of at least its field: smaller planes are mirrored.
    side = settings.input_px if name == "wei2018" else max(settings.input_px, FIELD_PX)
    sampler = PlaneSampler(planes, name, settings.seed, side)
    begun = time.perf_counter()
    network, _ = run_fit(Fit(settings, sampler, sampler))
    minutes = (time.perf_counter() - begun) / 60
    bins = settings.bins
    inputs = [_input(plane, settings)[..., None] for stack in test for plane in stack.stack_zyx]
    parts = [np.stack(inputs[start : start + 32]) for start in range(0, len(inputs), 32)]
    told = np.concatenate([distributions(network, part, bins.count) for part in parts])
    true = np.concatenate([stack.defocus_um for stack in test])
    return Trained(true, bins.positions[told.argmax(axis=1)], told, minutes)


def _input(plane_yx: np.ndarray, settings: FocalPositionTraining) -> np.ndarray:
    if settings.architecture == "wei2018":
        return paper_input(plane_yx, settings.crop_px, settings.downsampling)
    return default_input(reduced(plane_yx, 1.0 / settings.downsampling))


def budget(plan: Plan, stacks: int) -> str:
    """State the budget in a sentence."""
    return (
        f"`{plan.network}` on {stacks} simulated stacks of {_PLANES} planes over +-{_HALF_RANGE_UM:g} um, crops of "
        f"{CROP_PX} px, {plan.steps} steps (the paper: 345 stacks, 1000 px, 100,000 steps), judged on "
        f"{test_count(plan)} others: "
        "the order of the rows, not the errors, is to be compared with the paper."
    )


def test_count(plan: Plan) -> int:
    """Stacks that are kept for the test."""
    return max(2, plan.stacks // 4)
