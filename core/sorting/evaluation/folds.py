"""Networks and classical metrics over the same folds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from parfocal.report.sections import Section
from parfocal.sorting.cross_validation import FoldScores, cross_validate_recipe, metric_scores
from parfocal.sorting.examples import Example, folds, synthetic_examples
from parfocal.sorting.recipe import recipe_of
from parfocal.sorting.scores import roc_curve

if TYPE_CHECKING:
    import pandas as pd

    from parfocal.sorting.evaluation.evaluate import Plan

_TEXT = (
    "Each field of each source was judged by a network (or a threshold of a metric) that had seen nothing of it."
    " AUC and accuracy are means over the folds, `sd` the standard deviation over them. Networks decide at a"
    " probability of 0.5 and, in a second row, as the metrics do: at the most accurate threshold of the other folds."
)


def cross_validation_sections(plan: Plan) -> list[Section]:
    """Cross-validate the networks and the classical metrics; writes `scores.csv` and `roc.png`."""
    examples = synthetic_examples(plan.images["trained"], plan.exposures, plan.seed, between=True)
    defocused = np.array([example.defocused for example in examples])
    fold = folds(examples, plan.folds)
    found = []
    for name in plan.networks:
        recipe = recipe_of(name, epochs=plan.epochs)
        options = {"cache": plan.output, "judged": plan.judged_folds}
        found.append(cross_validate_recipe(examples, recipe, plan.folds, **options))
    counted = fold < (plan.judged_folds or plan.folds)
    examples, fold, defocused = [e for e, here in zip(examples, counted) if here], fold[counted], defocused[counted]
    found = [FoldScores(one.name, one.score[counted], one.threshold[counted]) for one in found]
    judged = np.array([not example.between for example in examples])
    found += [metric_scores(f"{one.name}, best threshold", -one.score, defocused, fold, judged) for one in found]
    found += classical_scores(examples, defocused, fold, judged)
    _write_scores(plan.output / "scores.csv", examples, fold, found)
    _draw_curves(plan.output / "roc.png", found, defocused, judged)
    n_images = len({(example.source, example.name) for example in examples})
    about = f" {int(judged.sum())} exposures of {n_images} images, {plan.folds} folds"
    about += "." if plan.judged_folds is None else f", of which the first {plan.judged_folds} are judged."
    tables = (_table(found, defocused, fold, judged), _levels(found[: len(plan.networks)], examples))
    return [Section("Cross-validation", _TEXT + about, tables, ("roc.png",))]


def classical_scores(
    examples: Sequence[Example], defocused: np.ndarray, fold: np.ndarray, judged: np.ndarray
) -> list[FoldScores]:
    """Scores of the classical focus metrics."""
    from parfocal.focus_quality.classical import METRICS, classical_metrics

    values = [classical_metrics(example.pixels.astype(np.float32) + 1.0) for example in examples]
    return [metric_scores(name, np.array([row[name] for row in values]), defocused, fold, judged) for name in METRICS]


def _table(found: Sequence[FoldScores], defocused: np.ndarray, fold: np.ndarray, judged: np.ndarray) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for one in found:
        part = FoldScores(one.name, one.score[judged], one.threshold[judged])
        rows.append({"method": one.name, **part.figures(defocused[judged], fold[judged])})
    return pd.DataFrame(rows)


def _levels(found: Sequence[FoldScores], examples: Sequence[Example]) -> pd.DataFrame:
    """Share that is flagged, by whole level."""
    import pandas as pd

    level = np.floor(np.array([example.level for example in examples]))
    rows = []
    for one in found:
        flagged = one.score > one.threshold
        shares = {f"{int(n)}": float(np.mean(flagged[level == n])) for n in np.unique(level)}
        rows.append({"flagged at level": one.name, **shares})
    return pd.DataFrame(rows)


def _write_scores(path: Path, examples: Sequence[Example], fold: np.ndarray, found: Sequence[FoldScores]) -> None:
    import pandas as pd

    table = pd.DataFrame(
        {
            "source": [example.source for example in examples],
            "image": [example.name for example in examples],
            "level": [example.level for example in examples],
            "defocused": [example.defocused for example in examples],
            "fold": fold,
            **{one.name: one.score for one in found},
        }
    )
    table.to_csv(path, index=False)


def _draw_curves(path: Path, found: Sequence[FoldScores], defocused: np.ndarray, judged: np.ndarray) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.5, 4.5), layout="constrained")
    axis = figure.subplots()
    for one in found:
        alarms, hits = roc_curve(np.nan_to_num(one.score[judged], nan=-np.inf), defocused[judged])
        axis.plot(alarms, hits, label=one.name, linewidth=1.2)
    axis.set(xlabel="sharp images flagged", ylabel="defocused images flagged", xlim=(-0.01, 1), ylim=(0, 1.01))
    axis.legend(fontsize=7)
    figure.savefig(path, dpi=110)
