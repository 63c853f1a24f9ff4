"""A time-lapse of a day in simulated time, and what came of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from parfocal.focus_control.evaluation.events import DAY_H, DUST_H, EVENTS, Stagehand, focal_plane
from parfocal.focus_control.log import LOOK, FocusLog
from parfocal.focus_control.session import hold_focus
from parfocal.focus_control.settings import HoldFocus
from parfocal.focus_control.simulated import SimulatedMicroscope
from parfocal.focus_control.simulated_sample import Sample
from parfocal.focus_control.stated_estimator import StatedEstimator
from parfocal.optics.optics import Optics

if TYPE_CHECKING:
    import pandas as pd

LIMITS_UM = (-60.0, 120.0)
WITHIN_UM = 1.0
_BLEACHED_TO = 0.1
# Largest error of focus that counts as held, and the estimator's error in focus, both in depths of field.
_MOST_TOLERANCE_UM, _DEVIATION = 0.4, 0.1


@dataclass(frozen=True)
class TimeLapse:
    """A time-lapse and its truth.

    Attributes
    ----------
    optics : Optics
    hours : float
    sign_known : bool
        Whether the estimator told above from below.
    frames : dict of ndarray
        One value for each frame: `time_s`, `z_um`, `focal_plane_um`, `error_um`, `lit`, `state`.
    commanded_um : ndarray
        Every position that was commanded.
    limits_um : tuple of float
    images : int
        That the looks took.
    log : FocusLog
    """

    optics: Optics
    hours: float
    sign_known: bool
    frames: dict[str, np.ndarray] = field(repr=False)
    commanded_um: np.ndarray = field(repr=False)
    limits_um: tuple[float, float]
    images: int
    log: FocusLog = field(repr=False)

    def within(self, limit_um: float) -> float:
        """Share of the frames with light whose focus was within a limit of the setpoint."""
        return float(np.mean(np.abs(self.frames["error_um"][self.frames["lit"]]) <= limit_um))

    def outside(self) -> int:
        """Commanded positions outside the limits."""
        low, high = self.limits_um
        return int(np.count_nonzero((self.commanded_um < low) | (self.commanded_um > high)))

    def row(self) -> dict[str, Any]:
        """The time-lapse in one row."""
        lit, half = self.frames["lit"], self.optics.depth_of_field_um / 2
        errors = np.abs(self.frames["error_um"][lit])
        looks = [row for row in self.log.rows if row["kind"] == LOOK]
        return {
            "numerical_aperture": self.optics.numerical_aperture,
            "depth_of_field_um": self.optics.depth_of_field_um,
            "sign": "known" if self.sign_known else "unknown",
            "frames_with_light": int(lit.sum()),
            "within_1_um": self.within(WITHIN_UM),
            "within_half_depth": self.within(half),
            "median_error_um": float(np.median(errors)),
            "error_99_percent_um": float(np.percentile(errors, 99)),
            "largest_error_um": float(errors.max()),
            "looks_per_frame": len(looks) / len(lit),
            "images_per_frame": self.images / len(lit),
            "moves_outside_limits": self.outside(),
        }

    def recoveries(self) -> list[dict[str, Any]]:
        """For each event of the day: how far focus was off, and how long after its end it was locked again."""
        at_h = self.frames["time_s"] / 3600.0 * DAY_H / self.hours
        rows = []
        for event in sorted(EVENTS, key=lambda event: event.start_h):
            during = (at_h >= event.start_h) & (at_h < max(event.end_h, event.start_h + 0.5))
            good = (self.frames["state"] == "locked") & (np.abs(self.frames["error_um"]) <= WITHIN_UM)
            back = np.flatnonzero((at_h >= event.end_h) & good)
            minutes = (
                (self.frames["time_s"][back[0]] - event.end_h * 3600.0 * self.hours / DAY_H) / 60
                if back.size
                else math.nan
            )
            errors = np.abs(self.frames["error_um"][during & self.frames["lit"]])
            rows.append(
                {
                    "event": event.name,
                    "hour": event.start_h,
                    "states": ", ".join(dict.fromkeys(self.frames["state"][during])),
                    "largest_error_um": float(errors.max()) if errors.size else math.nan,
                    "minutes_to_lock": minutes,
                }
            )
        return rows


def run_time_lapse(
    optics: Optics | None = None,
    hours: float = DAY_H,
    interval_s: float = 60.0,
    seed: int = 0,
    sign_known: bool = True,
) -> TimeLapse:
    """Hold focus over a day: 40 um of drift, jumps, bleaching to a tenth, cells that move and divide, dust, darkness.

    Each fault of camera, stage and estimator comes once. The estimator is told the truth and adds errors of a stated
    size: a tenth of the depth of field and 8 percent of the distance, within 20 um.

    Parameters
    ----------
    optics : Optics, optional
        The depth of field scales blur, tolerances and the estimator's errors.
    hours : float
        Length of the day; the events move with it.
    interval_s : float
        From one frame to the next.
    seed : int
    sign_known : bool
        Whether the estimator tells above from below; if not, each answer has two sides.
    """
    optics = optics or Optics()
    microscope = SimulatedMicroscope(_sample(optics, hours, seed), focal_plane(hours), z=10.0, seed=seed)
    known_from_um = 0.0 if sign_known else math.inf
    deviation_um = _DEVIATION * optics.depth_of_field_um
    estimator = StatedEstimator(microscope, deviation_um, sign_known_from_um=known_from_um, seed=seed + 1)
    session = hold_focus(microscope, estimator, _settings(optics, interval_s))
    stagehand = Stagehand(microscope, estimator, hours)
    frames: list[tuple[float, float, float, bool, str]] = []
    for number in range(int(hours * 3600.0 / interval_s)):
        microscope.wait_s(max(0.0, number * interval_s - microscope.now_s()))
        stagehand.act()
        session.settle()
        now = microscope.now_s()
        frames.append((now, microscope.z, microscope.focal_plane(now), microscope.faults.light, session.state))
    session.stop()
    names = ("time_s", "z_um", "focal_plane_um", "lit", "state")
    columns = {name: np.array(values) for name, values in zip(names, zip(*frames))}
    columns["error_um"] = columns["z_um"] - columns["focal_plane_um"]
    commanded = np.array(microscope.commanded_um)
    return TimeLapse(optics, hours, sign_known, columns, commanded, session.limits_um, microscope.images, session.log)


def frame_table(run: TimeLapse) -> pd.DataFrame:
    """The frames as a table."""
    import pandas as pd

    return pd.DataFrame(run.frames)


def _settings(optics: Optics, interval_s: float) -> HoldFocus:
    tolerance = min(0.25 * optics.depth_of_field_um, _MOST_TOLERANCE_UM)
    return HoldFocus.for_optics(
        optics,
        interval_s=interval_s,
        tolerance_um=tolerance,
        settle_um=0.4 * tolerance,
        lowest_z_um=LIMITS_UM[0],
        highest_z_um=LIMITS_UM[1],
        travel_um=200.0,
    )


def _sample(optics: Optics, hours: float, seed: int) -> Sample:
    day_s = hours * 3600.0
    dust = tuple((start / DAY_H * day_s, end / DAY_H * day_s) for start, end in DUST_H)
    return Sample(
        blur_px_per_um=1.8 / optics.depth_of_field_um,
        bleach_s=-day_s / math.log(_BLEACHED_TO),
        walk_px_sqrt_h=3.0,
        division_s=day_s / 3.0,
        dust=dust,
        seed=seed + 2,
    )
