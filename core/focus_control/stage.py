"""A guard around the focus device: every move of the control loop goes through it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from parfocal.focus_control.microscope import Microscope, StageError
from parfocal.focus_control.settings import HoldFocus

# Waits for a device that reports late, as shares of `arrival_s`.
_WAITS = (0.05, 0.1, 0.2, 0.3, 0.35)
NOT_MOVED, FELL_SHORT, WENT_TOO_FAR = "did not move", "fell short", "went too far"


@dataclass(frozen=True)
class Move:
    """What became of a move.

    Attributes
    ----------
    target_um : float
        Where the device was to go: what was asked for, brought within the limits and the largest step.
    z_um : float
        Where it ended, as read back; NaN where it cannot be read.
    reached : bool
        Whether it is at its target.
    fault : str
        What was seen to be wrong on the way, even where a later try succeeded; empty where all went well.
    limited : bool
        Whether the limits cut it short.
    tries : int
        Commands that were given.
    """

    target_um: float
    z_um: float
    reached: bool
    fault: str = ""
    limited: bool = False
    tries: int = 0


class StageGuard:
    """Moves a focus device within limits, in bounded steps, from one side, and looks where it ended.

    Parameters
    ----------
    microscope : Microscope
    settings : HoldFocus
        Largest step, backlash, tries and tolerances.
    limits_um : tuple of float
        Lowest and highest position that may be commanded.
    """

    def __init__(self, microscope: Microscope, settings: HoldFocus, limits_um: tuple[float, float]) -> None:
        self._microscope, self._settings = microscope, settings
        self.limits_um = limits_um

    @classmethod
    def begin(cls, microscope: Microscope, settings: HoldFocus) -> tuple[StageGuard, float]:
        """Guard within the limits of the settings, and the present position that they hold around.

        Raises
        ------
        ValueError
            Where the limits exclude the present position.
        StageError
            Where the position cannot be read.
        """
        start_um, fault = cls(microscope, settings, (-math.inf, math.inf)).read()
        if math.isnan(start_um):
            raise StageError(f"the focus device does not say where it is: {fault}")
        guard = cls(microscope, settings, (start_um, start_um))
        guard.limits_um = settings.limits_um(start_um, guard.by_offset)
        return guard, start_um

    @property
    def by_offset(self) -> bool:
        """Whether positions are offsets of a hardware autofocus."""
        return bool(getattr(self._microscope, "by_offset", False))

    def read(self) -> tuple[float, str]:
        """Position and what was wrong with reading it: NaN after the last try."""
        fault = ""
        for number in range(self._settings.stage_retries + 1):
            if number:
                self._microscope.wait_s(self._settings.retry_s)
            try:
                z_um = float(self._microscope.z_um())
            except Exception as error:  # whatever a driver raises is a fault of the stage
                fault = f"position unreadable: {error}"
                continue
            if math.isfinite(z_um):
                return z_um, fault
            fault = f"position unreadable: got {z_um}"
        return math.nan, fault

    def step_to(self, z_um: float) -> Move:
        """Move towards a position, by the largest step at most."""
        before, fault = self.read()
        if math.isnan(before):
            return Move(z_um, before, False, fault)
        longest = self._settings.largest_step_um
        step = min(max(z_um - before, -longest), longest)
        low, high = self.limits_um
        target = min(max(before + step, low), high)
        return self._move(target, before, limited=target != before + step)

    def travel_to(self, z_um: float) -> Move:
        """Move to a position in as many steps as it takes; ends at the first that does not reach its target."""
        low, high = self.limits_um
        target = min(max(z_um, low), high)
        move, faults = self.step_to(target), []
        # Each step that is reached comes nearer by the largest step, so that their number is known.
        for _ in range(math.ceil((high - low) / self._settings.largest_step_um) + 1):
            faults.append(move.fault)
            if not move.reached or abs(move.z_um - target) <= self._settings.arrival_tolerance_um:
                break
            move = self.step_to(target)
        told = "; ".join(dict.fromkeys(filter(None, faults)))
        return Move(target, move.z_um, move.reached, told, target != z_um, move.tries)

    def _move(self, target: float, before: float, limited: bool) -> Move:
        z_um, faults = before, []
        for _ in range(self._settings.stage_retries + 1):
            start = z_um
            fault = self._command(target, start)
            z_um, late = self._arrive(target, start)
            reached = abs(z_um - target) <= self._settings.arrival_tolerance_um
            faults.append(fault or late or ("" if reached else _kind(start, z_um, target)))
            if reached or math.isnan(z_um):
                break
            self._microscope.wait_s(self._settings.retry_s)
        told = "; ".join(dict.fromkeys(filter(None, faults)))
        reached = abs(z_um - target) <= self._settings.arrival_tolerance_um
        return Move(target, z_um, reached, told, limited, len(faults))

    def _command(self, target: float, start: float) -> str:
        """Command a move, first past the target where the play is to be taken up; say what went wrong."""
        try:
            for z_um in self._way(target, start):
                self._microscope.move_to_um(z_um)
        except Exception as error:  # whatever a driver raises is a fault of the stage
            return str(error) if isinstance(error, StageError) else f"{type(error).__name__}: {error}"
        return ""

    def _way(self, target: float, start: float) -> tuple[float, ...]:
        rising = self._settings.approach == "up"
        if self._settings.backlash_um == 0 or (target > start if rising else target < start):
            return (target,)
        past = target - self._settings.backlash_um if rising else target + self._settings.backlash_um
        return (min(max(past, self.limits_um[0]), self.limits_um[1]), target)

    def _arrive(self, target: float, start: float) -> tuple[float, str]:
        """Read the position until it is the target, as long as a device may report late."""
        z_um, fault = self.read()
        for share in _WAITS:
            if fault or abs(z_um - target) <= self._settings.arrival_tolerance_um:
                break
            self._microscope.wait_s(share * self._settings.arrival_s)
            later, fault = self.read()
            if abs(later - target) <= self._settings.arrival_tolerance_um < abs(z_um - target):
                return later, f"reported late: {z_um:.2f} um before {later:.2f} um"
            z_um = later
        return z_um, fault


def _kind(start: float, end: float, target: float) -> str:
    """Name the fault of a move that ended elsewhere, with the share of the way that it went."""
    share = (end - start) / (target - start) if target != start else math.inf
    kind = NOT_MOVED if abs(share) < 0.05 else FELL_SHORT if share < 1 else WENT_TOO_FAR
    return kind if kind == NOT_MOVED else f"{kind}: {share:.2f} of the way"
