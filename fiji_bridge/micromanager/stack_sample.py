"""A z-stack as a sample that a camera in Python shows."""

from __future__ import annotations

from typing import Any

import numpy as np


class StackSample:
    """A real or simulated z-stack as a sample that can be looked at from any z.

    Between planes the image is interpolated, and beyond the ends of the stack it is that of the end.

    Parameters
    ----------
    stack_zyx : array_like
        (z, y, x), light without the camera's offset.
    z_step_um : float
    depth_of_field_um : float
        Of the objective that the stack was taken with.
    focal_plane_index : float
        Plane in focus; may be fractional.

    Raises
    ------
    ValueError
        Where the planes lie farther apart than the depth of field: what lies between them is then not known.
    """

    def __init__(self, stack_zyx: Any, z_step_um: float, depth_of_field_um: float, focal_plane_index: float) -> None:
        self._stack = np.asarray(stack_zyx, np.float32)
        if self._stack.ndim != 3:
            raise ValueError(f"stack_zyx must be (z, y, x), got shape {self._stack.shape}")
        if not 0 < z_step_um <= depth_of_field_um:
            raise ValueError(
                f"z_step_um must be above 0 and at most the depth of field, {depth_of_field_um:g} um, for planes"
                f" between those of the stack to be known, got {z_step_um:g}"
            )
        last = len(self._stack) - 1
        if not 0 <= focal_plane_index <= last:
            raise ValueError(f"focal_plane_index must be in [0, {last}], got {focal_plane_index:g}")
        self._step, self._focus = z_step_um, focal_plane_index

    def __call__(self, defocus_um: float) -> np.ndarray:
        """Image (y, x) at a distance from the focal plane, positive above it."""
        place = float(np.clip(self._focus + defocus_um / self._step, 0, len(self._stack) - 1))
        below = min(int(place), len(self._stack) - 2)
        share = place - below
        return (1 - share) * self._stack[below] + share * self._stack[below + 1]
