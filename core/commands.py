"""Commands are ordinary functions; their signature and docstring are the one definition that every front reads."""

from __future__ import annotations

import inspect
import numbers
import os
import re
import typing
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, Optional, TypeVar

import numpy as np


@dataclass(frozen=True)
class Param:
    """What a front needs to know of a parameter beyond its type.

    Unit, range, choices, whether it is an array, a label to show, and whether a text names a `folder` or a `file`.
    """

    unit: str = ""
    minimum: Optional[float] = None
    maximum: Optional[float] = None
    choices: tuple[str, ...] = ()
    array: bool = False
    label: str = ""
    path: str = ""

    def check(self, name: str, value: Any) -> None:
        """Raise ValueError (TypeError for text), with the range and the value, where a value lies outside."""
        if value is None or self.array:
            return
        if self.choices and value not in self.choices:
            raise ValueError(f"{name} must be one of {', '.join(self.choices)}, got {value!r}")
        low, high = self.minimum, self.maximum
        if low is None and high is None:
            return
        if not isinstance(value, numbers.Real) or isinstance(value, bool):
            raise TypeError(f"{name} must be a number{self._range()}, got {value!r}")
        number = float(value)
        if not ((low is None or number >= low) and (high is None or number <= high)):
            raise ValueError(f"{name} must be{self._range()}, got {value!r}")

    def _range(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        if self.maximum is None:
            return f" at least {self.minimum}{unit}"
        if self.minimum is None:
            return f" at most {self.maximum}{unit}"
        return f" in [{self.minimum}, {self.maximum}]{unit}"


@dataclass(frozen=True)
class ParameterSpec:
    """One parameter of a command as a front shows it."""

    name: str
    type: str
    default: Any
    required: bool
    help: str
    param: Param


@dataclass(frozen=True)
class CommandSpec:
    """A command as a front shows it: name, one sentence, parameters in order."""

    name: str
    summary: str
    parameters: tuple[ParameterSpec, ...]

    def parameter(self, name: str) -> ParameterSpec:
        """Look a parameter up by name (KeyError where there is none)."""
        return {parameter.name: parameter for parameter in self.parameters}[name]

    def as_dict(self) -> dict[str, Any]:
        """Plain dictionaries, ready for JSON."""
        return asdict(self)


_F = TypeVar("_F", bound=Callable[..., Any])


def command(function: _F) -> _F:
    """Mark a function as a command: `help` shows its parameters with plain types, without what fronts read."""
    hints = typing.get_type_hints(function, include_extras=True)
    signature = inspect.signature(function)
    plain = [p.replace(annotation=_plain(hints[p.name])) for p in signature.parameters.values()]
    returned = hints.get("return", signature.return_annotation)
    function.__signature__ = signature.replace(parameters=plain, return_annotation=returned)  # type: ignore[attr-defined]
    return function


def _plain(hint: Any) -> Any:
    """Annotated[X, ...] to X, also inside the Optional that Python before 3.11 puts around it."""
    bare = _without_none(hint)
    if typing.get_origin(bare) is not typing.Annotated:
        return hint
    return bare.__origin__ if bare is hint else Optional[bare.__origin__]


@lru_cache(maxsize=64)
def command_spec(command: Callable[..., Any]) -> CommandSpec:
    """Read the specification of a command off its signature, annotations and numpy docstring."""
    hints = typing.get_type_hints(command, include_extras=True)
    helps = _docstring_helps(inspect.getdoc(command) or "")
    parameters = []
    for name, parameter in inspect.signature(command).parameters.items():
        bare, param = _split_annotation(hints[name])
        required = parameter.default is inspect.Parameter.empty
        default = None if required else parameter.default
        parameters.append(ParameterSpec(name, bare, default, required, helps.get(name, ""), param))
    summary = (inspect.getdoc(command) or "").split("\n")[0]
    return CommandSpec(command.__name__, summary, tuple(parameters))


def check_arguments(command: Callable[..., Any], arguments: dict[str, Any]) -> None:
    """Check arguments of a command against the types, ranges and choices of its definition.

    Raises
    ------
    TypeError, ValueError
        With the name of the argument, what it must be, and the value.
    """
    for parameter in command_spec(command).parameters:
        if parameter.name not in arguments:
            continue
        value = arguments[parameter.name]
        _check_type(parameter, value)
        parameter.param.check(parameter.name, value)


def _check_type(parameter: ParameterSpec, value: Any) -> None:
    """Raise TypeError for None where something is needed, for no switch, and for no text (numbers: `Param.check`)."""
    if value is None and (parameter.required or parameter.default is not None):
        raise TypeError(f"{parameter.name} must be given, got None")
    if value is None or parameter.param.array:
        return
    if parameter.type == "bool" and not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{parameter.name} must be True or False, got {value!r}")
    if parameter.type == "int" and not isinstance(value, numbers.Integral):
        raise TypeError(f"{parameter.name} must be a whole number, got {value!r}")
    if parameter.type == "str" and not isinstance(value, (str, os.PathLike)):
        raise TypeError(f"{parameter.name} must be text or a path, got {value!r}")


def _split_annotation(hint: Any) -> tuple[str, Param]:
    # Python before 3.11 makes Optional[Annotated[...]] of an annotated parameter whose default is None.
    hint = _without_none(hint)
    param = Param()
    if typing.get_origin(hint) is typing.Annotated:
        param = next((extra for extra in hint.__metadata__ if isinstance(extra, Param)), param)
        hint = _without_none(hint.__origin__)
    return getattr(hint, "__name__", str(hint)), param


def _without_none(hint: Any) -> Any:
    """Return X for Optional[X]."""
    options = [option for option in typing.get_args(hint) if option is not type(None)]
    return options[0] if typing.get_origin(hint) is typing.Union and options else hint


def _docstring_helps(doc: str) -> dict[str, str]:
    """Texts of the Parameters section of a numpy docstring, by parameter name."""
    match = re.search(r"^Parameters\n-+\n(.*?)(?=^\w[^\n]*\n-+\n|\Z)", doc, re.M | re.S)
    helps: dict[str, str] = {}
    names: list[str] = []
    for line in match.group(1).splitlines() if match else []:
        if line and not line.startswith(" "):
            names = [name.strip() for name in line.split(":")[0].split(",")]
        else:
            for name in names:
                helps[name] = f"{helps.get(name, '')} {line.strip()}".strip()
    return helps
