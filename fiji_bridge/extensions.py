"""Functions for ImageJ macros that give the numbers of the image in front: `Ext.focusScore(score, certainty)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional

from jpype import JArray, JClass, JImplements, JInt, JOverride, JString

from .commands import COMMANDS, ImageJCommand
from .dialog import arguments_from
from .functions import FROM_ZERO, FUNCTIONS, Function
from .images import current_image


@JImplements("ij.macro.MacroExtension", deferred=True)
class Extensions:
    """The functions, as ImageJ asks for them."""

    def __init__(self, fail: Callable[[str, Exception], None]) -> None:
        self._fail = fail

    @JOverride
    def getExtensionFunctions(self) -> Any:
        """Describe name and arguments of each: outputs, and options as text that may be left out."""
        kinds, descriptor = JClass("ij.macro.MacroExtension"), JClass("ij.macro.ExtensionDescriptor")
        number, text = kinds.ARG_NUMBER | kinds.ARG_OUTPUT, kinds.ARG_STRING | kinds.ARG_OPTIONAL
        made = []
        for function in FUNCTIONS:
            arguments = JArray(JInt)([*(number for _ in function.outputs), text])
            made.append(descriptor(JString(function.name), arguments, self))
        return JArray(descriptor)(made)

    @JOverride
    def handleExtension(self, name: Any, arguments: Any) -> Optional[str]:
        """Measure the image in front, fill in the variables, and return the status."""
        function = next(function for function in FUNCTIONS if function.name == str(name))
        try:
            features, status = _measured(_command(function), arguments[len(function.outputs)])
        except Exception as error:
            self._fail(f"Ext.{function.name}", error)
            return None
        for place, output in enumerate(function.outputs):
            arguments[place][0] = JClass("java.lang.Double")(features[output] + (output in FROM_ZERO))
        return status


def _command(function: Function) -> ImageJCommand:
    return next(command for command in COMMANDS if command.name == function.label)


def _measured(command: ImageJCommand, options: Any) -> tuple[dict[str, float], str]:
    asked_too = [option.name for option in command.options]
    given = arguments_from("" if options is None else str(options), command.spec, asked_too)
    outputs = command.measure({**given, **dict.fromkeys((o.name for o in command.options), False)}, current_image())
    return outputs["features"], outputs["status"]
