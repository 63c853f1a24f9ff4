"""What a person is asked who holds focus, put together from its definitions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from parfocal.commands import Param, command, command_spec
from parfocal.focal_position.estimate import estimate_focal_position
from parfocal.focus_control.estimators import ESTIMATORS, MODEL, calibrate_in_place, fitting_settings
from parfocal.focus_control.settings import HoldFocus


@command
@dataclass(frozen=True)
class HoldingChoice:
    """By what focus is held, and where that is written down.

    Parameters
    ----------
    estimator : str
        A focal-position `model`, or a focus `metric` that is learned from one sweep at the start.
    log : str
        CSV to write, a row for each decision; it must not exist yet.
    """

    estimator: Annotated[str, Param(choices=ESTIMATORS, label="Estimator")] = MODEL
    log: Annotated[str, Param(label="Log")] = ""

    def __post_init__(self) -> None:
        command_spec(HoldingChoice).parameter("estimator").param.check("estimator", self.estimator)


@dataclass(frozen=True)
class Asked:
    """What was asked for.

    Attributes
    ----------
    choice : HoldingChoice
    settings : HoldFocus
        With known optics the distances that were not given fit the depth of field.
    told : dict
        Of `estimate_focal_position`.
    calibration : dict
        Of `calibrate_in_place`.
    """

    choice: HoldingChoice
    settings: HoldFocus
    told: dict[str, Any]
    calibration: dict[str, Any]

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> Asked:
        """Sort arguments by what they are for; a setting at its default counts as not given.

        Raises
        ------
        TypeError, ValueError
            Where one is wrong, or is for nothing.
        """
        of = {source: _given(source, arguments) for source in SOURCES}
        unknown = set(arguments).difference(*of.values())
        if unknown:
            raise TypeError(f"arguments must be known to Hold Focus, got {', '.join(sorted(unknown))}")
        told = of[estimate_focal_position]
        spec = command_spec(HoldFocus)
        given = {name: value for name, value in of[HoldFocus].items() if value != spec.parameter(name).default}
        settings = fitting_settings(given, told)
        return cls(HoldingChoice(**of[HoldingChoice]), settings, told, of[calibrate_in_place])

    def learned_alike(self, other: Asked) -> bool:
        """Whether what was learned for the other can be held by: the same estimator of the same kind."""
        metric = self.settings.focus_metric == other.settings.focus_metric
        return self.choice.estimator == other.choice.estimator and self.told == other.told and metric


# Those that all questions come from.
SOURCES: tuple[Any, ...] = (HoldingChoice, HoldFocus, estimate_focal_position, calibrate_in_place)


def _given(source: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
    names = [parameter.name for parameter in command_spec(source).parameters if not parameter.param.array]
    return {name: arguments[name] for name in names if name in arguments}
