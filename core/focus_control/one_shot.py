"""One run of autofocus, by a sweep or by estimates: whatever does not end in focus goes back to the start."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Optional

import numpy as np

from parfocal import status
from parfocal.focus_control.bracket import bracketed, next_position
from parfocal.focus_control.confirm import agreed, probe_size_um
from parfocal.focus_control.filter import Measurement, mean_of
from parfocal.focus_control.look import Look, describe, measurements
from parfocal.focus_control.microscope import Microscope
from parfocal.focus_control.peak import NO_IMAGES
from parfocal.focus_control.search import STAGE, search
from parfocal.focus_control.settings import HoldFocus
from parfocal.focus_control.stage import StageGuard

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


class OneShot:
    """Microscope, settings and what was seen so far."""

    def __init__(self, microscope: Microscope, settings: HoldFocus) -> None:
        self.microscope, self.settings = microscope, settings
        self.guard, self.start = StageGuard.begin(microscope, settings)
        self.setpoint_um = settings.setpoint()
        self.images = 0
        self.curve: list[tuple[float, float]] = []
        self.faults: list[str] = []
        self._before: tuple[float, Sequence[Measurement]] = (self.start, ())
        self._sharpness: list[tuple[float, float]] = []

    def sweep(self, fit: str) -> AutofocusResult:
        """Sweep, and go to the peak of the focus metric."""
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

    def refine(self, estimator: Any, most_images: int, step_um: float) -> AutofocusResult:
        """Go where the first image says, then after the sharpest, until it has less sharp ones on both sides."""
        planes: tuple[float, ...] = ()
        while self.images < most_images:
            look, fault = self._look(estimator)
            if look is None:
                return self._restored(NO_IMAGES, fault)
            if not planes:
                seen, why = measurements(look, self.settings, self.guard.limits_um, None)
                planes = tuple(one.plane_um for one in seen)
            if not (planes and look.sharpness > 0):
                return self._restored(NO_ESTIMATE, why or f"no {self.settings.focus_metric} of this image")
            found = bracketed(self._sharpness, step_um)
            if found is not None:
                return self._arrived(found)
            if not self._go(next_position(self._sharpness, planes, step_um)):
                return self._restored(STAGE, self.faults[-1])
        return self._restored(NOT_REACHED, f"no image with less sharp ones on both sides after {self.images}")

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
            told = describe(image, estimator(image), self.settings.focus_metric)
            look = Look(self.microscope.now_s(), z_um, self.setpoint_um, **told)
            self.curve.append((z_um, look.defocus_um))
            if look.sharpness > 0:
                self._sharpness.append((z_um, look.sharpness))
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
