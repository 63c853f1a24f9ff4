"""What the distance networks reach, as tables: accuracy, number of beads and networks, refusals, untrained optics."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from parfocal.beads.distance.calibration import Calibration
from parfocal.beads.distance.crops import LabelledCrops, middle
from parfocal.beads.distance.fit import fit_member
from parfocal.beads.distance.judgement import Judgement, calibration_of, judge
from parfocal.beads.distance.network import ARCHITECTURES
from parfocal.beads.distance.normalise import normalise
from parfocal.beads.distance.plan import plan_simulated
from parfocal.beads.distance.predict import TASK, ModelName, estimate, predict_distances
from parfocal.beads.distance.quality import crop_status
from parfocal.beads.distance.scenes import TEST_SEED, changed_optics, made_fields, outside_scenes
from parfocal.beads.distance.settings import training_settings
from parfocal.beads.distance.simulated import OPTICS
from parfocal.beads.distance.training import plan_fit
from parfocal.registry import load_model
from parfocal.status import OK

if TYPE_CHECKING:
    import pandas as pd

# The ranges that the figures are stated for, um.
GOAL_RANGES_UM = {"a2k_like": (-300.0, 300.0), "nikon_like": (-12.0, 12.0)}
WITHIN_UM = 10.0
BEAD_COUNTS = (1, 2, 3, 6, 10, 20)
UNTRAINED: dict[str, tuple[dict[str, Any], ...]] = {
    "a2k_like": (
        {},
        *({"condenser_numerical_aperture": value} for value in (0.08, 0.09, 0.11, 0.12)),
        *({"numerical_aperture": value} for value in (0.12, 0.125, 0.135, 0.14)),
        *({"bead_diameter_um": value} for value in (20.0, 25.0, 26.0, 31.0, 32.0, 35.0)),
    ),
    "nikon_like": (
        {},
        *({"condenser_numerical_aperture": value} for value in (0.15, 0.18, 0.22, 0.25)),
        *({"numerical_aperture": value} for value in (0.25, 0.29, 0.31, 0.35)),
        *({"bead_diameter_um": value} for value in (20.0, 25.0, 26.0, 31.0, 32.0, 35.0)),
    ),
}


@dataclass(frozen=True, eq=False)
class ReadFields:
    """Test fields and what a model says of each crop.

    Attributes
    ----------
    crops : LabelledCrops
    told : ndarray
        (n, members), um.
    judged : Judgement
        What is held against each crop.
    calibration : Calibration
    """

    crops: LabelledCrops
    told: np.ndarray
    judged: Judgement
    calibration: Calibration

    @property
    def kept(self) -> np.ndarray:
        """Which crops were not refused (n,)."""
        return self.judged.status == OK

    def fields(self) -> list[np.ndarray]:
        """Indices of the crops of each field."""
        return [np.flatnonzero(self.crops.stack_index == field) for field in np.unique(self.crops.stack_index)]


def read_fields(model: ModelName, crops: LabelledCrops) -> ReadFields:
    """Let a model read and judge labelled crops."""
    return ReadFields(crops, *_read(model, crops.crops_nyx), calibration_of(load_model(model, TASK)))


def _read(model: ModelName, crops_nyx: np.ndarray) -> tuple[np.ndarray, Judgement]:
    """What a model says of crops at its own scale, and how they are judged."""
    loaded = load_model(model, TASK)
    told, found = predict_distances(crops_nyx, model), crop_status(crops_nyx)
    good = found == OK
    return told, judge(middle(crops_nyx[good], loaded.config["crop_px"]), told[good], loaded).among(found)


def held_out_fields(
    model: ModelName, name: str, n_fields: int = 200, n_beads: int = 20, seed: int = TEST_SEED
) -> ReadFields:
    """Read fields of the trained optics, over the goal's range, that took no part in training."""
    return read_fields(model, made_fields(OPTICS[name], GOAL_RANGES_UM[name], n_fields, n_beads, seed))


def accuracy(read: ReadFields, n_beads: int = 6, members: Optional[int] = None) -> dict[str, float]:
    """Figures of means over beads, um, of the fields that got an answer.

    Parameters
    ----------
    read : ReadFields
        Fields of `n_beads` or more; each field is cut into as many groups of `n_beads` as it holds.
    n_beads : int
        Beads of a mean.
    members : int, optional
        Networks that are used, the first ones; the crops' status stays that of the whole ensemble.
    """
    told = read.told[:, : members or read.told.shape[1]]
    rows = []
    for field in read.fields():
        for group in field[: len(field) // n_beads * n_beads].reshape(-1, n_beads):
            made = estimate(told[group], read.judged.select(group), read.calibration)
            truth = float(read.crops.distance_um[group[0]])
            inside = made.interval_um[0] <= truth <= made.interval_um[1]
            rows.append((made.distance_um - truth, inside, made.answered, read.kept[group].mean()))
    error, inside_interval, answered, kept = (np.array(column, float) for column in zip(*rows))
    good = answered > 0
    size = np.abs(error[good])
    return {
        "means": len(rows),
        "answered": float(answered.mean()),
        "crops kept": float(kept.mean()),
        "within 10 um": _share(size <= WITHIN_UM),
        "median error um": float(np.median(size)) if len(size) else np.nan,
        "95 % error um": float(np.quantile(size, 0.95)) if len(size) else np.nan,
        "bias um": float(error[good].mean()) if len(size) else np.nan,
        "in 95 % interval": _share(inside_interval[good] > 0),
    }


def accuracy_by_beads(read: ReadFields, counts: tuple[int, ...] = BEAD_COUNTS) -> pd.DataFrame:
    """Figures against the number of beads in a mean; last what the guess 0 would reach on the same fields."""
    rows = {f"{n}": accuracy(read, n) for n in counts}
    truth = np.abs([read.crops.distance_um[field[0]] for field in read.fields()])
    rows["guess of 0"] = {"within 10 um": _share(truth <= WITHIN_UM), "median error um": float(np.median(truth))}
    return _table(rows, "beads")


def accuracy_by_members(read: ReadFields, n_beads: int = 6) -> pd.DataFrame:
    """Figures against the number of networks."""
    sizes = range(1, read.told.shape[1] + 1)
    return _table({f"{n}": accuracy(read, n_beads, n) for n in sizes}, "networks")


def accuracy_by_distance(read: ReadFields, range_um: tuple[float, float], bins: int = 12) -> pd.DataFrame:
    """Errors of single crops over the range, um, and how often the sign is wrong."""
    edges = np.linspace(*range_um, bins + 1)
    mean, truth = read.told.mean(axis=1), read.crops.distance_um
    rows = {}
    for low, high in zip(edges, edges[1:]):
        mine = (truth >= low) & (truth < high)
        kept = mine & read.kept
        error = mean[kept] - truth[kept]
        rows[f"{low:g} to {high:g}"] = {
            "crops": int(mine.sum()),
            "kept": _share(read.kept[mine]),
            "within 10 um": _share(np.abs(error) <= WITHIN_UM),
            "median error um": float(np.median(np.abs(error))) if len(error) else np.nan,
            "bias um": float(error.mean()) if len(error) else np.nan,
            "wrong sign": _share(mean[kept] * truth[kept] < 0),
        }
    return _table(rows, "distance um")


def refusals(model: ModelName, name: str, n: int = 200, seed: int = TEST_SEED) -> pd.DataFrame:
    """Share of crops refused among those unlike the trained ones, and the error of those that passed."""
    rows = {}
    for what, (crops, distance) in outside_scenes(name, n, seed).items():
        told, judged = _read(model, crops)
        passed = judged.status == OK
        error = np.abs(told.mean(axis=1) - distance)[passed]
        rows[what] = {
            "crops": len(crops),
            "refused": _share(~passed),
            "median error of those passed um": float(np.median(error)) if len(error) else np.nan,
        }
    return _table(rows, "crops of")


def untrained_optics(
    model: ModelName, name: str, n_fields: int = 60, n_beads: int = 6, seed: int = TEST_SEED
) -> pd.DataFrame:
    """Figures for optics and beads that the model has not seen, one change at a time, as if nobody had said so.

    The last column is the median error with no crop refused.
    """
    rows = {}
    for changes in UNTRAINED[name]:
        optics = changed_optics(name, **changes) if changes else OPTICS[name]
        read = read_fields(model, made_fields(optics, GOAL_RANGES_UM[name], n_fields, n_beads, seed))
        answers = accuracy(read, n_beads)
        unjudged = accuracy(replace(read, judged=_nothing_held(read.judged)), n_beads)
        what = ", ".join(f"{key} {value:g}" for key, value in changes.items()) or "as trained"
        rows[what] = {**answers, "median error um, none refused": unjudged["median error um"]}
    return _table(rows, "optics").drop(columns="means")


def compare_architectures(name: str, steps: int, n_crops: int = 24000, batch_size: int = 32) -> pd.DataFrame:
    """Train one network of each architecture by the `default` recipe, same steps and crops; the same test for both.

    Single crops and means over 6, none refused: limits for refusing belong to a finished ensemble.
    """
    test = made_fields(OPTICS[name], GOAL_RANGES_UM[name], 100, 6)
    settings = training_settings("default", steps=steps, n_crops=n_crops, members=1, batch_size=batch_size)
    plan = plan_simulated(name, settings)
    inputs = normalise(test.crops_nyx, settings.normalisation, plan.count_scale)[..., None]
    rows = {}
    for architecture in ARCHITECTURES:
        fit = plan_fit(replace(plan, settings=replace(settings, architecture=architecture)))
        with tempfile.TemporaryDirectory() as folder:
            network, _ = fit_member(fit, 0, Path(folder))
        told = np.concatenate([network(part, training=False) for part in np.array_split(inputs, 10)])[:, 0]
        error = told - test.distance_um
        for what, sizes in (("1 bead", np.abs(error)), ("6 beads", np.abs(error.reshape(-1, 6).mean(axis=1)))):
            rows[f"{architecture}, {what}"] = {
                "parameters": int(network.count_params()),
                "steps": steps,
                "within 10 um": _share(sizes <= WITHIN_UM),
                "median error um": float(np.median(sizes)),
            }
    return _table(rows, "network")


def _nothing_held(judged: Judgement) -> Judgement:
    """The same crops with none refused."""
    return Judgement(
        np.full_like(judged.status, OK), np.full_like(judged.unlike, np.nan), np.full_like(judged.deviation, np.nan)
    )


def _share(values: np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else float("nan")


def _table(rows: dict[str, dict[str, float]], name: str) -> pd.DataFrame:
    import pandas as pd

    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index.name = name
    return table
