"""Picture of a time-lapse whose focus was held."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from parfocal.focus_control.evaluation.time_lapse import TimeLapse

_DEVICE, _PLANE, _AWAY = "black", "#3b6fb6", "#d9822b"
_SHOWN_ERROR_UM = 3.0


def draw_time_lapse(run: TimeLapse) -> Figure:
    """Draw focus device and true focal plane over time, and the error below."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5.5), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": (3, 2)})
    hours, lit = run.frames["time_s"] / 3600.0, run.frames["lit"]
    upper.plot(hours, run.frames["focal_plane_um"], color=_PLANE, linewidth=3, alpha=0.5, label="focal plane, true")
    upper.plot(hours, run.frames["z_um"], color=_DEVICE, linewidth=0.9, label="focus device")
    upper.set_ylabel("um")
    upper.legend(fontsize=8)
    errors = np.clip(run.frames["error_um"], -_SHOWN_ERROR_UM, _SHOWN_ERROR_UM)
    lower.plot(hours[lit], errors[lit], ".", color=_DEVICE, markersize=2)
    away = lit & (run.frames["state"] != "locked")
    lower.plot(hours[away], errors[away], "o", color=_AWAY, markersize=3, label="not locked")
    for limit in (-1.0, 1.0):
        lower.axhline(limit, color="grey", linestyle="--", linewidth=0.8)
    half = run.optics.depth_of_field_um / 2
    lower.axhspan(-half, half, color=_PLANE, alpha=0.12, linewidth=0, label="half a depth of field")
    lower.set(xlabel="hours", ylabel="error, um", ylim=(-1.05 * _SHOWN_ERROR_UM, 1.05 * _SHOWN_ERROR_UM))
    lower.legend(fontsize=8, loc="upper right")
    return figure
