"""Which estimator focus is held by, and settings that fit the optics: the choices that every front offers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Optional

from parfocal.commands import Param, command
from parfocal.focal_position.calibrate import (
    SHIPPED,
    FocalPositionCalibration,
    calibrate_focal_position,
    check_can_begin,
)
from parfocal.focus_control.controller import Estimator
from parfocal.focus_control.metric_estimator import sweep_metric_estimator
from parfocal.focus_control.microscope import Microscope
from parfocal.focus_control.model_estimator import model_estimator
from parfocal.focus_control.planes import take_stack
from parfocal.focus_control.settings import HoldFocus
from parfocal.optics.optics import known_optics
from parfocal.registry import ModelError

MODEL, METRIC = "model", "metric"
ESTIMATORS = (MODEL, METRIC)
_OPTICS = ("pixel_size_um", "numerical_aperture", "emission_wavelength_um")
Tell = Callable[[str], None]


def fitting_settings(given: Mapping[str, Any], told: Mapping[str, Any]) -> HoldFocus:
    """Settings that were given; with known optics the distances that were not fit the depth of field.

    Parameters
    ----------
    given : mapping
        Of `HoldFocus`.
    told : mapping
        Of `estimate_focal_position`: what is known of the optics.
    """
    known = {name: told.get(name) for name in _OPTICS}
    optics, _ = known_optics(**known, immersion_index=told.get("immersion_index", 1.0))
    return HoldFocus(**given) if optics is None else HoldFocus.for_optics(optics, **given)


def chosen_estimator(
    kind: str, microscope: Microscope, settings: HoldFocus, told: Mapping[str, Any], tell: Tell, metric_by: str
) -> Estimator:
    """Load a model, or learn a focus metric from one sweep.

    Parameters
    ----------
    kind : str
        One of `ESTIMATORS`.
    microscope : Microscope
        Swept by the metric; the device is then in the focal plane.
    settings : HoldFocus
    told : mapping
        Of `estimate_focal_position`, for a model.
    tell : callable
        Is given lines about what is done and what to mind.
    metric_by : str
        How the metric is chosen, said where there is no model to hold by.

    Raises
    ------
    ValueError, TypeError, ModelError, MicroscopeError
        As `model_estimator` and `sweep_metric_estimator` do.
    """
    if kind == MODEL:
        return _model(settings, told, tell, metric_by)
    tell("sweeping z to learn how sharp the sample is where")
    learned = sweep_metric_estimator(microscope, settings)
    tell(f"focal plane at {learned.focal_plane_um:.2f} um")
    return learned


def _model(settings: HoldFocus, told: Mapping[str, Any], tell: Tell, metric_by: str) -> Estimator:
    try:
        made = model_estimator(**told)
    except (ModelError, ValueError) as error:
        kind = ModelError if isinstance(error, ModelError) else ValueError
        raise kind(f"{error}; without a model: {metric_by}") from error
    doubt = made.doubt(settings.tolerance_um)
    if doubt:
        tell(doubt)
    return made


@command
def calibrate_in_place(
    microscope: Annotated[Any, Param(array=True)],
    output: Annotated[str, Param(label="Model folder to write", path="folder")],
    start_from: Annotated[str, Param(label="Model to begin from")] = SHIPPED,
    range_um: Annotated[float, Param("um", 0.001, label="Stack to either side")] = 20.0,
    step_um: Annotated[float, Param("um", 0.001, label="Step of the stack")] = 1.0,
    steps: Annotated[Optional[int], Param("batches", 1, label="Steps of training")] = None,
    settings: Annotated[Optional[HoldFocus], Param(array=True)] = None,
    tell: Annotated[Tell, Param(array=True)] = lambda line: None,
) -> FocalPositionCalibration:
    """Take a z-stack of the field that is seen, and adapt a focal-position model to it, in minutes on a CPU.

    Parameters
    ----------
    microscope : Microscope
    output : str
        Must be empty or not exist yet.
    start_from : str
        By name or folder.
    range_um : float
        Begin near focus: the stack must go through it.
    step_um : float
        From plane to plane.
    steps : int, optional
        As for `calibrate_focal_position`.
    settings : HoldFocus, optional
        Limits, metric and tolerances.
    tell : callable, optional
        Is given lines about what is done.

    Returns
    -------
    FocalPositionCalibration
        Its errors are those on the field that was adapted to. `parfocal calibrate` takes further fields.

    Raises
    ------
    ValueError, FileExistsError, ImportError, ModelError, MicroscopeError
        As `take_stack` and `calibrate_focal_position` do.
    """
    for name, value in (("range_um", range_um), ("step_um", step_um)):
        if not value > 0:
            raise ValueError(f"{name} must be above 0 um, got {value:g}")
    check_can_begin(output, start_from)
    tell(f"taking a stack of {range_um:g} um to either side")
    stack = take_stack(microscope, settings or HoldFocus(), range_um, step_um, "the field")
    tell(f"{len(stack.z_um)} planes, focal plane at {stack.focal_z_um:.2f} um: adapting the model takes minutes")
    made = calibrate_focal_position([stack], output, start_from, steps=steps)
    tell(made.text)
    return made
