"""The parameters of `autofocus` as properties of a method of Micro-Manager."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from parfocal.arguments import parsed
from parfocal.commands import ParameterSpec, check_arguments, command_spec
from parfocal.fiji_bridge.optional import need
from parfocal.focus_control.autofocus import autofocus

_ITEM = "org.micromanager.internal.utils.PropertyItem"


class AutofocusProperties:
    """Values of the parameters that were given; the others have their defaults.

    Parameters
    ----------
    device : str
        Whose properties they are.
    java : callable
        Gives a class of Java by its name.
    """

    def __init__(self, device: str, java: Callable[[str], Any]) -> None:
        self._device, self._java = device, java
        self.arguments: dict[str, Any] = {}

    def names(self) -> Any:
        """Names of all, as Java has them."""
        return need("jpype").JArray(need("jpype").JString)([parameter.name for parameter in _parameters()])

    def items(self) -> Any:
        """All with their values, as Java has them."""
        return need("jpype").JArray(self._java(_ITEM))([self._item(parameter) for parameter in _parameters()])

    def item(self, name: str) -> Any:
        """One of them; ValueError where there is none of that name."""
        return self._item(_parameter(name))

    def text(self, name: str) -> str:
        """Value as text, empty where nothing is given; ValueError as `item`."""
        return self._text(_parameter(name))

    def set(self, name: str, text: str) -> None:
        """Set a value, given as text; ValueError as `item`, or where it cannot be."""
        parameter = _parameter(name)
        value = parsed(text, parameter)
        given = {other: old for other, old in self.arguments.items() if other != name}
        given = given if value is None else {**given, name: value}
        check_arguments(autofocus, given)
        self.arguments = given

    def _text(self, parameter: ParameterSpec) -> str:
        value = self.arguments.get(parameter.name, parameter.default)
        return "" if value is None else str(value)

    def _item(self, parameter: ParameterSpec) -> Any:
        item, jpype = self._java(_ITEM)(), need("jpype")
        item.device, item.name, item.value = self._device, parameter.name, self._text(parameter)
        item.allowed = jpype.JArray(jpype.JString)(list(parameter.param.choices))
        # Text: a number may be left out, and in a local form would be read as another.
        item.type = self._java("mmcorej.PropertyType").valueOf("String")
        return item


def _parameters() -> list[ParameterSpec]:
    return [parameter for parameter in command_spec(autofocus).parameters if not parameter.param.array]


def _parameter(name: str) -> ParameterSpec:
    found = {parameter.name: parameter for parameter in _parameters()}
    if name not in found:
        raise ValueError(f"there is no property {name!r}: there are {', '.join(found)}")
    return found[name]
