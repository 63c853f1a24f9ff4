"""A sweep through z by a focus metric: coarse, then fine around the best, with the curve; no peak, no answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from parfocal.focus_control.metrics import focus_score
from parfocal.focus_control.microscope import Microscope
from parfocal.focus_control.peak import NO_IMAGES, OK, judge, peak, spaced
from parfocal.focus_control.settings import HoldFocus
from parfocal.focus_control.stage import StageGuard

_FAULTS_UNTIL_END = 3
STAGE, CANCELLED = "stage", "cancelled"


@dataclass(frozen=True)
class FocusSearch:
    """What a sweep found.

    Attributes
    ----------
    status : str
        `ok`, `flat` (no plane stands out), `at_the_end` (the sharpest plane is the first or the last: focus lies
        beyond), `no_images` (too few), `stage` (a move failed), `cancelled`.
    reason : str
    z_um : float
        Position of the peak; NaN where none was found.
    curve_z_um, curve_score : ndarray
        The curve, (n,), in the order in which it was taken: coarse planes, then fine ones.
    faults : tuple of str
    """

    status: str
    reason: str
    z_um: float
    curve_z_um: np.ndarray
    curve_score: np.ndarray
    faults: tuple[str, ...] = ()

    @property
    def found(self) -> bool:
        """Whether there is a peak."""
        return self.status == OK

    @property
    def images(self) -> int:
        """How many images it took."""
        return len(self.curve_z_um)


def search(
    microscope: Microscope,
    guard: StageGuard,
    settings: HoldFocus,
    middle_um: float,
    fit: str = "parabola",
    score: Callable[[np.ndarray], float] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> FocusSearch:
    """Sweep coarsely over the search range within the limits, then finely around the best plane.

    The device is left at the last plane: where it goes is for the caller to say.

    Parameters
    ----------
    microscope : Microscope
    guard : StageGuard
        All moves go through it.
    settings : HoldFocus
        Range, steps and metric.
    middle_um : float
        Of the range.
    fit : str
        `parabola` through the best plane and its neighbours, or smoothing `spline` through the fine planes.
    score : callable, optional
        Image (y, x) to score, higher is sharper; the settings' metric by default.
    cancelled : callable
        Is asked before each plane whether to end.
    """
    scored = score or (lambda image: focus_score(image, settings.focus_metric))
    sweep = _Sweep(microscope, guard, settings, scored, cancelled)
    low, high = guard.limits_um
    first, last = max(low, middle_um - settings.search_range_um), min(high, middle_um + settings.search_range_um)
    coarse = sweep.take(spaced(first, last, settings.coarse_step_um))
    if sweep.ended[0]:
        return sweep.result(*sweep.ended)
    status, reason = judge(*coarse)
    if status != OK:
        return sweep.result(status, reason)
    best = coarse[0][int(np.argmax(coarse[1]))]
    around = max(first, best - settings.coarse_step_um), min(last, best + settings.coarse_step_um)
    fine = sweep.take(spaced(*around, settings.fine_step_um))
    if sweep.ended[0]:
        return sweep.result(*sweep.ended)
    if len(fine[0]) < 3:
        return sweep.result(NO_IMAGES, f"{len(fine[0])} images around the best plane, at least 3 are needed")
    return sweep.result(OK, "", peak(*fine, fit))


class _Sweep:
    def __init__(
        self,
        microscope: Microscope,
        guard: StageGuard,
        settings: HoldFocus,
        score: Callable[[np.ndarray], float],
        cancelled: Callable[[], bool],
    ) -> None:
        self.microscope, self.guard, self.settings = microscope, guard, settings
        self.score, self.cancelled = score, cancelled
        self.z_um: list[float] = []
        self.scores: list[float] = []
        self.faults: list[str] = []
        self.ended = ("", "")

    def take(self, planes_um: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
        """Take the planes, from the side that the device approaches from; those without a score are left out."""
        rising = self.settings.approach == "up"
        begun, failed = len(self.z_um), 0
        for z_um in planes_um if rising else planes_um[::-1]:
            if self.cancelled():
                self.ended = CANCELLED, "the search was stopped"
                break
            move = self.guard.travel_to(z_um)
            self.faults += [move.fault] if move.fault else []
            if not move.reached:
                self.ended = STAGE, move.fault or f"{z_um:.2f} um was not reached"
                break
            value, fault = self._score()
            self.faults += [fault] if fault else []
            failed = failed + 1 if fault else 0
            if failed >= _FAULTS_UNTIL_END:
                break
            if math.isfinite(value):
                self.z_um.append(move.z_um)
                self.scores.append(value)
        return np.array(self.z_um[begun:]), np.array(self.scores[begun:])

    def _score(self) -> tuple[float, str]:
        try:
            return float(self.score(np.asarray(self.microscope.snap()))), ""
        except Exception as error:  # whatever a camera or a metric raises leaves the plane out
            return math.nan, f"{type(error).__name__}: {error}"

    def result(self, status: str, reason: str, z_um: float = math.nan) -> FocusSearch:
        faults = tuple(dict.fromkeys(self.faults))
        return FocusSearch(status, reason, z_um, np.array(self.z_um), np.array(self.scores), faults)
