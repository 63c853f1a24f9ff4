"""What the parts of an evaluation share: rows that outlive an interrupted run, figures, and drawn curves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

import numpy as np

from parfocal.sorting.examples import Example
from parfocal.sorting.fit import Fit, probabilities, run_fit
from parfocal.sorting.scores import accuracy, roc_auc

if TYPE_CHECKING:
    import pandas as pd

FIGURES = ("AUC", "accuracy")
# A run that ends with its last weights needs no validation; a few examples show that it goes on.
_SHOWN_EXAMPLES = 4


class KeptRows:
    """Rows of a CSV file by the run that they come from: what was made once, with the same settings, is taken from it.

    Parameters
    ----------
    path : Path
        File, which need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        import pandas as pd

        self.path = path
        self._rows: list[dict[str, Any]] = []
        if path.exists():
            held = pd.read_csv(path)
            self._rows = [{str(name): value for name, value in row.items()} for row in held.to_dict("records")]

    def rows(self, run: dict[str, Any], make: Callable[[], list[dict[str, Any]]]) -> pd.DataFrame:
        """Rows of a run, which `run` names with all that they depend on; made, and left in the file, where missing."""
        import pandas as pd

        name = json.dumps(run, sort_keys=True)
        if not any(row["run"] == name for row in self._rows):
            self._rows += [{"run": name, **row} for row in make()]
            part = self.path.with_suffix(".part")
            pd.DataFrame(self._rows).to_csv(part, index=False)
            part.replace(self.path)
        return pd.DataFrame([row for row in self._rows if row["run"] == name]).drop(columns="run")


def trained_row(fit: Fit, test: Sequence[Example], title: str) -> dict[str, float]:
    """Train, judge other examples at a probability of 0.5, and say with how many steps and examples."""
    network, history = run_fit(fit, title)
    counts = {"steps": history[-1]["step"], "training loss": history[-1]["loss"]}
    return {**counts, **judged_row(network, test)}


def judged_row(network: Any, test: Sequence[Example]) -> dict[str, float]:
    """Judge examples at a probability of 0.5."""
    defocused = np.array([example.defocused for example in test])
    told = probabilities(network, test)
    return {"AUC": roc_auc(told, defocused), "accuracy": accuracy(told, defocused)}


def shown(train: Sequence[Example]) -> Sequence[Example]:
    """Choose the few training examples whose loss is shown while a run goes on."""
    return train[:_SHOWN_EXAMPLES]


def joined(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Rows of several tables, one after the other."""
    import pandas as pd

    return pd.concat(list(tables), ignore_index=True)


def draw_figures(path: Path, table: pd.DataFrame, lines: str, x: str, title: str = "") -> None:
    """Draw AUC and accuracy against a column, a line for each value of another."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.4), layout="constrained")
    for axes, score in zip(figure.subplots(1, 2), FIGURES):
        for name, own in table.groupby(lines, sort=False):
            axes.plot(own[x].astype(str), own[score], "o-", label=str(name))
        axes.set(xlabel=x, ylabel=score, title=title)
        axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    figure.savefig(path, dpi=110)
