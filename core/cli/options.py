"""Command line options built from the definition of a command: nothing is written down twice."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from parfocal.commands import CommandSpec, ParameterSpec

_NUMBERS: dict[str, Callable[[str], Any]] = {"int": int, "float": float}


def add_command_options(parser: Any, spec: CommandSpec, positional: tuple[str, ...] = ()) -> None:
    """Add the parameters of a command that are no arrays to a parser or a group of options.

    Those named in `positional` go by their place, `output` is -o as well; the others are options, with dashes. What is
    not given stays out of the result, so that the command's own default holds.
    """
    for parameter in spec.parameters:
        text = _help(parameter)
        kind = _kind(parameter)
        if parameter.param.array:
            continue
        if parameter.name in positional:
            left_out = {} if parameter.required else {"nargs": "?", "default": argparse.SUPPRESS}
            parser.add_argument(parameter.name, help=text, **{**kind, "metavar": parameter.name.upper(), **left_out})
            continue
        flags = ("-o", "--output") if parameter.name == "output" else ("--" + parameter.name.replace("_", "-"),)
        parser.add_argument(
            *flags,
            dest=parameter.name,
            default=argparse.SUPPRESS,
            required=parameter.required,
            help=text,
            **kind,
        )


def given_arguments(options: argparse.Namespace, spec: CommandSpec) -> dict[str, Any]:
    """Arguments of a command that were given on the command line."""
    return {p.name: getattr(options, p.name) for p in spec.parameters if hasattr(options, p.name)}


def _kind(parameter: ParameterSpec) -> dict[str, Any]:
    """Arguments of `add_argument` that depend on the type."""
    if parameter.type == "bool":
        return {"action": argparse.BooleanOptionalAction}
    if parameter.type == "tuple":
        return {"nargs": "+", "action": "extend", "metavar": "NAME"}
    if parameter.param.choices:
        return {"choices": parameter.param.choices}
    if parameter.type in _NUMBERS:
        return {"type": _checked(parameter), "metavar": "NUMBER"}
    return {"metavar": "TEXT"}


def _checked(parameter: ParameterSpec) -> Callable[[str], float]:
    """Convert and check a number; argparse names the option when this refuses it."""

    def convert(text: str) -> float:
        try:
            value = _NUMBERS[parameter.type](text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"must be a number, got {text!r}") from error
        try:
            parameter.param.check(parameter.name, value)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error
        return value

    return convert


def _help(parameter: ParameterSpec) -> str:
    param = parameter.param
    facts = [param.unit]
    if param.minimum is not None and param.maximum is not None:
        facts.append(f"{param.minimum:g} to {param.maximum:g}")
    elif param.minimum is not None:
        facts.append(f"from {param.minimum:g}")
    if parameter.default not in (None, (), False, ""):
        facts.append(f"default {'yes' if parameter.default is True else parameter.default}")
    told = ", ".join(filter(None, facts))
    return f"{parameter.help} ({told})".replace("%", "%%") if told else parameter.help.replace("%", "%%")
