"""One-shot autofocus: a sweep by a focus metric, or a few images and an estimator."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Optional

import numpy as np

from parfocal import status
from parfocal.commands import Param, check_arguments, command
from parfocal.focus_control.confirm import agreed, probe_size_um
from parfocal.focus_control.filter import Measurement, mean_of
from parfocal.focus_control.look import Look, describe, measurements
from parfocal.focus_control.metrics import FOCUS_METRICS
from parfocal.focus_control.microscope import Microscope
from parfocal.focus_control.search import FITS, NO_IMAGES, STAGE, search
from parfocal.focus_control.settings import APPROACHES, HoldFocus
from parfocal.focus_control.stage import StageGuard

METHODS = ("sweep", "estimate")
NO_ESTIMATE, NOT_REACHED = "no_estimate", "not_reached"
# Images from which on an uncertain position is taken, if the last one sees it within the tolerance.
_ENOUGH_IMAGES = 3
NAN = float("nan")


@dataclass(frozen=True)
class AutofocusResult:
    """What `autofocus` found.

    Attributes
    ----------
    status : str
        `ok`, or why z is where it was before: `flat` (no plane stands out), `at_the_end` (the sharpest plane is the
        first or last), `no_images`, `stage`, `no_estimate`, `not_reached` (the estimates did not agree within the
        images).
    reason : str
    z_um : float
        Where the focus device is now, as read back.
    focal_plane_z_um : float
        Where the focal plane is; NaN where it was not found.
    deviation_um : float
        Its standard deviation (`estimate` only).
    images : int
        That were taken.
    start_z_um : float
    curve_z_um, curve_score : ndarray
        Curve of the sweep, coarse planes before fine ones; with `estimate` z and defocus of each look.
    faults : tuple of str
    """

    status: str
    reason: str
    z_um: float
    focal_plane_z_um: float
    deviation_um: float
    images: int
    start_z_um: float
    curve_z_um: np.ndarray = field(repr=False)
    curve_score: np.ndarray = field(repr=False)
    faults: tuple[str, ...] = ()

    @property
    def found(self) -> bool:
        """Whether the device is at the setpoint."""
        return self.status == status.OK


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
        an image that verifies it.
    setpoint_um : float
        Where to end, relative to the focal plane: positive above it.
    range_um, coarse_step_um, fine_step_um : float
        Of the sweep, to either side of the present position. The method `estimate` moves no farther either.
    metric : str
        Focus metric of the sweep, the sharpest image highest.
    fit : str
        `parabola` through the best fine planes, or smoothing `spline` through all fine planes.
    most_images : int
        After which the method `estimate` gives up.
    tolerance_um : float
        Within which the verifying image must see the setpoint.
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
    StageError
        Where the position cannot be read.
    """
    check_arguments(autofocus, locals())
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
    shot = _Shot(microscope, settings)
    try:
        return shot.sweep(fit) if method == "sweep" else shot.estimate(estimate, most_images)
    except BaseException:  # an interrupt too must not leave the device somewhere in a sweep
        shot.guard.travel_to(shot.start)
        raise


class _Shot:
    """One run: whatever does not end in focus goes back to the start."""

    def __init__(self, microscope: Microscope, settings: HoldFocus) -> None:
        self.microscope, self.settings = microscope, settings
        self.guard, self.start = StageGuard.begin(microscope, settings)
        self.setpoint_um = settings.setpoint()
        self.images = 0
        self.curve: list[tuple[float, float]] = []
        self.faults: list[str] = []
        self._before: tuple[float, Sequence[Measurement]] = (self.start, ())

    def sweep(self, fit: str) -> AutofocusResult:
        found = search(self.microscope, self.guard, self.settings, self.start, fit)
        self.images, self.faults = found.images, list(found.faults)
        self.curve = list(zip(found.curve_z_um, found.curve_score))
        if not found.found:
            return self._restored(found.status, found.reason)
        return self._arrived(Measurement(found.z_um, NAN))

    def estimate(self, estimator: Any, most_images: int) -> AutofocusResult:
        """Estimate, move, and verify; each look is put together with those before."""
        known: Optional[Measurement] = None
        while self.images < most_images:
            look, fault = self._look(estimator)
            if look is None:
                return self._restored(NO_IMAGES, fault)
            seen, why = measurements(look, self.settings, self.guard.limits_um, known.plane_um if known else None)
            if not seen:
                return self._restored(NO_ESTIMATE, why)
            plane = self._one_side(look, seen)
            if plane is None:
                target = look.z_um + self._probe(look.z_um, seen)
            else:
                seen_there = known is not None and self._is_near(look, plane)
                known = plane if known is None else mean_of(known, plane)
                if seen_there and self._is_known(known):
                    return self._arrived(known)
                target = known.plane_um + self.setpoint_um
            if not self._go(target):
                return self._restored(STAGE, self.faults[-1])
        return self._restored(NOT_REACHED, f"no image within {self.settings.tolerance_um:g} um after {self.images}")

    def _one_side(self, look: Look, seen: Sequence[Measurement]) -> Optional[Measurement]:
        """What a look measures; of two sides the one that the look before the move agrees with, None where neither."""
        if len(seen) == 1:
            return seen[0]
        before, self._before = self._before, (look.z_um, seen)
        return agreed(before[1], seen, look.z_um - before[0])

    def _is_near(self, look: Look, plane: Measurement) -> bool:
        return abs(look.z_um - plane.plane_um - self.setpoint_um) <= self.settings.tolerance_um

    def _is_known(self, plane: Measurement) -> bool:
        return self.images >= _ENOUGH_IMAGES or 2.0 * math.sqrt(plane.variance_um2) <= self.settings.tolerance_um

    def _probe(self, z_um: float, options: Sequence[Measurement]) -> float:
        size = probe_size_um(options, self.settings.probe_um, self.settings.largest_step_um)
        return size if z_um + size <= self.guard.limits_um[1] else -size

    def _look(self, estimator: Any) -> tuple[Optional[Look], str]:
        fault = ""
        for number in range(self.settings.camera_retries + 1):
            if number:
                self.microscope.wait_s(self.settings.retry_s)
            try:
                image = np.asarray(self.microscope.snap())
            except Exception as error:  # whatever a camera raises is a fault of the camera
                fault = f"no image: {error or type(error).__name__}"
                self.faults.append(fault)
                continue
            self.images += 1
            z_um, fault = self.guard.read()
            look = Look(self.microscope.now_s(), z_um, self.setpoint_um, **describe(image, estimator(image), ""))
            self.curve.append((z_um, look.defocus_um))
            return (None, fault) if math.isnan(z_um) else (look, "")
        return None, fault

    def _go(self, z_um: float) -> bool:
        move = self.guard.travel_to(z_um)
        self.faults += [move.fault] if move.fault else []
        return move.reached

    def _arrived(self, plane: Measurement) -> AutofocusResult:
        if not self._go(plane.plane_um + self.setpoint_um):
            return self._restored(STAGE, self.faults[-1])
        return replace(
            self._result(status.OK, ""), focal_plane_z_um=plane.plane_um, deviation_um=math.sqrt(plane.variance_um2)
        )

    def _restored(self, why: str, reason: str) -> AutofocusResult:
        if not self._go(self.start):
            reason = f"{reason}; z was not restored"
        return self._result(why, reason)

    def _result(self, why: str, reason: str) -> AutofocusResult:
        z_um, scores = (np.array([pair[k] for pair in self.curve], float) for k in (0, 1))
        faults = tuple(dict.fromkeys(self.faults))
        here, _ = self.guard.read()
        return AutofocusResult(why, reason, here, NAN, NAN, self.images, self.start, z_um, scores, faults)
