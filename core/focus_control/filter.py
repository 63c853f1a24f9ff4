"""Where the focal plane is and how it drifts, from estimates weighted by their confidence."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from parfocal.focus_control.settings import HoldFocus

HOUR_S = 3600.0
_FIRST_DRIFT_UM_H = 10.0


@dataclass(frozen=True)
class Measurement:
    """The focal plane as one look sees it.

    Attributes
    ----------
    plane_um : float
        Position of the focus device at which the sample would be in focus.
    variance_um2 : float
        Of that position.
    """

    plane_um: float
    variance_um2: float


def measure(z_um: float, defocus_um: float, deviation_um: float, certainty: float, settings: HoldFocus) -> Measurement:
    """Read an estimate as a position of the focal plane: the less certain, the larger its variance."""
    spread = deviation_um**2 + settings.least_deviation_um**2 + (settings.scale_error * defocus_um) ** 2
    return Measurement(z_um - defocus_um, spread / max(certainty, 1e-3))


def mean_of(one: Measurement, other: Measurement) -> Measurement:
    """Mean of two independent measurements, weighted by their variances."""
    variance = 1.0 / (1.0 / one.variance_um2 + 1.0 / other.variance_um2)
    plane = variance * (one.plane_um / one.variance_um2 + other.plane_um / other.variance_um2)
    return Measurement(plane, variance)


@dataclass(frozen=True)
class Track:
    """A Kalman filter over the focal plane and its drift.

    Attributes
    ----------
    time_s : float
        For which it holds.
    plane_um, drift_um_s : float
        Position of the focal plane, and how fast it moves.
    plane_variance, covariance, drift_variance : float
        Of the two, um^2, um^2/s, um^2/s^2.
    """

    time_s: float
    plane_um: float
    drift_um_s: float
    plane_variance: float
    covariance: float
    drift_variance: float

    @classmethod
    def begin(cls, time_s: float, measured: Measurement) -> Track:
        """Begin with one measurement, nothing being known of the drift."""
        drift_variance = (_FIRST_DRIFT_UM_H / HOUR_S) ** 2
        return cls(time_s, measured.plane_um, 0.0, measured.variance_um2, 0.0, drift_variance)

    @property
    def deviation_um(self) -> float:
        """Standard deviation of the position."""
        return math.sqrt(self.plane_variance)

    @property
    def drift_um_h(self) -> float:
        """Drift in um an hour."""
        return self.drift_um_s * HOUR_S

    @property
    def drifts(self) -> bool:
        """Whether the drift is larger than its uncertainty."""
        return abs(self.drift_um_s) > 2.0 * math.sqrt(self.drift_variance)

    def at(self, time_s: float, settings: HoldFocus) -> Track:
        """Expect the focal plane at a later time: it drifts on, and grows less certain."""
        dt = max(0.0, time_s - self.time_s)
        wander = settings.wander_um**2 / HOUR_S
        change = (settings.drift_change_um_h / HOUR_S) ** 2 / HOUR_S
        return Track(
            max(time_s, self.time_s),
            self.plane_um + self.drift_um_s * dt,
            self.drift_um_s,
            self.plane_variance
            + 2 * dt * self.covariance
            + dt**2 * self.drift_variance
            + wander * dt
            + change * dt**3 / 3,
            self.covariance + dt * self.drift_variance + change * dt**2 / 2,
            self.drift_variance + change * dt,
        )

    def distance(self, measured: Measurement) -> float:
        """How many standard deviations a measurement lies from what is expected (normalised innovation)."""
        return abs(measured.plane_um - self.plane_um) / math.sqrt(self.plane_variance + measured.variance_um2)

    def updated(self, measured: Measurement, common_error: float) -> Track:
        """Take a measurement in; what share of its variance it has in common with those before is not averaged away."""
        total = self.plane_variance + measured.variance_um2
        gain, drift_gain = self.plane_variance / total, self.covariance / total
        innovation = measured.plane_um - self.plane_um
        return Track(
            self.time_s,
            self.plane_um + gain * innovation,
            self.drift_um_s + drift_gain * innovation,
            max((1 - gain) * self.plane_variance, common_error * measured.variance_um2),
            (1 - gain) * self.covariance,
            self.drift_variance - drift_gain * self.covariance,
        )

    def jumped(self, measured: Measurement) -> Track:
        """Begin anew where a jump was confirmed; what is known of the drift stays."""
        drift = min(self.drift_variance, (_FIRST_DRIFT_UM_H / HOUR_S) ** 2)
        begun = replace(self, plane_um=measured.plane_um, plane_variance=measured.variance_um2, covariance=0.0)
        return replace(begun, drift_variance=drift)
