"""What happens in the day: drift, thermal jumps, dust, darkness, and each fault once."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from parfocal import status
from parfocal.focal_position.result import FocalPosition
from parfocal.focus_control.simulated import SimulatedMicroscope
from parfocal.focus_control.stated_estimator import StatedEstimator

DAY_H = 24.0
DRIFT_UM = 40.0
_WAVE_UM, _WAVE_H = 1.5, 5.0
# Hour of the day to um: the third leads out of the estimator's range.
JUMPS_UM = {3.5: 5.0, 9.0: -8.0, 15.0: 30.0, 20.5: 3.0}
# A step at the beginning of each fault of the stage, so that a move is due.
STEPS_UM = {1.0: 0.9, 1.5: -0.9, 2.0: 0.9, 2.5: -0.9, 5.0: 0.9}
DUST_H = ((6.0, 6.3), (13.0, 13.2))
DARK_H = (11.0, 12.0)
_FAULT_H = 1.0 / 12.0


@dataclass(frozen=True)
class Event:
    """Something that begins and ends at hours of the day."""

    name: str
    start_h: float
    end_h: float
    kind: str = ""
    fault: str = ""


def _faults() -> tuple[Event, ...]:
    named = (
        *(("stage " + fault, "stage", fault) for fault in ("does not move", "moves by half", "overshoots")),
        *(("stage " + fault, "stage", fault) for fault in ("reports late", "busy")),
        ("camera time-out", "camera", "time-out"),
        ("exception in snap", "camera", "raises"),
        ("image size change", "camera", "other size"),
        ("NaN estimates", "answers", "nan"),
        ("ten confident wrong estimates", "answers", "wrong"),
    )
    # Spread over the hours in which nothing else happens.
    hours = (1.0, 1.5, 2.0, 2.5, 5.0, 7.0, 8.0, 10.0, 17.0, 18.0)
    return tuple(Event(name, at, at + _FAULT_H, kind, fault) for at, (name, kind, fault) in zip(hours, named))


FAULTS = _faults()
EVENTS: tuple[Event, ...] = (
    *FAULTS,
    *(Event(f"jump of {size:+g} um", at, at, "jump") for at, size in JUMPS_UM.items()),
    *(Event("dust passes", start, end, "dust") for start, end in DUST_H),
    Event("light off", *DARK_H, "light"),
)


def focal_plane(hours: float) -> Callable[[float], float]:
    """Focal plane over a day that takes so many hours: uneven drift and jumps."""

    def position(time_s: float) -> float:
        at_h = time_s / 3600.0 * DAY_H / hours
        share = at_h / DAY_H
        drift = DRIFT_UM * share * share * (3.0 - 2.0 * share) + _WAVE_UM * math.sin(2.0 * math.pi * at_h / _WAVE_H)
        return drift + sum(size for start, size in {**JUMPS_UM, **STEPS_UM}.items() if at_h >= start)

    return position


class Stagehand:
    """Switches the events of the day on and off.

    Parameters
    ----------
    microscope : SimulatedMicroscope
    estimator : StatedEstimator
    hours : float
        Length of the day.
    """

    def __init__(self, microscope: SimulatedMicroscope, estimator: StatedEstimator, hours: float) -> None:
        self._microscope, self._estimator, self._hours = microscope, estimator, hours
        self._done: set[str] = set()

    def act(self) -> None:
        """Do what is due."""
        at_h = self._microscope.now_s() / 3600.0 * DAY_H / self._hours
        faults = self._microscope.faults
        active = {event.kind: event for event in FAULTS if event.start_h <= at_h < event.end_h}
        faults.stage = active["stage"].fault if "stage" in active else ""
        faults.camera = active["camera"].fault if "camera" in active else ""
        faults.light = not DARK_H[0] <= at_h < DARK_H[1]
        event = active.get("answers")
        if event is not None and event.name not in self._done:
            self._done.add(event.name)
            self._estimator.answers.extend([_NAN] * 10 if event.fault == "nan" else [_wrong] * 10)


_NAN = FocalPosition(status.OK, deviation_um=0.1, certainty=0.9)


def _wrong(defocus_um: float) -> FocalPosition:
    """An answer that follows the focus device and is wrong by 6 um: the hardest to find out."""
    return FocalPosition(status.OK, "", (), defocus_um + 6.0, 0.1, 0.99)
