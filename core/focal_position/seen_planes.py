"""Planes that a calibrated model has been adapted to, kept beside it so that a calibration can go on."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

import numpy as np

from parfocal.focal_position.labelled import LabelledPlanes
from parfocal.focal_position.settings import FocalPositionTraining


def with_seen(fresh: LabelledPlanes, path: Optional[Path], settings: FocalPositionTraining) -> LabelledPlanes:
    """Add the planes of earlier calibrations, where there are (ValueError where they had other bins)."""
    if path is None or not path.is_file():
        return fresh
    with np.load(path, allow_pickle=False) as held:
        defocus, index, held_targets = held["defocus"], held["stack_index"], held["targets"]
        range_um = float(held["half_range_um"])
        if held_targets.shape[1] != settings.bins.count or range_um != settings.half_range:
            raise ValueError(
                f"half_range_um must stay {range_um:g} when a calibration goes on, got {settings.half_range:g}"
            )
        planes = [held[f"plane{number:05d}"].astype(np.float32) for number in range(len(defocus))]
    return LabelledPlanes(
        [*planes, *fresh.planes],
        np.concatenate([held_targets, fresh.targets]),
        np.concatenate([defocus, fresh.defocus]),
        np.concatenate([index, fresh.stack_index + int(index.max()) + 1]),
        clean=False,
    )


def write_seen(path: Path, labelled: LabelledPlanes, half_range_um: float) -> None:
    """Keep planes and targets for the calibrations to come."""
    planes = {f"plane{number:05d}": _compact(plane) for number, plane in enumerate(labelled.planes)}
    held: dict[str, Any] = {"defocus": labelled.defocus, "stack_index": labelled.stack_index, **planes}
    held.update(targets=labelled.targets, half_range_um=np.float64(half_range_um))
    np.savez_compressed(path, **held)


def _compact(plane_yx: np.ndarray) -> np.ndarray:
    """Scale a plane to 16 bits: the network does not see its gain and offset."""
    low, high = float(plane_yx.min()), float(plane_yx.max())
    return np.asarray((plane_yx - low) * (65535 / max(high - low, 1e-12)), np.uint16)
