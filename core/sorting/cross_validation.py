"""Cross-validation: every example is judged by a network that saw nothing of its field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import numpy as np

from parfocal.sorting.examples import Example, folds
from parfocal.sorting.fit import Fit, probabilities, run_fit, without_validation
from parfocal.sorting.members import ENSEMBLE, averaged
from parfocal.sorting.recipe import Recipe
from parfocal.sorting.scores import accuracy, most_accurate_threshold, roc_auc
from parfocal.sorting.settings import SorterTraining

_SHOWN_EXAMPLES = 8


@dataclass(frozen=True)
class FoldScores:
    """Out-of-fold scores of examples, (n,), higher for defocused ones, and the threshold of each one's fold."""

    name: str
    score: np.ndarray
    threshold: np.ndarray

    def figures(self, defocused: np.ndarray, fold: np.ndarray) -> dict[str, float]:
        """Area under the curve and accuracy, each the mean over the folds, and the standard deviation over them.

        Folds of one class have no area and are left out of its mean; NaN where no fold has both.
        """
        areas, rights = [], []
        for number in np.unique(fold):
            here = fold == number
            areas.append(roc_auc(self.score[here], defocused[here]))
            rights.append(accuracy(self.score[here] - self.threshold[here], defocused[here], 0.0))
        known = [area for area in areas if np.isfinite(area)] or [float("nan")]
        return {
            "AUC": float(np.mean(known)),
            "AUC sd": float(np.std(known)),
            "accuracy": float(np.mean(rights)),
            "accuracy sd": float(np.std(rights)),
        }


def cross_validate(
    examples: Sequence[Example],
    settings: SorterTraining,
    count: int = 5,
    cache: Optional[Path] = None,
    start: Optional[list[np.ndarray]] = None,
    judged: Optional[int] = None,
    name: str = "",
) -> FoldScores:
    """Train `count` networks, each on all folds but one, and judge that one.

    Parameters
    ----------
    examples : sequence of Example
    settings : SorterTraining
        The networks end with their last weights, whatever the settings say.
    count : int
        Folds.
    cache : path, optional
        Folder where the scores of each fold are left, and taken from where they are.
    start : list of ndarray, optional
        Weights that each network begins with.
    judged : int, optional
        Train for and judge the first so many folds alone; the scores of the others are NaN.
    name : str
        Of the scores; that of the architecture where none is given.
    """
    name = name or settings.architecture
    fold = folds(examples, count)
    score = np.full(len(examples), np.nan)
    for number in np.unique(fold)[:judged]:
        held = [i for i, k in enumerate(fold) if k == number]
        kept = None if cache is None else cache / f"{name}_{number}.npy"
        if kept is not None and kept.exists():
            score[held] = np.load(kept, allow_pickle=False)
            continue
        validation = [examples[i] for i in held]
        train = [e for e, k in zip(examples, fold) if k != number and (settings.between or not e.between)]
        title = f"{name}, fold {number + 1} of {count}"
        # A few of them show that the run goes on; all are judged once it has ended.
        network, _ = run_fit(Fit(without_validation(settings), train, validation[:_SHOWN_EXAMPLES], start), title)
        score[held] = probabilities(network, validation)
        if kept is not None:
            np.save(kept, score[held])
    return FoldScores(name, score, np.full(len(examples), 0.5))


def cross_validate_recipe(examples: Sequence[Example], recipe: Recipe, count: int = 5, **options: Any) -> FoldScores:
    """The same for all networks of a recipe together; `options` are those of `cross_validate`."""
    found = [cross_validate(examples, own, count, name=name, **options) for name, (own, _) in recipe.items()]
    if len(found) == 1:
        return found[0]
    score = averaged([one.score for one in found], [share for _, share in recipe.values()])
    return FoldScores(ENSEMBLE, score, found[0].threshold)


def metric_scores(
    name: str, sharpness: np.ndarray, defocused: np.ndarray, fold: np.ndarray, judged: Optional[np.ndarray] = None
) -> FoldScores:
    """Scores of a classical metric (n,), higher for sharper; the threshold of a fold is the best one of the others.

    Where it is said which examples will be judged, the threshold is the best one for such examples.
    """
    score = -np.asarray(sharpness, float)
    threshold = np.empty(len(score))
    for number in np.unique(fold):
        others = (fold != number) if judged is None else (fold != number) & judged
        threshold[fold == number] = most_accurate_threshold(score[others], defocused[others])
    return FoldScores(name, score, threshold)
