"""ImageJ's dialog for the parameters of a command, made from its definition; in a macro its options answer."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Optional

from jpype import JArray, JClass, JString

from parfocal.arguments import parsed
from parfocal.commands import CommandSpec, ParameterSpec

from .other_images import NO_IMAGE, image_parameters, open_titles

_COLUMNS = 24

# Names in the options of a macro: alone, or with a value, which stands in brackets where it has spaces.
_NAMED = re.compile(r"(?:^|\s)(\w+)(?:=(?:\[[^\]]*\]|\S*))?(?=\s|$)")


def ask(
    spec: CommandSpec,
    title: str,
    headless: bool,
    stated: Callable[[], dict[str, Any]],
    asked_later: Sequence[str] = (),
) -> Optional[dict[str, Any]]:
    """Ask for the arguments of a command; None where the dialog is cancelled.

    What is left empty or out leaves the argument out, so that the command's own default holds. Where a default would be
    shown, what the image states is shown instead. Parameters that are asked later are no part of the dialog.

    Raises
    ------
    ValueError
        Where a number is none, a switch is neither on nor off, or something is needed and not given.
    """
    options = JClass("ij.Macro").getOptions()
    if options is not None or headless:
        return arguments_from("" if options is None else str(options), spec)
    known = stated()
    parameters = [
        replace(p, default=known[p.name]) if p.name in known and p.default is not None else p
        for p in _shown_parameters(spec)
        if p.name not in asked_later
    ]
    dialog = _dialog(spec, title, parameters)
    dialog.showDialog()
    if dialog.wasCanceled():
        return None
    return _known({parameter.name: _field(dialog, parameter) for parameter in parameters})


def arguments_from(options: str, spec: CommandSpec, ignored: Sequence[str] = ()) -> dict[str, Any]:
    """Arguments in the options of a macro, where parameters go by their names; a switch is on if named, off by `=no`.

    Raises
    ------
    ValueError
        As `ask`; and where a name is neither a parameter nor ignored: a misspelt one would leave the default standing.
    """
    names = [parameter.name for parameter in _shown_parameters(spec)]
    for name in _NAMED.findall(options):
        if name not in (*names, *ignored):
            raise ValueError(f"options must be among {', '.join(names)}, got {name} (text with spaces stands in [ ])")
    return _known({parameter.name: _option(options, parameter) for parameter in _shown_parameters(spec)})


def _shown_parameters(spec: CommandSpec) -> list[ParameterSpec]:
    return [*(parameter for parameter in spec.parameters if not parameter.param.array), *image_parameters(spec)]


def _known(arguments: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}


def _dialog(spec: CommandSpec, title: str, parameters: Sequence[ParameterSpec]) -> Any:
    dialog = JClass("ij.gui.GenericDialog")(title)
    for parameter in parameters:
        _add_field(dialog, parameter)
    dialog.addHelp(_help(spec.summary, parameters))
    return dialog


def _add_field(dialog: Any, parameter: ParameterSpec) -> None:
    name, default = parameter.name, parameter.default
    before = dialog.getComponentCount()
    if parameter.type == "bool":
        dialog.addCheckbox(name, bool(default))
    elif parameter.param.array:
        dialog.addChoice(name, JArray(JString)([NO_IMAGE, *open_titles()]), NO_IMAGE)
    elif parameter.param.choices:
        dialog.addChoice(name, JArray(JString)(list(parameter.param.choices)), default)
    elif parameter.param.path == "folder":
        dialog.addDirectoryField(name, default or "", _COLUMNS)
    elif parameter.param.path == "file":
        dialog.addFileField(name, default or "", _COLUMNS)
    else:
        dialog.addStringField(name, _text(default), _COLUMNS if parameter.type == "str" else _COLUMNS // 3)
    _show_label(dialog, before, _shown(parameter))


def _show_label(dialog: Any, start: int, text: str) -> None:
    """Show a label in place of the name that macros use; without a window there is none."""
    for index in range(start, dialog.getComponentCount()):
        component = dialog.getComponent(index)
        if isinstance(component, JClass("java.awt.Label")):
            component.setText(text)
            return
        if isinstance(component, JClass("java.awt.Checkbox")):
            component.setLabel(text)
            return


def _field(dialog: Any, parameter: ParameterSpec) -> Any:
    if parameter.type == "bool":
        on = bool(dialog.getNextBoolean())
        if parameter.default and not on and is_recording():
            # ImageJ records only what is on; what a macro leaves out has its default.
            JClass("ij.plugin.frame.Recorder").recordOption(parameter.name, "no")
        return on
    if parameter.param.array:
        title = str(dialog.getNextChoice())
        return None if title == NO_IMAGE else title
    if parameter.param.choices:
        return str(dialog.getNextChoice())
    return parsed(str(dialog.getNextString()), parameter)


def is_recording() -> bool:
    """Whether the macro recorder is open."""
    return bool(JClass("ij.plugin.frame.Recorder").record)


def _option(options: str, parameter: ParameterSpec) -> Any:
    if parameter.param.array:
        return str(JClass("ij.Macro").getValue(options, parameter.name, "")) or None
    if parameter.type != "bool":
        return parsed(str(JClass("ij.Macro").getValue(options, parameter.name, "")), parameter)
    found = re.search(rf"(?:^|\s){parameter.name}(?:=(\[[^\]]*\]|\S*))?(?=\s|$)", options)
    if found is None:
        return None
    return True if found[1] is None else parsed(found[1].strip("[]"), parameter)


def _shown(parameter: ParameterSpec) -> str:
    unit = f" ({parameter.param.unit})" if parameter.param.unit else ""
    return (parameter.param.label or parameter.name.replace("_", " ")) + unit


def _text(default: Any) -> str:
    if default is None:
        return ""
    return " ".join(default) if isinstance(default, tuple) else str(default)


def _help(summary: str, parameters: Sequence[ParameterSpec]) -> str:
    rows = "".join(f"<p><b>{html.escape(_shown(p))}</b><br>{html.escape(p.help)}</p>" for p in parameters)
    return f"<html><div style='width: 400px'><p>{html.escape(summary)}</p>{rows}</div></html>"
