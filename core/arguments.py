"""Arguments of a command as hosts hand them over: by name, as text where a person wrote them."""

from __future__ import annotations

from typing import Any

from parfocal.commands import CommandSpec, ParameterSpec

# What turns a switch on and off, in any case.
_SWITCHED = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


def read_arguments(given: dict[str, Any], spec: CommandSpec) -> dict[str, Any]:
    """Arguments of a command, text read as what it stands for; empty text and None are left out.

    Raises
    ------
    ValueError
        Where a number is none, or the command takes no such argument.
    """
    parameters = {parameter.name: parameter for parameter in spec.parameters if not parameter.param.array}
    for name in given:
        if name not in parameters:
            raise ValueError(f"{spec.name} takes no {name!r}, it takes {', '.join(parameters)}")
    filled = {name: value for name, value in given.items() if value is not None and value != ""}
    return {
        name: parsed(value, parameters[name]) if isinstance(value, str) else value for name, value in filled.items()
    }


def parsed(text: str, parameter: ParameterSpec) -> Any:
    """Read an argument from text, None where that is empty.

    Raises
    ------
    ValueError
        Where a number is none, a switch is neither on nor off, or something is needed and empty.
    """
    text, label = text.strip(), parameter.param.label or parameter.name
    if not text:
        if parameter.required:
            raise ValueError(f"{label} must be given")
        return None
    if parameter.type == "tuple":
        return tuple(text.replace(",", " ").split())
    if parameter.type == "bool":
        if text.lower() not in _SWITCHED:
            raise ValueError(f"{parameter.name} must be one of {', '.join(_SWITCHED)}, got {text!r}")
        return _SWITCHED[text.lower()]
    if parameter.type not in ("int", "float"):
        return text
    try:
        return int(text) if parameter.type == "int" else float(text)
    except ValueError as error:
        kind = "a whole number" if parameter.type == "int" else "a number"
        raise ValueError(f"{label} must be {kind}, got {text!r}") from error
