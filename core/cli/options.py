"""Command line options built from the definition of a command: nothing is written down twice."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from typing import Any

from parfocal.commands import CommandSpec, ParameterSpec

_NUMBERS: dict[str, Callable[[str], Any]] = {"int": int, "float": float}
# Choices that take more than this are told in the help: they would stretch the line of usage.
_LONGEST_CHOICES = 40


def add_command_options(parser: Any, spec: CommandSpec, positional: tuple[str, ...] = ()) -> None:
    """Add the parameters of a command that are no arrays to a parser or a group of options.

    Those named in `positional` go by their place, `output` is -o as well; the others are options, with dashes. What is
    not given stays out of the result, so that the command's own default holds.
    """
    asked = [parameter for parameter in spec.parameters if not parameter.param.array]
    for parameter in asked:
        text, kind = _help(parameter, asked, positional), _kind(parameter)
        if parameter.name in positional:
            left_out = {} if parameter.required else {"nargs": "?", "default": argparse.SUPPRESS}
            parser.add_argument(parameter.name, help=text, **{**kind, "metavar": parameter.name.upper(), **left_out})
            continue
        flags = ("-o", "--output") if parameter.name == "output" else (_flag(parameter.name),)
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
        return {"choices": parameter.param.choices, **({"metavar": "NAME"} if _has_long_choices(parameter) else {})}
    if parameter.type in _NUMBERS:
        return {"type": _checked(parameter), "metavar": "NUMBER"}
    return {"metavar": "FOLDER" if parameter.name == "output" else (parameter.param.path or "text").upper()}


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _has_long_choices(parameter: ParameterSpec) -> bool:
    choices = parameter.param.choices
    return "" in choices or len(",".join(choices)) > _LONGEST_CHOICES


def _checked(parameter: ParameterSpec) -> Callable[[str], float]:
    """Convert and check a number; argparse names the option when this refuses it."""

    def convert(text: str) -> float:
        try:
            value = _NUMBERS[parameter.type](text)
        except ValueError as error:
            kind = "a whole number" if parameter.type == "int" else "a number"
            raise argparse.ArgumentTypeError(f"must be {kind}, got {text!r}") from error
        try:
            parameter.param.check(parameter.name, value)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error
        return value

    return convert


def _help(parameter: ParameterSpec, asked: list[ParameterSpec], positional: tuple[str, ...]) -> str:
    """Help of an option; other options go by their names here, and what is told of several is told once."""
    alike = [other.name for other in asked if other.help == parameter.help]
    if len(alike) == 1:
        text = parameter.help
    elif parameter.name == alike[0]:
        text = f"{', '.join(map(_flag, alike[:-1]))} and {_flag(alike[-1])}: {parameter.help}"
    else:
        text = f"See {_flag(alike[0])}."
    for name in (other.name for other in asked):
        text = re.sub(f"`{name}`", name.upper() if name in positional else _flag(name), text)
    if parameter.param.choices and _has_long_choices(parameter):
        text += f" One of {', '.join(choice or repr('') for choice in parameter.param.choices)}."
    told = ", ".join(_facts(parameter))
    return (f"{text} ({told})" if told else text).replace("%", "%%")


def _facts(parameter: ParameterSpec) -> list[str]:
    param = parameter.param
    facts = [param.unit]
    if param.minimum is not None and param.maximum is not None:
        facts.append(f"{param.minimum:g} to {param.maximum:g}")
    elif param.minimum is not None:
        facts.append(f"from {param.minimum:g}")
    if parameter.default not in (None, (), False, ""):
        told = "yes" if parameter.default is True else parameter.default
        facts.append(f"default `{told}`" if told == "default" else f"default {told}")
    return list(filter(None, facts))
