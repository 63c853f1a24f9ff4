"""Tables of what a sorter makes of sources that were left out, from a row for each exposure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

import numpy as np

from parfocal import status
from parfocal.sorting.scores import accuracy, roc_auc, threshold_for_false_alarms

if TYPE_CHECKING:
    import pandas as pd

FALSE_ALARM_RATE = 0.05


def by_source(found: dict[str, pd.DataFrame], figures: Callable[[pd.DataFrame], dict[str, Any]]) -> pd.DataFrame:
    """One row of figures for each source."""
    import pandas as pd

    return pd.DataFrame([{"source": source, **figures(part)} for source, part in found.items()])


def alone(part: pd.DataFrame) -> dict[str, Any]:
    """Figures of the sorter alone; an exposure without a probability counts as judged wrongly."""
    defocused, score = part["defocused"].to_numpy(bool), part["probability"].to_numpy(float)
    over = score - part["threshold"].to_numpy(float)
    return {
        "images": part.groupby(["source", "image"]).ngroups,
        "exposures": len(part),
        "AUC": roc_auc(score, defocused),
        "accuracy": accuracy(over, defocused, 0.0),
        "sharp flagged": float(np.mean(over[~defocused] > 0)),
        "defocused flagged": float(np.mean(over[defocused] > 0)),
    }


def command(part: pd.DataFrame) -> dict[str, Any]:
    """Figures of the whole command, with its abstentions."""
    answered, defocused = (part["status"] == status.OK).to_numpy(bool), part["defocused"].to_numpy(bool)
    over = (part["answer"] - part["threshold"]).to_numpy(float)
    return {
        "sharp answered": float(np.mean(answered[~defocused])),
        "defocused answered": float(np.mean(answered[defocused])),
        "contradicted": float(np.mean(part["status"] == status.DISAGREEMENT)),
        "AUC": roc_auc(over[answered], defocused[answered]),
        "accuracy": _mean((over > 0)[answered] == defocused[answered]),
        "sharp flagged": _mean(over[answered & ~defocused] > 0),
        "defocused flagged": _mean(over[answered & defocused] > 0),
    }


def beside(part: pd.DataFrame) -> dict[str, Any]:
    """Areas under the curve of the sorter, the measured level and the best classical metric."""
    from parfocal.focus_quality.classical import METRICS

    defocused, level = part["defocused"].to_numpy(bool), part["measured_level"].to_numpy(float)
    measured = np.isfinite(level)
    metrics = {name: roc_auc(-part[name].to_numpy(float), defocused) for name in METRICS}
    best = max(metrics, key=lambda name: metrics[name])
    return {
        "sorter": roc_auc(part["probability"].to_numpy(float), defocused),
        "level": roc_auc(level, defocused),
        "level, where measured": roc_auc(level[measured], defocused[measured]),
        "measured": float(np.mean(measured)),
        "metric": metrics[best],
        "best metric": best,
    }


def by_level(found: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Share that the sorter alone flags, by whole level."""
    import pandas as pd

    rows = []
    for source, part in found.items():
        flagged = (part["probability"] > part["threshold"]).groupby(np.floor(part["level"]).astype(int)).mean()
        rows.append({"flagged at level": source, **{str(level): float(share) for level, share in flagged.items()}})
    table = pd.DataFrame(rows)
    return table[["flagged at level", *sorted(table.columns[1:], key=int)]]


def own_threshold(part: pd.DataFrame) -> dict[str, Any]:
    """Choose a threshold from the sharp images of each half and sort the other one with it."""
    thresholds, rates, alarms, hits, used = [], [], [], [], 0
    answered = part[part["status"] == status.OK]
    for half in (0, 1):
        own, other = answered[answered["half"] == half], answered[answered["half"] != half]
        sharp = own.loc[~own["defocused"].astype(bool), "answer"].to_numpy(float)
        if not len(sharp):
            continue
        threshold, rate = threshold_for_false_alarms(sharp, FALSE_ALARM_RATE)
        flagged, defocused = (other["answer"] > threshold).to_numpy(bool), other["defocused"].to_numpy(bool)
        alarms += list(flagged[~defocused])
        hits += list(flagged[defocused])
        thresholds.append(f"{threshold:.3f}")
        rates.append(rate)
        used += len(sharp)
    return {
        "sharp exposures": used,
        "promised": _mean(np.array(rates)),
        "thresholds": ", ".join(thresholds),
        "sharp flagged": _mean(np.array(alarms)),
        "defocused flagged": _mean(np.array(hits)),
    }


def _mean(values: np.ndarray) -> float:
    """Mean, NaN where there is nothing."""
    return float(np.mean(values)) if len(values) else float("nan")
