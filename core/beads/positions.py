"""z positions of the planes of a stack."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np


def plane_positions(n_planes: int, z_step_um: Optional[float], z_um: Optional[Any]) -> np.ndarray:
    """Positions of the planes, um: those given, or steps from 0 on; a single plane lies at 0 where nothing is said.

    Raises
    ------
    ValueError
        Where both are given, or neither for several planes, their number is not that of the planes, or a position is
        not finite.
    """
    if n_planes == 1 and z_step_um is None and z_um is None:
        return np.zeros(1)
    if (z_step_um is None) == (z_um is None):
        given = "neither" if z_um is None else "both"
        raise ValueError(f"give the distance of the planes as z_step_um or their positions as z_um, got {given}")
    if z_um is None:
        return float(z_step_um or 0.0) * np.arange(n_planes, dtype=float)
    z = np.asarray(z_um, dtype=float)
    if z.shape != (n_planes,):
        raise ValueError(f"z_um must hold one position for each of the {n_planes} planes, got shape {z.shape}")
    if not np.isfinite(z).all():
        raise ValueError(f"z_um must be finite, got {z[~np.isfinite(z)][0]} for plane {int(np.argmin(np.isfinite(z)))}")
    return z
