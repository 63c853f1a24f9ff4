"""z-stacks that are taken at the microscope, to learn from."""

from __future__ import annotations

import numpy as np

from parfocal.focal_position.stacks import LabelledStack
from parfocal.focus_control.metrics import focus_score
from parfocal.focus_control.microscope import Microscope, StageError
from parfocal.focus_control.peak import OK, judge, peak, spaced
from parfocal.focus_control.settings import HoldFocus
from parfocal.focus_control.stage import StageGuard


def take_planes(microscope: Microscope, guard: StageGuard, z_um: list[float]) -> list[tuple[float, np.ndarray]]:
    """Take an image at each position: where the device truly was, and the image (MicroscopeError)."""
    planes = []
    for target in z_um:
        move = guard.travel_to(target)
        if not move.reached:
            raise StageError(f"{target:.2f} um was not reached: {move.fault}")
        planes.append((move.z_um, microscope.snap()))
    return planes


def take_stack(
    microscope: Microscope, settings: HoldFocus, half_range_um: float, step_um: float, name: str = "stack"
) -> LabelledStack:
    """Take a z-stack around the present position, and find its focal plane by the focus metric.

    Parameters
    ----------
    microscope : Microscope
    settings : HoldFocus
        Limits, metric and tolerances.
    half_range_um, step_um : float
        To either side, and from plane to plane.
    name : str
        For messages.

    Returns
    -------
    LabelledStack
        The focus device is back where it was.

    Raises
    ------
    ValueError
        Where the limits cut the stack short, or it holds no focal plane.
    MicroscopeError
        Where an image or a move fails.
    """
    guard, start = StageGuard.begin(microscope, settings)
    low, high = guard.limits_um
    if not (low <= start - half_range_um and start + half_range_um <= high):
        raise ValueError(
            f"the stack must lie within the limits, [{low:g}, {high:g}] um, got {half_range_um:g} um to either side of"
            f" {start:g} um"
        )
    try:
        planes = take_planes(microscope, guard, spaced(start - half_range_um, start + half_range_um, step_um))
    finally:
        guard.travel_to(start)
    z = np.array([z for z, _ in planes])
    scores = np.array([focus_score(image, settings.focus_metric) for _, image in planes])
    found, reason = judge(z, scores)
    if found != OK:
        raise ValueError(f"{name} must go through the focal plane: {reason}")
    return LabelledStack(np.stack([image for _, image in planes]), z, peak(z, scores), name)
