"""Models and classical metrics run over real z-stacks, plane by plane."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from parfocal.focus_quality.classical import METRICS, classical_metrics
from parfocal.focus_quality.evaluation.scores import rank_correlation
from parfocal.focus_quality.evaluation.stacks import RealStack, read_stack
from parfocal.focus_quality.evaluation.synthetic import answer, model_labels
from parfocal.focus_quality.measure import measure_image_focus
from parfocal.focus_quality.result import ImageFocus
from parfocal.focus_quality.sharpest import sharpest_plane

if TYPE_CHECKING:
    import pandas as pd


def measure_planes(stack: RealStack, models: Sequence[str]) -> pd.DataFrame:
    """Measure every plane: a row for each plane and scorer, `score` oriented so that higher is further from focus."""
    import pandas as pd

    places = {
        "plane": np.arange(len(stack.z_um)),
        "z_um": stack.z_um,
        "distance_planes": stack.distance_planes(),
        "distance_um": stack.distance_um(),
        "offset_um": stack.offset_um(),
        "um_per_level_by_optics": stack.um_per_level,
        "expected_level": stack.expected_levels(),
    }
    tables = []
    for model, label in model_labels(models).items():
        planes = _measure(stack, model).planes
        found = pd.DataFrame([answer(plane.estimate) for plane in planes])
        tables.append(pd.DataFrame({"scorer": label, **places, "score": found["defocus_level"], **found}))
    metrics = pd.DataFrame([classical_metrics(plane, stack.optics) for plane in stack.stack_zyx])
    tables += [pd.DataFrame({"scorer": name, **places, "score": -metrics[name]}) for name in METRICS]
    table = pd.concat(tables, ignore_index=True)
    table.insert(0, "stack", stack.name)
    table.insert(1, "domain", stack.domain)
    return table


def summarise_stack(planes: pd.DataFrame) -> list[dict[str, Any]]:
    """Sum up the table of one stack: a row for each scorer."""
    return [
        {"stack": planes["stack"].iloc[0], "domain": planes["domain"].iloc[0], "scorer": scorer, **_summary(rows)}
        for scorer, rows in planes.groupby("scorer", sort=False)
    ]


def run_stacks(
    folder: str | os.PathLike[str], entries: Iterable[dict[str, Any]], models: Sequence[str]
) -> tuple[list[RealStack], pd.DataFrame, pd.DataFrame]:
    """Measure the stacks: descriptions, a row for each plane and scorer, a row for each stack and scorer."""
    import pandas as pd

    stacks = [read_stack(folder, entry) for entry in entries]
    tables = [measure_planes(stack, models) for stack in stacks]
    summaries = [row for table in tables for row in summarise_stack(table)]
    return stacks, pd.concat(tables, ignore_index=True), pd.DataFrame(summaries)


def _summary(rows: pd.DataFrame) -> dict[str, Any]:
    score = rows["score"].to_numpy(float)
    answered = np.isfinite(score)
    told = np.where(answered, score, np.inf)
    # That of a model is found as `measure_image_focus` does, that of a metric is the best one.
    find = sharpest_plane if rows["defocus_level"].notna().any() else np.argmin
    sharpest = int(find(told)) if answered.any() else None
    expected = rows["expected_level"].to_numpy(float)
    near = np.abs(rows["predicted_level"].to_numpy(float) - expected)
    compared = np.isfinite(near)

    def at_sharpest(column: str) -> float:
        return float("nan") if sharpest is None else float(rows[column].iloc[sharpest])

    return {
        "planes": len(rows),
        "answered": int(answered.sum()),
        "rank_correlation": rank_correlation(score, rows["distance_planes"].to_numpy(float)),
        "sharpest_plane": at_sharpest("plane"),
        "error_planes": at_sharpest("distance_planes"),
        "error_um": at_sharpest("distance_um"),
        "within_one": float(np.mean(near[compared] <= 1)) if compared.any() else float("nan"),
        **_scale_um(rows),
    }


def _scale_um(rows: pd.DataFrame) -> dict[str, float]:
    """What a level is worth in um: as the planes show it and by the optics; error of the distance that follows.

    Planes at the ends of the scale say nothing of it: levels 1 to 9 are used for the worth, and for the error those
    that lie within 10 levels by the optics.
    """
    level, distance = rows["defocus_level"].to_numpy(float), rows["distance_um"].to_numpy(float)
    by_optics = float(rows["um_per_level_by_optics"].iloc[0])
    used = (level >= 1) & (level <= 9) & (distance > 0)
    told = np.isfinite(level) & (distance <= 10 * by_optics)
    error = level[told] * by_optics - distance[told]
    return {
        "um_per_level": float(np.median(distance[used] / level[used])) if used.any() else float("nan"),
        "um_per_level_by_optics": by_optics,
        "rmse_um": float(np.sqrt(np.mean(error**2))) if told.any() else float("nan"),
    }


def _measure(stack: RealStack, model: str) -> ImageFocus:
    if stack.optics is None:
        return measure_image_focus(stack.stack_zyx, modality=stack.modality, model=model)
    optics = stack.optics
    return measure_image_focus(
        stack.stack_zyx,
        modality=stack.modality,
        model=model,
        pixel_size_um=optics.pixel_size_um,
        numerical_aperture=optics.numerical_aperture,
        emission_wavelength_um=optics.emission_wavelength_um,
        immersion_index=optics.immersion_index,
    )
