"""Planes of real z-stacks paired with the sharpest plane of their stack."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Optional

import numpy as np

from parfocal.focus_quality.evaluation.stacks import RealStack, find_stacks, read_stack
from parfocal.optics.optics import MODEL_OPTICS, Optics
from parfocal.registry import shipped_file
from parfocal.restoration.evaluation.exposures import middle
from parfocal.restoration.evaluation.plan import Plan
from parfocal.restoration.intensity import Intensity

# Of longer stacks so many planes are taken, spread evenly.
LARGEST_PLANES = 12


@dataclass(frozen=True)
class RealPair:
    """One defocused plane and the sharpest one of the same stack.

    Attributes
    ----------
    stack : RealStack
    plane : int
        Index of the defocused plane.
    image_yx : ndarray
        It, in the type of the file.
    sharp_yx : ndarray
        The sharpest plane.
    """

    stack: RealStack
    plane: int
    image_yx: np.ndarray
    sharp_yx: np.ndarray

    @property
    def truth_yx(self) -> np.ndarray:
        """The sharpest plane, background 0 and bright structures 1."""
        return Intensity.of(self.sharp_yx, smoothed=False).apply(self.sharp_yx)

    @property
    def optics(self) -> Optics:
        """Optics of the stack; the model's where they are not known."""
        return self.stack.optics or MODEL_OPTICS

    @property
    def about(self) -> dict[str, Any]:
        """Columns that name the plane and how far it lies from focus."""
        return {
            "stack": self.stack.name,
            "domain": self.stack.domain,
            "plane": self.plane,
            "distance_planes": float(self.stack.distance_planes()[self.plane]),
            "distance_um": float(self.stack.distance_um()[self.plane]),
            "level_by_geometry": float(self.stack.expected_levels()[self.plane]),
        }

    def optics_arguments(self) -> dict[str, Any]:
        """Optics as `restore_defocus` takes them; nothing where they are not known."""
        optics = self.stack.optics
        if optics is None:
            return {}
        return {
            "pixel_size_um": optics.pixel_size_um,
            "numerical_aperture": optics.numerical_aperture,
            "emission_wavelength_um": optics.emission_wavelength_um,
            "immersion_index": optics.immersion_index,
        }


def find_pair_stacks(plan: Plan) -> tuple[list[RealStack], list[str]]:
    """Read the stacks below the image folder that have a single plane in focus; and names of those left out."""
    entries, missing = find_stacks(plan.images, plan.stacks or shipped_file("evaluation_stacks.json"))
    if not entries:
        raise FileNotFoundError(f"no z-stack of {plan.stacks or 'evaluation_stacks.json'} lies below {plan.images}")
    stacks = [read_stack(plan.images, entry) for entry in entries]
    # NaN, where no single plane is in focus, is not above 0.
    usable = [bool((stack.distance_planes() > 0).any()) for stack in stacks]
    left = [*missing, *(stack.name for stack, use in zip(stacks, usable) if not use)]
    return [stack for stack, use in zip(stacks, usable) if use], left


def pairs_of(stack: RealStack, width_px: int) -> Iterator[RealPair]:
    """Yield planes of a stack outside the focal range, cut to their middle, against the plane in its middle."""
    span = stack.focal_range
    assert span is not None
    sharpest = round((span[0] + span[1]) / 2)
    sharp = middle(stack.stack_zyx[sharpest], width_px)
    for plane in _spread(np.flatnonzero(stack.distance_planes() > 0)):
        yield RealPair(stack, int(plane), middle(stack.stack_zyx[plane], width_px), sharp)


def declared_modality(stack: RealStack) -> Optional[str]:
    """What a user would say of a stack that is no widefield fluorescence; None where it is."""
    if stack.modality != "widefield_fluorescence":
        return stack.modality
    if stack.domain != "outside":
        return None
    return "phase_contrast" if stack.kind.startswith("phase contrast") else "bright_field"


def _spread(planes: np.ndarray) -> np.ndarray:
    if len(planes) <= LARGEST_PLANES:
        return planes
    return planes[np.unique(np.linspace(0, len(planes) - 1, LARGEST_PLANES).round().astype(int))]
