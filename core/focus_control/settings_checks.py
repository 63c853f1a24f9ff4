"""Whether settings of holding focus can be, each by itself and together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from parfocal.focus_control.metrics import check_metric

if TYPE_CHECKING:
    from parfocal.focus_control.settings import HoldFocus

LAYERS = ("nearest", "lower", "upper")
APPROACHES = ("up", "down")
# What is limited, by whether a hardware autofocus is on.
LIMITED = {False: "z", True: "offset"}
_ABOVE_ZERO = (
    *("interval_s", "tolerance_um", "largest_step_um", "travel_um", "wander_um", "gate", "probe_um"),
    *("search_range_um", "coarse_step_um", "fine_step_um", "arrival_tolerance_um"),
)
_FROM_ZERO = (
    *("settle_um", "drift_change_um_h", "least_deviation_um", "scale_error", "backlash_um", "search_again_s"),
    *("hold_s", "follow_drift_s", "retry_s", "arrival_s", "trim_um"),
)
_SHARES = ("least_certainty", "sharpness_share")
_COUNTS = {
    "search_after_looks": 1,
    "distrust_after": 1,
    "faults_until_lost": 1,
    "camera_retries": 0,
    "stage_retries": 0,
    "looks_at_once": 2,
}


def check_settings(settings: HoldFocus) -> None:
    """Raise ValueError, with what would be right and the value, for the first setting that cannot be."""
    for names, low, least in ((_ABOVE_ZERO, "above", True), (_FROM_ZERO, "at least", False)):
        for name in names:
            _check_number(name, getattr(settings, name), low, strict=least)
    for name in _SHARES:
        if not (is_number(getattr(settings, name)) and 0 <= getattr(settings, name) <= 1):
            raise ValueError(f"{name} must be in [0, 1], got {getattr(settings, name)!r}")
    for name, smallest in _COUNTS.items():
        value = getattr(settings, name)
        if not isinstance(value, int) or isinstance(value, bool) or value < smallest:
            raise ValueError(f"{name} must be a whole number of at least {smallest}, got {value!r}")
    for name, choices in (("layer", LAYERS), ("approach", APPROACHES)):
        if getattr(settings, name) not in choices:
            raise ValueError(f"{name} must be one of {', '.join(choices)}, got {getattr(settings, name)!r}")
    if settings.focus_metric:
        check_metric("focus_metric", settings.focus_metric)
    _check_together(settings)


def is_number(value: Any) -> bool:
    """Whether a value is a finite number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _check_number(name: str, value: Any, low: str, strict: bool) -> None:
    if not is_number(value) or value < 0 or (strict and value == 0):
        raise ValueError(f"{name} must be a finite number {low} 0, got {value!r}")


def _check_together(settings: HoldFocus) -> None:
    for smaller, larger in (("settle_um", "tolerance_um"), ("fine_step_um", "coarse_step_um")):
        small, large = getattr(settings, smaller), getattr(settings, larger)
        if small > large:
            raise ValueError(f"{smaller} must be at most {larger}={large}, got {small}")
    for of in LIMITED.values():
        _check_limits(settings, f"lowest_{of}_um", f"highest_{of}_um")
    settings.setpoint(settings.channel)


def _check_limits(settings: HoldFocus, lowest: str, highest: str) -> None:
    low, high = getattr(settings, lowest), getattr(settings, highest)
    for name, limit in ((lowest, low), (highest, high)):
        if limit is not None and not is_number(limit):
            raise ValueError(f"{name} must be a finite number or None, got {limit!r}")
    if low is not None and high is not None and low >= high:
        raise ValueError(f"{lowest} must be below {highest}={high}, got {low}")
