"""How the patches of an image are summed up best, told from sources that the networks have not seen."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from parfocal.focus_quality.estimate import Pooling, read_distribution
from parfocal.focus_quality.evaluation.independence import fit_independence, fitted_on_others
from parfocal.focus_quality.evaluation.synthetic import SyntheticRun, answer
from parfocal.focus_quality.settings import SMALLEST_SHARE_NEAR
from parfocal.training.run_folder import RECORD

if TYPE_CHECKING:
    import pandas as pd


def pooled_by_others(run: SyntheticRun, model: str) -> SyntheticRun:
    """Read the images of each source anew, with the independence of patches that fits all other sources.

    The run must have been measured with patches averaged (`Pooling()`).
    """
    rows, told = _told(run, model)
    fitted = fitted_on_others(*_samples(run, model), list(rows["source"]))
    exposures, distributions = run.exposures.copy(), np.array(run.distributions[model])
    for i, row in zip(np.flatnonzero(told), rows.to_dict("index").values()):
        pooling = Pooling(fitted[row["source"]], SMALLEST_SHARE_NEAR)
        certain, patches = float(row["mean_certainty"]), float(row["effective_patches"])
        found = read_distribution(distributions[i], certain, patches, pooling)
        distributions[i] = found.probabilities
        named = answer(found)
        exposures.loc[exposures.index[i], list(named)] = list(named.values())
    return replace(run, exposures=exposures, distributions={model: distributions})


def fitted_pooling(run: SyntheticRun, model: str) -> Pooling:
    """Fit the independence on all sources of the run."""
    return Pooling(round(fit_independence(*_samples(run, model)), 3), SMALLEST_SHARE_NEAR)


def write_pooled_model(network: Path, folder: Path, pooling: Pooling) -> Path:
    """Copy a model folder without its checkpoints, and state in its config how patches are summed up."""
    shutil.copytree(network, folder, ignore=shutil.ignore_patterns("checkpoints", RECORD))
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "pooling": asdict(pooling)}, indent=2) + "\n")
    return folder


def _told(run: SyntheticRun, model: str) -> tuple[pd.DataFrame, np.ndarray]:
    told = np.isfinite(run.distributions[model]).all(axis=1)
    return run.exposures[told], told


def _samples(run: SyntheticRun, model: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distributions, numbers of patches and true levels of the answered images."""
    rows, told = _told(run, model)
    numbers, levels = rows["effective_patches"].to_numpy(float), rows["true_level"].to_numpy(int)
    return run.distributions[model][told], numbers, levels
