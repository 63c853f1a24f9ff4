"""The estimator on simulated stacks of other seeds than those it was trained on."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

import numpy as np

from parfocal.focal_position.errors import PositionErrors, position_errors
from parfocal.focal_position.estimator import FocalPositionEstimator
from parfocal.focal_position.evaluation.plan import Found, Plan
from parfocal.focal_position.evaluation.tables import certainty_table, status_row, summary_row, sweep_table
from parfocal.focal_position.inputs import TASK
from parfocal.focal_position.settings import DEPTH_OF_FIELD
from parfocal.focal_position.simulation import KINDS, SimulatedStack, simulate_stack
from parfocal.focal_position.stacks import LabelledStack
from parfocal.optics.optics import MODEL_OPTICS, Optics
from parfocal.registry import ModelError, load_model
from parfocal.report.sections import Section

# Aberrations between those of the training; seeds far from those of the training.
_ABERRATIONS_WAVES, _FIRST_SEED = (0.4, 0.6, 1.0), 500_000
_PLANES, _REACH_UM = 21, 19.0
# A camera with pixels of 6.5 um: nuclei have half the pixels of the model's scale that they have at NA 0.5.
_TEN_FOLD_GROUP = "10x, NA 0.3, sign declared"
TEN_FOLD = Optics(numerical_aperture=0.3, emission_wavelength_um=0.52, pixel_size_um=0.65)


def sections(plan: Plan) -> Found:
    """Errors with the sign declared, and not; without aberration; in two layers; and those of sweeps."""
    import pandas as pd

    network = load_model(plan.model, TASK)
    if network.config["unit"] != DEPTH_OF_FIELD:
        raise ModelError(f"{network.folder} was trained on real stacks: simulated ones say nothing of it")
    known = FocalPositionEstimator(network, MODEL_OPTICS, "positive")
    groups: dict[str, tuple[FocalPositionEstimator, list[LabelledStack]]] = {
        "aberrated, sign declared": (known, _stacks(plan, None)),
        "aberrated, sign unknown": (replace(known, spherical_aberration="unknown"), _stacks(plan, None)),
        "no aberration": (known, _stacks(plan, 0.0)),
        "two layers 10 um apart": (known, _stacks(plan, None, second_layer_um=10.0)),
        "empty": (known, _stacks(plan, None, count=0)),
        _TEN_FOLD_GROUP: (replace(known, optics=TEN_FOLD), _stacks(plan, None, optics=TEN_FOLD)),
    }
    depth = MODEL_OPTICS.depth_of_field_um
    depths = dict.fromkeys(groups, depth) | {_TEN_FOLD_GROUP: TEN_FOLD.depth_of_field_um}
    errors = {name: position_errors(one, stacks, depths[name]) for name, (one, stacks) in groups.items()}
    signed = errors["aberrated, sign declared"]
    tables = (
        pd.DataFrame([summary_row(name, found) for name, found in errors.items()]),
        pd.DataFrame([status_row(name, found) for name, found in errors.items()]),
    )
    text = (
        f"{plan.stacks} stacks of each group, {_PLANES} planes over +-{_REACH_UM:g} um; 0.5 um, NA 0.5, one depth of "
        f"field is {depth:g} um; with 10x, NA 0.3 as many depths of field, of {TEN_FOLD.depth_of_field_um:.1f} um; "
        f"kinds {', '.join(KINDS)}; 100 to 1000 photoelectrons. Errors are of single images."
    )
    sweep = "The plane with the best score of each stack; the nearest plane to focus is at it."
    found = (
        Section("Simulated stacks", text, tables),
        Section("Error against certainty", "Sign declared.", (certainty_table(signed),)),
        Section("By kind", "Sign declared.", (pd.DataFrame(_by_kind(signed)),)),
        Section("Sweeps", sweep, (sweep_table(groups["aberrated, sign declared"][1]),)),
    )
    rows = pd.concat([made.frame().assign(group=name) for name, made in errors.items()])
    return Found(found, rows)


def labelled(made: SimulatedStack, name: str) -> LabelledStack:
    """Take a simulated stack for a real one."""
    return LabelledStack(made.stack_zyx, made.z_um, 0.0, name)


def _stacks(
    plan: Plan,
    aberration: Optional[float],
    second_layer_um: float = 0.0,
    count: Optional[int] = None,
    optics: Optics = MODEL_OPTICS,
) -> list[LabelledStack]:
    rng = np.random.default_rng([plan.seed, 96])
    reach_um = _REACH_UM * optics.depth_of_field_um / MODEL_OPTICS.depth_of_field_um
    made = []
    for number in range(plan.stacks):
        kind = KINDS[number % len(KINDS)]
        waves = float(rng.choice(_ABERRATIONS_WAVES)) if aberration is None else aberration
        drawn = simulate_stack(
            np.linspace(-reach_um, reach_um, _PLANES),
            seed=_FIRST_SEED + plan.seed + number,
            kind=kind,
            count=int(rng.integers(4, 25)) if count is None else count,
            second_layer_um=second_layer_um,
            aberration_waves=waves,
            photons=float(np.exp(rng.uniform(np.log(100), np.log(1000)))),
            thickness_um=1.0,
            size_px=256,
            optics=optics,
        )
        made.append(labelled(drawn, f"{kind} {number}"))
    return made


def _by_kind(errors: PositionErrors) -> list[dict[str, object]]:
    parts = {kind: [row for row in errors.rows if str(row["stack"]).startswith(kind)] for kind in KINDS}
    return [summary_row(kind, replace(errors, rows=rows)) for kind, rows in parts.items() if rows]
