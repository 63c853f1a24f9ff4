"""Tables of the evaluation, made from what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from parfocal.focus_quality.classical import METRICS
from parfocal.focus_quality.evaluation.scores import (
    expected_calibration_error,
    f_score,
    level_errors,
    rank_correlation,
    split_f_scores,
)
from parfocal.focus_quality.evaluation.synthetic import PATCH_COLUMNS, SyntheticRun

if TYPE_CHECKING:
    import pandas as pd

# Level 1 is the grey zone between in focus (0) and further out of focus than a depth of field (2 and up).
GREY_LEVEL = 1
FLAG_ALL = "always flagged"
# The two ways to turn the distribution of an image into one level.
LEVEL_RULES = {"predicted_level": "the most probable level", "defocus_level": "the expected level, rounded"}


def choose_level_rule(exposures: pd.DataFrame, model: str) -> str:
    """Of the two level rules the one with the larger share within one level, then exactly right, for a model."""
    own = exposures[exposures["model"] == model]
    errors = {rule: _errors(own, rule) for rule in LEVEL_RULES}
    return max(LEVEL_RULES, key=lambda rule: (errors[rule]["within_one"], errors[rule]["exact"]))


def level_rules_table(exposures: pd.DataFrame) -> pd.DataFrame:
    """Errors under either level rule: a row for each model and rule."""
    import pandas as pd

    rows = [
        {"model": model, "level": LEVEL_RULES[rule], **_errors(own, rule)}
        for model, own in exposures.groupby("model", sort=False)
        for rule in LEVEL_RULES
    ]
    return pd.DataFrame(rows)


def level_table(exposures: pd.DataFrame, rule: str, by: str) -> pd.DataFrame:
    """Errors of the level: a row for each model and value of a column, and one for all together."""
    import pandas as pd

    rows = []
    for model, own in exposures.groupby("model", sort=False):
        rows += [{"model": model, by: value, **_errors(group, rule)} for value, group in own.groupby(by)]
        rows.append({"model": model, by: "all", **_errors(own, rule)})
    return pd.DataFrame(rows)


def source_table(exposures: pd.DataFrame, rule: str) -> pd.DataFrame:
    """Errors of the level by source, with the part each source belongs to."""
    parts = exposures.groupby("source")["part"].first()
    table = level_table(exposures, rule, "source")
    table.insert(2, "part", table["source"].map(parts).fillna(""))
    return table


def score_table(run: SyntheticRun, seed: int = 0, n_splits: int = 20) -> pd.DataFrame:
    """Rank correlation with the true level and F-scores: a row for each part and for each model and metric.

    `f_score` counts cases as they are, nine out of focus to one in focus; `f_score_balanced` weights both alike. The
    row `always flagged` is what flagging every image would get.
    """
    import pandas as pd

    scores = scores_by_scorer(run)
    parts = run.metrics["part"].to_numpy(str)
    names = ["all", *sorted(set(parts))] if len(set(parts)) > 1 else ["all"]
    rows = []
    for name in names:
        chosen = np.ones(len(parts), bool) if name == "all" else parts == name
        part = {scorer: values[chosen] for scorer, values in scores.items()}
        rows += _score_rows(name, run.metrics[chosen], part, seed, n_splits)
    return pd.DataFrame(rows)


def scores_by_scorer(run: SyntheticRun) -> dict[str, np.ndarray]:
    """Score of each exposure, higher is further out of focus, by model and by metric."""
    found = {
        str(model): own["defocus_level"].to_numpy(float) for model, own in run.exposures.groupby("model", sort=False)
    }
    found.update({name: -run.metrics[name].to_numpy(float) for name in METRICS})
    return found


def invariance_table(invariance: pd.DataFrame) -> pd.DataFrame:
    """Change of the level under gain and offset: a row for each model and condition, and one over all conditions."""
    import pandas as pd

    keys = ["model", "source", "image", "true_level"]
    reference = invariance[invariance["condition"] == "as exposed"][[*keys, "defocus_level"]]
    joined = invariance[invariance["condition"] != "as exposed"].merge(reference, on=keys, suffixes=("", "_before"))
    joined["change"] = joined["defocus_level"] - joined["defocus_level_before"]
    rows = []
    for model, own in joined.groupby("model", sort=False):
        rows += [
            {"model": model, "condition": c, **_change(group)} for c, group in own.groupby("condition", sort=False)
        ]
        rows.append({"model": model, "condition": "all", **_change(own)})
    return pd.DataFrame(rows)


def calibration_table(run: SyntheticRun) -> pd.DataFrame:
    """Compare the probability of the predicted level with the share right: a row for each model and unit."""
    import pandas as pd

    rows = []
    for model, unit, confidence, correct in calibration_samples(run):
        error = expected_calibration_error(confidence, correct)
        mean = {"confidence": float(np.mean(confidence)), "correct": float(np.mean(correct))}
        rows.append({"model": model, "unit": unit, "n": len(correct), **mean, "calibration_error": error})
    return pd.DataFrame(rows)


def calibration_samples(run: SyntheticRun) -> list[tuple[str, str, np.ndarray, np.ndarray]]:
    """Confidence and correctness of each answered image and of each patch: (model, unit, confidence, correct)."""
    samples = []
    for model, own in run.exposures.groupby("model", sort=False):
        told = own[own["status"] == "ok"]
        right = (told["predicted_level"] == told["true_level"]).to_numpy(bool)
        patches = dict(zip(PATCH_COLUMNS, run.patches[str(model)].T))
        right_patches = patches["predicted_level"] == patches["true_level"]
        samples.append((str(model), "image", told["confidence"].to_numpy(float), right))
        samples.append((str(model), "patch", patches["confidence"], right_patches))
    return [sample for sample in samples if len(sample[2])]


def as_they_are_table(measured: pd.DataFrame) -> pd.DataFrame:
    """Levels of the images without synthetic blur: a row for each model and source."""
    import pandas as pd

    rows = []
    for (model, source), own in measured.groupby(["model", "source"], sort=False):
        level = own["defocus_level"].to_numpy(float)
        told = level[np.isfinite(level)]
        summary = (
            {"median": np.median(told), "largest": told.max(), "below_1.5": np.mean(told < 1.5)} if len(told) else {}
        )
        rows.append({"model": model, "source": source, "n": len(own), "answered": len(told) / len(own), **summary})
    return pd.DataFrame(rows)


def _errors(rows: pd.DataFrame, rule: str) -> dict[str, float]:
    return level_errors(rows["true_level"].to_numpy(float), rows[rule].to_numpy(float))


def _score_rows(
    part: str, keys: pd.DataFrame, scores: dict[str, np.ndarray], seed: int, n_splits: int
) -> list[dict[str, Any]]:
    levels = keys["true_level"].to_numpy(int)
    cases = levels != GREY_LEVEL
    positive = levels[cases] > GREY_LEVEL
    fields = keys["field"].to_numpy(str)[cases]
    flagging = {FLAG_ALL: np.zeros(len(levels)), **scores}
    told = {name: values[cases] for name, values in flagging.items()}
    kinds = {"f_score": False, "f_score_balanced": True}
    splits = {kind: _splits(told, positive, fields, n_splits, seed, balanced) for kind, balanced in kinds.items()}
    images = _image_index(keys)
    rows = []
    for name, values in flagging.items():
        row: dict[str, Any] = {"part": part, "scorer": name, "rank_correlation": rank_correlation(values, levels)}
        row["rank_correlation_in_image"] = _median_in_image(values, levels, images)
        for kind, found in splits.items():
            row[kind], row[f"{kind}_sd"] = float(np.mean(found[name])), float(np.std(found[name]))
        row["answered"] = float(np.isfinite(values).mean())
        rows.append(row)
    return rows


def _splits(
    told: dict[str, np.ndarray], positive: np.ndarray, fields: Sequence[str], n_splits: int, seed: int, balanced: bool
) -> dict[str, np.ndarray]:
    if len(set(fields)) < 2:
        return {name: np.array([np.nan]) for name in told}
    found = split_f_scores(told, positive, fields, n_splits, seed, balanced)
    weight = np.where(positive, 1 / positive.mean(), 1 / (1 - positive.mean())) if balanced else None
    found[FLAG_ALL] = np.array([f_score(positive, np.ones(len(positive), bool), weight)])
    return found


def _image_index(keys: pd.DataFrame) -> np.ndarray:
    return np.unique((keys["field"] + "/" + keys["image"]).to_numpy(str), return_inverse=True)[1]


def _median_in_image(values: np.ndarray, levels: np.ndarray, images: np.ndarray) -> float:
    found = np.array([rank_correlation(values[images == i], levels[images == i]) for i in range(images.max() + 1)])
    return float(np.median(found[np.isfinite(found)])) if np.isfinite(found).any() else float("nan")


def _change(rows: pd.DataFrame) -> dict[str, float]:
    change = np.abs(rows["change"].to_numpy(float))
    both = np.isfinite(change)
    lost = np.isfinite(rows["defocus_level_before"].to_numpy(float)) & ~np.isfinite(
        rows["defocus_level"].to_numpy(float)
    )
    within = _errors(rows, "predicted_level")["within_one"]
    if not both.any():
        return {"n": len(rows), "mean_change": float("nan"), "max_change": float("nan"), "lost": int(lost.sum())}
    return {
        "n": len(rows),
        "mean_change": float(change[both].mean()),
        "p99_change": float(np.percentile(change[both], 99)),
        "max_change": float(change[both].max()),
        "lost": int(lost.sum()),
        "within_one": within,
    }
