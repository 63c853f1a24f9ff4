"""What macros and scripts say beside the parameters of holding focus."""

from __future__ import annotations

from parfocal.commands import Param, ParameterSpec

START, PAUSE, STOP, SHOW = "start", "pause", "stop", "show"
ACTION = ParameterSpec(
    "action",
    "str",
    START,
    False,
    "`start` holds focus, or goes on where it is paused; `pause` takes no look meanwhile; `stop` ends and leaves the "
    "focus device where it is; `show` opens the window.",
    Param(choices=(START, PAUSE, STOP, SHOW), label="Action"),
)
CALIBRATING = "Calibrating a model"
# What is shown, in groups; all the rest can be given in macros and scripts.
GROUPS = {
    "Estimator": (
        *("estimator", "focus_metric", "model", "pixel_size_um", "numerical_aperture", "emission_wavelength_um"),
        "spherical_aberration",
    ),
    "Holding": ("setpoint_um", "tolerance_um", "interval_s", "log"),
    "Limits": ("lowest_z_um", "highest_z_um", "travel_um", "search_range_um"),
    CALIBRATING: ("output", "range_um", "step_um"),
}


def shown_label(parameter: ParameterSpec) -> str:
    """Label of a field, with the unit."""
    return parameter.param.label + (f" ({parameter.param.unit})" if parameter.param.unit else "")
