"""One-shot autofocus: a sweep by a focus metric, or a few images and an estimator."""

from __future__ import annotations

from typing import Annotated, Any, Optional

from parfocal.commands import Param, check_arguments, command
from parfocal.focus_control.metrics import FOCUS_METRICS
from parfocal.focus_control.microscope import check_microscope
from parfocal.focus_control.one_shot import AutofocusResult, OneShot
from parfocal.focus_control.peak import FITS
from parfocal.focus_control.session import refuse_held
from parfocal.focus_control.settings import HoldFocus
from parfocal.focus_control.settings_checks import APPROACHES

METHODS = ("sweep", "estimate")


@command
def autofocus(
    microscope: Annotated[Any, Param(array=True)],
    estimate: Annotated[Optional[Any], Param(array=True)] = None,
    method: Annotated[str, Param(choices=METHODS, label="Method")] = "sweep",
    setpoint_um: Annotated[float, Param("um", -1000.0, 1000.0, label="Setpoint")] = 0.0,
    range_um: Annotated[float, Param("um", 0.1, 10000.0, label="Range to either side")] = 20.0,
    coarse_step_um: Annotated[float, Param("um", 0.01, 1000.0, label="Coarse step")] = 2.0,
    fine_step_um: Annotated[float, Param("um", 0.01, 1000.0, label="Fine step")] = 0.5,
    metric: Annotated[str, Param(choices=FOCUS_METRICS, label="Focus metric")] = "VollathF4",
    fit: Annotated[str, Param(choices=FITS, label="Fit")] = "parabola",
    most_images: Annotated[int, Param("images", 2, 100, label="Most images of the estimate")] = 6,
    tolerance_um: Annotated[float, Param("um", 0.001, 1000.0, label="Tolerance")] = 0.5,
    refine_step_um: Annotated[Optional[float], Param("um", 0.01, 1000.0, label="Step of refining the estimate")] = None,
    lowest_z_um: Annotated[Optional[float], Param("um", label="Lowest position")] = None,
    highest_z_um: Annotated[Optional[float], Param("um", label="Highest position")] = None,
    lowest_offset_um: Annotated[Optional[float], Param("um", label="Lowest offset")] = None,
    highest_offset_um: Annotated[Optional[float], Param("um", label="Highest offset")] = None,
    backlash_um: Annotated[float, Param("um", 0.0, 1000.0, label="Backlash")] = 0.0,
    approach: Annotated[str, Param(choices=APPROACHES, label="Approach")] = "up",
) -> AutofocusResult:
    """Find the focal plane once, and move there; where it is not found, z is restored.

    Parameters
    ----------
    microscope : Microscope
        Focus device and camera.
    estimate : callable, optional
        Image (y, x) to `FocalPosition`; needed by the method `estimate`.
    method : str
        `sweep`: coarse, then fine planes, and a fit of the focus metric. `estimate`: an image, an estimate, a move, and
        an image that verifies it, or images that refine it.
    setpoint_um : float
        Where to end, relative to the focal plane: positive above it.
    range_um, coarse_step_um, fine_step_um : float
        Of the sweep, to either side of the present position. The method `estimate` moves no farther either.
    metric : str
        Focus metric of the sweep and of refining, the sharpest image highest.
    fit : str
        `parabola` through the best fine planes, or smoothing `spline` through all fine planes.
    most_images : int
        After which the method `estimate` gives up.
    tolerance_um : float
        Within which the verifying image must see the setpoint.
    refine_step_um : float, optional
        In place of verifying: images follow the sharpness from the estimated focal plane on, until the sharpest has one
        on either side of it, about so far away (a depth of field is right), and a parabola goes through the three. The
        estimate need only lead near; `tolerance_um` does not count.
    lowest_z_um, highest_z_um : float, optional
        Limits of the focus device.
    lowest_offset_um, highest_offset_um : float, optional
        Limits of the offset of a hardware autofocus, in their place while it is on.
    backlash_um : float
        Play of the focus device, taken up from one side.
    approach : str
        From where moves end: `up` (rising) or `down`.

    Returns
    -------
    AutofocusResult

    Raises
    ------
    TypeError, ValueError
        Where an argument is wrong; the message says what would be right, and the value.
    AlreadyHeldError
        Where a session holds the focus of this microscope.
    StageError
        Where the position cannot be read.
    """
    check_arguments(autofocus, locals())
    check_microscope(microscope)
    refuse_held(microscope)
    if method == "estimate" and not callable(estimate):
        raise ValueError(f"estimate must be given, a callable, for the method 'estimate', got {estimate!r}")
    settings = HoldFocus(
        setpoint_um=setpoint_um,
        tolerance_um=tolerance_um,
        settle_um=min(0.2, tolerance_um),
        largest_step_um=2.0 * range_um,
        lowest_z_um=lowest_z_um,
        highest_z_um=highest_z_um,
        lowest_offset_um=lowest_offset_um,
        highest_offset_um=highest_offset_um,
        travel_um=range_um,
        backlash_um=backlash_um,
        approach=approach,
        search_range_um=range_um,
        coarse_step_um=coarse_step_um,
        fine_step_um=min(fine_step_um, coarse_step_um),
        focus_metric=metric,
        arrival_tolerance_um=min(0.2, tolerance_um),
    )
    settings.check_range(getattr(estimate, "range_um", None))
    shot = OneShot(microscope, settings)
    try:
        if method == "sweep":
            return shot.sweep(fit)
        if refine_step_um is None:
            return shot.estimate(estimate, most_images)
        return shot.refine(estimate, most_images, refine_step_um)
    except BaseException:  # an interrupt too must not leave the device somewhere in a sweep
        shot.guard.travel_to(shot.start)
        raise
