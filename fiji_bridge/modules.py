"""Commands as SciJava modules: found by the search bar, run by `ij.module()` and by scripts of any language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from jpype import JArray, JClass, JImplements, JObject, JOverride, JProxy

from parfocal.arguments import parsed
from parfocal.commands import ParameterSpec

from .commands import MENU, ImageJCommand
from .imagej1 import in_thread, is_headless, log_unexpected
from .other_images import image_parameters
from .progress import Cancelled

_OUTPUTS = {
    "features": "java.util.Map",
    "status": "java.lang.String",
    "reason": "java.lang.String",
    "warnings": "java.lang.String",
}


def module_info(command: ImageJCommand) -> Any:
    """Make what SciJava wants to know of a command, from its definition."""
    module = JClass("org.scijava.module.DefaultMutableModuleInfo")()
    module.setName(command.spec.name)
    module.setLabel(command.name)
    module.setDescription(command.spec.summary)
    path = JClass("org.scijava.MenuPath")(" > ".join([*MENU, command.label]))
    module.setMenuPath(path)
    if command.takes_image:
        module.addInput(_item(module, "image", "ij.ImagePlus", required=True))
    for parameter in command.spec.parameters:
        if not parameter.param.array:
            module.addInput(_input(module, parameter))
    for parameter in image_parameters(command.spec):
        module.addInput(_other_image(module, parameter))
    for name, kind in _output_kinds(command).items():
        module.addOutput(_item(module, name, kind, required=False))
    return _proxy_class("org.scijava.module.ModuleInfo", _Info)(module, command)


class _Info:
    """Answers as the Java object behind it, but makes modules that run Python."""

    def __init__(self, behind: Any, command: ImageJCommand) -> None:
        self.behind, self.command = behind, command

    def createModule(self) -> Any:
        return _modules().create(_taken_types(), JArray(JObject)([self.behind]), _Run(self.command))

    def getDelegateClassName(self) -> str:
        return f"parfocal.{self.command.spec.name}"

    def getIdentifier(self) -> str:
        return f"parfocal:{self.command.spec.name}"


@JImplements("javassist.util.proxy.MethodHandler", deferred=True)
class _Run:
    """Runs the command where a module of Java is to run."""

    def __init__(self, command: ImageJCommand) -> None:
        self.command = command

    @JOverride
    def invoke(self, module: Any, method: Any, proceed: Any, arguments: Any) -> None:
        """Take inputs from the module and give it outputs."""
        try:
            image = module.getInput("image") if self.command.takes_image else None
            outputs = self.command.run(_arguments(self.command, module), image)
        except Cancelled as error:
            raise JClass("java.lang.RuntimeException")(f"{self.command.name}: {error}") from error
        except Exception as error:
            # A Python error would reach Java without its text; and SciJava shows none.
            title, text = self.command.name, log_unexpected(error)
            if not is_headless():
                in_thread(title, lambda: JClass("ij.IJ").error(title, text))
            raise JClass("java.lang.RuntimeException")(f"{title}: {text}") from error
        for name in _output_kinds(self.command):
            if name in outputs:
                value = outputs[name]
                module.setOutput(name, _map(value) if isinstance(value, Mapping) else value)
                # Else SciJava would show what the command has shown already.
                module.resolveOutput(name)


@lru_cache(maxsize=1)
def _modules() -> Any:
    """What makes modules of SciJava whose `run` alone is Python's.

    SciJava asks a module some two hundred things for each run: of an object of Python that took 15 ms.
    """
    factory = JClass("javassist.util.proxy.ProxyFactory")()
    factory.setSuperclass(JClass("org.scijava.module.DefaultMutableModule").class_)
    is_run = {"isHandled": lambda method: str(method.getName()) == "run"}
    factory.setFilter(JProxy("javassist.util.proxy.MethodFilter", dict=is_run))
    return factory


def _taken_types() -> Any:
    return JArray(JClass("java.lang.Class"))([JClass("org.scijava.module.MutableModuleInfo").class_])


@lru_cache(maxsize=8)
def _proxy_class(interface: str, base: type) -> type:
    """A class that implements a Java interface: by its own methods, the others by those of the object behind it."""
    methods = {str(method.getName()) for method in JClass(interface).class_.getMethods()}
    members = {name: JOverride(getattr(base, name, None) or _passed_on(name)) for name in methods}
    return JImplements(interface)(type(base.__name__, (base,), members))


def _passed_on(name: str) -> Callable[..., Any]:
    # Of names that are words of Python, JPype has those with an underscore.
    java_name = f"{name}_" if name == "is" else name

    def method(self: Any, *arguments: Any) -> Any:
        return getattr(self.behind, java_name)(*arguments)

    return method


def _output_kinds(command: ImageJCommand) -> dict[str, str]:
    return {**(_OUTPUTS if command.category else {}), **dict.fromkeys(command.images, "ij.ImagePlus")}


def _arguments(command: ImageJCommand, module: Any) -> dict[str, Any]:
    from parfocal.batch.arguments import FROM_FILE

    given = {}
    for parameter in command.spec.parameters:
        value = None if parameter.param.array else module.getInput(parameter.name)
        if value is not None:
            given[parameter.name] = bool(value) if parameter.type == "bool" else parsed(str(value), parameter)
    others = {parameter.name: module.getInput(parameter.name) for parameter in image_parameters(command.spec)}
    known = {name: value for name, value in {**given, **others}.items() if value is not None}
    # Whether a default was chosen or filled in cannot be told: what the image states counts more.
    return {name: value for name, value in known.items() if name not in FROM_FILE or value != _default(command, name)}


def _default(command: ImageJCommand, name: str) -> Any:
    return command.spec.parameter(name).default


def _input(module: Any, parameter: ParameterSpec) -> Any:
    """A parameter as an item of a dialog; a number that may be left out is text, which can be empty."""
    kinds = {"bool": "java.lang.Boolean", "int": "java.lang.Integer", "float": "java.lang.Double"}
    optional = parameter.default is None and not parameter.required
    kind = "java.lang.String" if optional else kinds.get(parameter.type, "java.lang.String")
    item = _item(module, parameter.name, kind, parameter.required)
    unit = f" ({parameter.param.unit})" if parameter.param.unit else ""
    item.setLabel((parameter.param.label or parameter.name) + unit)
    item.setDescription(parameter.help)
    java = JClass(kind)
    if parameter.default is not None and parameter.type != "tuple":
        item.setDefaultValue(java(parameter.default))
    if kind in ("java.lang.Integer", "java.lang.Double"):
        if parameter.param.minimum is not None:
            item.setMinimumValue(java(_number(parameter.param.minimum, kind)))
        if parameter.param.maximum is not None:
            item.setMaximumValue(java(_number(parameter.param.maximum, kind)))
    if parameter.param.choices:
        item.setChoices(JClass("java.util.Arrays").asList(list(parameter.param.choices)))
    return item


def _other_image(module: Any, parameter: ParameterSpec) -> Any:
    """An image beside the one that is measured: for scripts, since SciJava would fill in the image in front."""
    item = _item(module, parameter.name, "ij.ImagePlus", required=False)
    item.setAutoFill(False)
    item.setVisibility(JClass("org.scijava.ItemVisibility").INVISIBLE)
    item.setLabel(parameter.param.label)
    item.setDescription(parameter.help)
    return item


def _number(value: float, kind: str) -> float:
    return int(value) if kind == "java.lang.Integer" else float(value)


def _item(module: Any, name: str, kind: str, required: bool) -> Any:
    item = JClass("org.scijava.module.DefaultMutableModuleItem")(module, name, JClass(kind).class_)
    item.setRequired(required)
    item.setPersisted(False)
    return item


def _map(values: Mapping[str, Any]) -> Any:
    made = JClass("java.util.LinkedHashMap")()
    for name, value in values.items():
        made.put(name, JClass("java.lang.Double")(float(value)))
    return made
