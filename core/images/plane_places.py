"""Where a file says that the planes of an image in it lie."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Optional


@dataclass(frozen=True)
class PlanePlaces:
    """What a file says of the stack or plane in it; None where it does not.

    Attributes
    ----------
    path : Path
    n_planes : int
    z_um : tuple or None
        Positions of the planes, um; None for a plane without one.
    z_step_um, pixel_size_um : float or None
    """

    path: Path
    n_planes: int
    z_um: Optional[tuple[Optional[float], ...]] = None
    z_step_um: Optional[float] = None
    pixel_size_um: Optional[float] = None


def read_plane_places(path: str | os.PathLike[str], series: int) -> PlanePlaces:
    """Read what a file says of its planes; of one with several channels and times, the first of the series.

    Raises
    ------
    ValueError, OSError
        Where it cannot be read.
    """
    from parfocal.images.open_stack import open_stacks

    path = Path(path)
    for stack in open_stacks(path):
        if stack.metadata.series == series:
            about = stack.metadata
            return PlanePlaces(path, len(stack.planes), stack.z_um, about.z_step_um, about.pixel_size_um)
    raise ValueError(f"{path.name} has no series {series}")
