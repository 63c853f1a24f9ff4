"""Settings of holding focus: what each means, its unit, and what it must be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Annotated, Any, Optional, Union

from parfocal.commands import Param, command
from parfocal.focus_control.metrics import FOCUS_METRICS
from parfocal.focus_control.settings_checks import APPROACHES, LAYERS, LIMITED, check_settings, is_number
from parfocal.optics.optics import Optics


@command
@dataclass(frozen=True)
class HoldFocus:
    """How focus is held. Positions and distances in um, larger positions farther up.

    Parameters
    ----------
    setpoint_um : float or mapping of str to float
        Where images are to be taken, relative to the focal plane that the estimator sees: positive above it. One
        number, or one for each channel.
    channel : str
        Channel whose setpoint is held at first, where there is one for each.
    interval_s : float
        From one look to the next.
    tolerance_um, settle_um : float
        A correction begins where the error exceeds the first, and goes on until it is within the second.
    largest_step_um : float
        Longest single move.
    lowest_z_um, highest_z_um : float, optional
        Limits of the focus device.
    lowest_offset_um, highest_offset_um : float, optional
        Limits of the offset of a hardware autofocus, in place of those of the focus device while it is on.
    travel_um : float
        Farthest from where the device, or the offset, was at the start, to either side; the narrower limit holds.
    wander_um, drift_change_um_h : float
        What the filter expects in an hour beside a steady drift: how far the focal plane wanders, and by how much the
        drift (um/h) changes; standard deviations.
    least_deviation_um, scale_error : float
        Added to the estimator's own standard deviation: a constant, and a share of the distance to the focal plane.
    common_error : float
        Share of the variance of an estimate that all looks have in common, 0 to 1: a network errs alike in alike
        images, and no mean of them takes that away.
    gate : float
        An estimate that differs from the expected by more than so many standard deviations waits for a second look.
    least_certainty : float
        Estimates below it are ignored; 0 to 1.
    probe_um : float
        Least move that tells above from below and checks that estimates follow the device.
    trim_um : float
        Step of a trim: where no mean of estimates knows the focal plane within the tolerance, images are taken so far
        below and above it, and their sharpness tells it. About a depth of field is right: nearer ones hardly differ.
        None is taken farther than three steps from the expected focal plane. 0 for no trims.
    layer : str
        Of two layers: the `nearest` to where focus was held (at first to the device), the `lower` or the `upper`.
    backlash_um, approach : float, str
        Play of the focus device, and from where every move ends: `up` (rising) or `down`.
    search_range_um, coarse_step_um, fine_step_um : float
        A search goes so far to either side, in coarse steps first, in fine ones around the best.
    search_after_looks, search_again_s : int, float
        Looks without a usable estimate until a search, and the least time to the next one, which doubles each time.
    hold_s, follow_drift_s : float
        So long after the last good look the focus counts as held, and the estimated drift is followed.
    focus_metric : str
        Sharpness that is searched by and that corrections are held against; empty for none (phase objects in bright
        field are least contrasted in focus): then there is no search.
    sharpness_share : float
        An image this sharp, relative to the last good one, is as sharp; 0 to 1.
    distrust_after : int
        Corrections in a row without getting there until the estimator is distrusted.
    faults_until_lost : int
        Faults of camera or stage in a row until the state is `lost`.
    camera_retries, stage_retries, retry_s : int, int, float
        How often an image or a move is tried again, and how long is waited before.
    arrival_tolerance_um, arrival_s : float
        How near to its target a move must end, and how long a device that reports late is waited for.
    looks_at_once : int
        Most looks that follow on each other without the interval between them.
    """

    setpoint_um: Annotated[Union[float, Mapping[str, float]], Param("um", label="Setpoint")] = 0.0
    channel: Annotated[str, Param(label="Channel")] = ""
    interval_s: Annotated[float, Param("s", 0.001, label="Interval between looks")] = 60.0
    tolerance_um: Annotated[float, Param("um", 0.001, label="Tolerance")] = 0.5
    settle_um: Annotated[float, Param("um", 0.0, label="Corrected until within")] = 0.2
    largest_step_um: Annotated[float, Param("um", 0.001, label="Largest step")] = 10.0
    lowest_z_um: Annotated[Optional[float], Param("um", label="Lowest position")] = None
    highest_z_um: Annotated[Optional[float], Param("um", label="Highest position")] = None
    lowest_offset_um: Annotated[Optional[float], Param("um", label="Lowest offset")] = None
    highest_offset_um: Annotated[Optional[float], Param("um", label="Highest offset")] = None
    travel_um: Annotated[float, Param("um", 0.001, label="Farthest from the start")] = 100.0
    wander_um: Annotated[float, Param("um", 0.001, label="Wander in an hour")] = 1.0
    drift_change_um_h: Annotated[float, Param("um/h", 0.0, label="Change of drift in an hour")] = 2.0
    least_deviation_um: Annotated[float, Param("um", 0.0, label="Least deviation")] = 0.05
    scale_error: Annotated[float, Param("", 0.0, label="Scale error")] = 0.1
    common_error: Annotated[float, Param("", 0.0, 1.0, label="Common error")] = 0.25
    gate: Annotated[float, Param("deviations", 0.001, label="Gate")] = 3.0
    least_certainty: Annotated[float, Param("", 0.0, 1.0, label="Least certainty")] = 0.5
    probe_um: Annotated[float, Param("um", 0.001, label="Probe")] = 1.0
    trim_um: Annotated[float, Param("um", 0.0, label="Trim")] = 2.0
    layer: Annotated[str, Param(choices=LAYERS, label="Layer")] = "nearest"
    backlash_um: Annotated[float, Param("um", 0.0, label="Backlash")] = 0.0
    approach: Annotated[str, Param(choices=APPROACHES, label="Approach")] = "up"
    search_range_um: Annotated[float, Param("um", 0.001, label="Search range to either side")] = 50.0
    coarse_step_um: Annotated[float, Param("um", 0.001, label="Coarse step")] = 4.0
    fine_step_um: Annotated[float, Param("um", 0.001, label="Fine step")] = 0.5
    search_after_looks: Annotated[int, Param("looks", 1, label="Looks until a search")] = 3
    search_again_s: Annotated[float, Param("s", 0.0, label="Time to the next search")] = 900.0
    hold_s: Annotated[float, Param("s", 0.0, label="Held for")] = 3600.0
    follow_drift_s: Annotated[float, Param("s", 0.0, label="Drift followed for")] = 1800.0
    focus_metric: Annotated[str, Param(choices=(*FOCUS_METRICS, ""), label="Focus metric")] = "VollathF4"
    sharpness_share: Annotated[float, Param("", 0.0, 1.0, label="Share that is as sharp")] = 0.7
    distrust_after: Annotated[int, Param("corrections", 1, label="Distrust after")] = 10
    faults_until_lost: Annotated[int, Param("faults", 1, label="Faults until lost")] = 5
    camera_retries: Annotated[int, Param("", 0, label="Retries of the camera")] = 2
    stage_retries: Annotated[int, Param("", 0, label="Retries of the stage")] = 3
    retry_s: Annotated[float, Param("s", 0.0, label="Wait before a retry")] = 0.5
    arrival_tolerance_um: Annotated[float, Param("um", 0.001, label="Arrival tolerance")] = 0.2
    arrival_s: Annotated[float, Param("s", 0.0, label="Wait for arrival")] = 2.0
    looks_at_once: Annotated[int, Param("looks", 2, label="Looks at once")] = 12

    def __post_init__(self) -> None:
        check_settings(self)

    @classmethod
    def for_optics(cls, optics: Optics, **others: Any) -> HoldFocus:
        """Settings whose distances fit a depth of field; `others` are taken as they are."""
        depth = optics.depth_of_field_um
        fitting = {
            "tolerance_um": 0.25 * depth,
            "settle_um": 0.1 * depth,
            "probe_um": 0.5 * depth,
            "trim_um": depth,
            "least_deviation_um": 0.025 * depth,
            "coarse_step_um": 2.0 * depth,
            "fine_step_um": 0.25 * depth,
            "arrival_tolerance_um": 0.1 * depth,
        }
        return cls(**{**fitting, **others})

    def setpoint(self, channel: str = "") -> float:
        """Setpoint of a channel, um (ValueError where there is none for it)."""
        value: Any = self.setpoint_um
        if isinstance(value, Mapping):
            if channel not in value:
                known = ", ".join(map(repr, value))
                raise ValueError(f"channel must be one that setpoint_um names ({known}), got {channel!r}")
            value = value[channel]
        if not is_number(value):
            raise ValueError(f"setpoint_um must be a finite number, got {value!r}")
        return float(value)

    def setpoints(self) -> dict[str, float]:
        """Setpoint by channel; a single one under the name of the channel."""
        names = list(self.setpoint_um) if isinstance(self.setpoint_um, Mapping) else [self.channel]
        return {name: self.setpoint(name) for name in names}

    def limits_um(self, start_um: float, by_offset: bool = False) -> tuple[float, float]:
        """Lowest and highest position, or offset, that may be commanded (ValueError where the start lies outside)."""
        of = LIMITED[by_offset]
        low, high = getattr(self, f"lowest_{of}_um"), getattr(self, f"highest_{of}_um")
        low, high = -math.inf if low is None else low, math.inf if high is None else high
        if not low <= start_um <= high:
            moved = "offset of the hardware autofocus" if by_offset else "focus device"
            raise ValueError(
                f"the {moved} must be within lowest_{of}_um={low:g} and highest_{of}_um={high:g} to begin, it is at"
                f" {start_um:g} um: move it, or widen the limits"
            )
        return max(low, start_um - self.travel_um), min(high, start_um + self.travel_um)

    def check_range(self, range_um: Optional[tuple[float, float]]) -> None:
        """Raise ValueError where a setpoint lies outside the range of defocus that the estimator was made for."""
        if range_um is None:
            return
        low, high = range_um
        for name, value in self.setpoints().items():
            if not low <= value <= high:
                of = f" of channel {name!r}" if name else ""
                raise ValueError(
                    f"setpoint_um{of} must lie in the range of the estimator, [{low:g}, {high:g}] um, got {value:g}"
                )

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        value = self.setpoint_um
        return {**asdict(self), "setpoint_um": dict(value) if isinstance(value, Mapping) else value}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> HoldFocus:
        """Read what `as_dict` wrote; names that are not known are left out."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known})
