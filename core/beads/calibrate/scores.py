"""What a distance model reads off sweeps of known distance, by stack and by the number of beads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

from parfocal.beads.calibrate.sweep import Sweep
from parfocal.beads.distance.combine import combine
from parfocal.beads.distance.predict import TASK, ModelName, predict_distances, signed_distance
from parfocal.beads.distance.scale import scale_problem, to_trained_pixels
from parfocal.registry import load_model

if TYPE_CHECKING:
    import pandas as pd

BEAD_COUNTS = (1, 2, 3, 6, 10, 20)
ALL_BEADS = 0
WITHIN_UM = 10.0
# The fewest beads are enough whose 95 percent error is at most this much above that with all beads of the image.
ENOUGH = 1.1
# With fewer images answered the errors are those of the easy ones.
LEAST_ANSWERED = 0.8
_GROUPS_SEED = 90


def read_sweeps(
    model: ModelName,
    sweeps: Sequence[Sweep],
    range_um: tuple[float, float],
    counts: Sequence[int] = (ALL_BEADS,),
) -> pd.DataFrame:
    """Let a model read every plane of some sweeps, by single beads and by groups of several.

    Parameters
    ----------
    model : str or path
    sweeps : sequence of Sweep
        With crops.
    range_um : tuple of float
        Only planes at these distances are read, um.
    counts : sequence of int
        Numbers of beads of a reading, 0 for all of a plane.

    Returns
    -------
    DataFrame
        A row for each reading: stack, plane, group (beads asked for, 0 for all of the plane), n_beads, distance_um (z
        less the measured REFP), read_um and error_um (NaN where refused), low_um, high_um, answered, status, and
        unjudged_um: what the networks say where nothing is refused (NaN where the pixels do not fit).
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for sweep in sweeps:
        told = _told(model, sweep)
        for plane in np.unique(sweep.plane):
            mine = np.flatnonzero(sweep.plane == plane)
            if range_um[0] <= sweep.distance_um[mine[0]] <= range_um[1]:
                rows += _plane_rows(model, sweep, mine, told, counts)
    return pd.DataFrame(rows, columns=_COLUMNS)


def bead_counts(sweeps: Sequence[Sweep]) -> tuple[int, ...]:
    """Numbers of beads that are compared: those below the fewest beads of a sweep, and all."""
    fewest = min(len(np.unique(sweep.bead)) for sweep in sweeps)
    return (*(n for n in BEAD_COUNTS if n < fewest), ALL_BEADS)


def figures(readings: pd.DataFrame, depth_of_field_um: float = math.nan) -> dict[str, float]:
    """Figures of some readings; those of errors are of the readings that were answered, um."""
    answered = readings[readings["answered"]]
    size = answered["error_um"].abs()
    inside = (answered["low_um"] <= answered["distance_um"]) & (answered["distance_um"] <= answered["high_um"])
    unjudged = (readings["unjudged_um"] - readings["distance_um"]).abs().dropna()
    within_depth = (size <= depth_of_field_um).mean() if math.isfinite(depth_of_field_um) else math.nan
    return {
        "images": len(readings),
        "answered": float(readings["answered"].mean()),
        "median_error_um": float(size.median()),
        "error_95_um": float(size.quantile(0.95)),
        "bias_um": float(answered["error_um"].mean()),
        "within_10_um": float((size <= WITHIN_UM).mean()),
        "within_depth_of_field": float(within_depth),
        "in_95_interval": float(inside.mean()),
        "median_error_none_refused_um": float(unjudged.median()),
    }


def by_beads(readings: pd.DataFrame, depth_of_field_um: float = math.nan) -> pd.DataFrame:
    """Figures against the number of beads; the last row, `all n`, is of all beads of a plane (n in the median)."""
    import pandas as pd

    rows = []
    for count in (*sorted(set(readings["group"]) - {ALL_BEADS}), ALL_BEADS):
        mine = readings[readings["group"] == count]
        name = f"all {mine['n_beads'].median():g}" if count == ALL_BEADS else str(count)
        rows.append({"beads": name, **figures(mine, depth_of_field_um)})
    return pd.DataFrame(rows)


def by_stack(readings: pd.DataFrame, depth_of_field_um: float = math.nan) -> pd.DataFrame:
    """Figures of each stack, with all beads of a plane."""
    import pandas as pd

    whole = readings[readings["group"] == ALL_BEADS]
    rows = [{"stack": name, **figures(mine, depth_of_field_um)} for name, mine in whole.groupby("stack", sort=False)]
    return pd.DataFrame(rows)


def beads_enough(table: pd.DataFrame) -> Optional[int]:
    """Fewest beads whose 95 percent error is within 10 percent of that with all; None where it takes all.

    NaN error or an answer to fewer than 80 percent of the images with all beads tells nothing: then also None.
    """
    if table["answered"].iloc[-1] < LEAST_ANSWERED:
        return None
    limit = ENOUGH * table["error_95_um"].iloc[-1]
    good = table[:-1][table["error_95_um"][:-1] <= limit]
    return int(good["beads"].iloc[0]) if len(good) else None


def _told(model: ModelName, sweep: Sweep) -> np.ndarray:
    """What the networks say of each crop (n, members), um, whether it can be trusted or not; NaN for other pixels."""
    config = load_model(model, TASK).config
    pixel_um, fitting = sweep.result.pixel_size_um, (config["pixel_size_um"], config["crop_px"])
    if scale_problem(sweep.crops_nyx.shape[1], pixel_um, *fitting):
        return np.full((len(sweep), config["members"]), np.nan)
    return predict_distances(to_trained_pixels(sweep.crops_nyx, pixel_um, *fitting), model)


def _plane_rows(
    model: ModelName, sweep: Sweep, mine: np.ndarray, told: np.ndarray, counts: Sequence[int]
) -> list[dict[str, Any]]:
    """Readings of one plane: its beads in a random order, cut into groups of each size."""
    plane, truth = int(sweep.plane[mine[0]]), float(sweep.distance_um[mine[0]])
    order = np.random.default_rng([_GROUPS_SEED, plane]).permutation(mine)
    rows = []
    for count in counts:
        size = count or len(order)
        for group in order[: len(order) // size * size].reshape(-1, size):
            read = signed_distance(
                sweep.crops_nyx[group], sweep.result.pixel_size_um, sweep.result.bead_diameter_um, model
            )
            values = {
                "stack": sweep.name,
                "plane": plane,
                "group": count,
                "n_beads": size,
                "distance_um": truth,
                "read_um": read.distance_um,
                "error_um": read.distance_um - truth,
                "low_um": read.interval_um[0],
                "high_um": read.interval_um[1],
                "answered": read.answered,
                "status": read.status,
                "unjudged_um": combine(told[group]).distance_um,
            }
            rows.append(values)
    return rows


_COLUMNS = [
    "stack",
    "plane",
    "group",
    "n_beads",
    "distance_um",
    "read_um",
    "error_um",
    "low_um",
    "high_um",
    "answered",
    "status",
    "unjudged_um",
]
