"""The network of `estimate_focal_position` as an estimator for the control loop, loaded once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from parfocal import status
from parfocal.commands import check_arguments, command_spec
from parfocal.focal_position.estimate import estimate_focal_position
from parfocal.focal_position.inputs import TASK
from parfocal.focal_position.result import FocalPosition
from parfocal.registry import model_folder, read_config


@dataclass(frozen=True)
class ModelEstimator:
    """`estimate_focal_position` with its arguments but the image: a callable, with the range of its answers.

    Attributes
    ----------
    arguments : dict
        Of `estimate_focal_position`.
    range_um : tuple of float
        Lowest and highest defocus that the model knows.
    calibration : dict
        `median_error_um` and `p95_error_um` (None where nothing was answered) and `second_field` of the model's
        calibration; empty for a model without one.
    """

    arguments: dict[str, Any]
    range_um: tuple[float, float]
    calibration: dict[str, Any] = field(default_factory=dict)

    def doubt(self, tolerance_um: float) -> str:
        """Say where the errors of the calibration were larger than a tolerance; else nothing."""
        if not self.calibration:
            return ""
        median, most = self.calibration["median_error_um"], self.calibration["p95_error_um"]
        where = "a field that it had been adapted to"
        if most is not None and most <= tolerance_um:
            return ""
        told = "answered no plane"
        if median is not None:
            told = f"was off by {median:g} um in the median, {most:g} um at the 95th percentile,"
        if self.calibration["second_field"]:
            where = "another field"
        return (
            f"the model {told} on {where}, the tolerance is {tolerance_um:g} um: it may hold as far from focus;"
            " calibrate it on more fields, or use a focus metric"
        )

    def __call__(self, image_yx: np.ndarray) -> FocalPosition:
        """Estimate the focal position of an image (y, x)."""
        return estimate_focal_position(image_yx, **self.arguments)


def model_estimator(**arguments: Any) -> ModelEstimator:
    """Make an estimator of a model, and find out its range.

    Parameters
    ----------
    **arguments
        Of `estimate_focal_position`, but the image.

    Raises
    ------
    TypeError, ValueError, parfocal.registry.ModelError
        As `estimate_focal_position` raises them; ValueError also where the optics or the kind of microscope lie outside
        what the model was made for, so that it would refuse every image.
    """
    known = [parameter.name for parameter in command_spec(estimate_focal_position).parameters]
    unknown = sorted(set(arguments) - set(known[1:]))
    if unknown:
        raise TypeError(f"arguments must be among {', '.join(known[1:])}, got {', '.join(unknown)}")
    check_arguments(estimate_focal_position, arguments)
    # A blank image is refused, yet with the positions of the bins.
    found = estimate_focal_position(np.zeros((64, 64)), **arguments)
    if found.status in (status.OUT_OF_DOMAIN, status.OUT_OF_RANGE):
        raise ValueError(f"the model would answer for no image: {found.reason}")
    model = arguments.get("model", command_spec(estimate_focal_position).parameter("model").default)
    calibration = read_config(model_folder(model, TASK)).get("calibration", {})
    return ModelEstimator(arguments, (float(found.positions_um[0]), float(found.positions_um[-1])), calibration)
