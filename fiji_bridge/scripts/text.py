"""Text of the scripts: a dialog from the definition of a command, and a call of what all of them share."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Any

from parfocal.batch.arguments import FROM_FILE
from parfocal.commands import ParameterSpec
from parfocal.worker.calls import COMMANDS as TASKS
from parfocal.worker.tasks import BATCHES

from ..commands import COMMANDS, ImageJCommand
from ..functions import FROM_ZERO, FUNCTIONS, LABEL
from ..hold_options import ACTION, CALIBRATING, GROUPS
from ..options import EACH_PLANE, FOLDER, ONLY_FLAGGED, OUTPUT, OVERLAY, PLOT, ROIS

# What all scripts share; names end so that Fiji takes none for a command.
START = "ParfocalStart"
SHARED = (
    START,
    "ParfocalPixels",
    "ParfocalAppose",
    "ParfocalWorker",
    "ParfocalPlaces",
    "ParfocalMemory",
    "ParfocalOverlay",
    "ParfocalRows",
    "ParfocalCommand",
)
EXTENSIONS = "macro_extensions"
HOLDING = ("ParfocalHoldCharts", "ParfocalHoldWindow", "ParfocalHolding", "ParfocalHold")
# What does more than ask the worker and show rows and images, by the script's name; the last is the command.
FRONTS = {
    "split_defocused": ("ParfocalThreshold", "ParfocalSplit"),
    "measure_bead_focal_plane": ("ParfocalBeads",),
    "hold_focus": ("ParfocalSession", "ParfocalAcquisition", "ParfocalCore", *HOLDING),
    EXTENSIONS: ("ParfocalExtensions",),
    "label_images": ("ParfocalSession", "ParfocalLabelWindow", "ParfocalLabels"),
}
# The task of such a script, where that has another name.
_TASKS = {"split_defocused": "flag_defocused"}
SUFFIX = ".lib"
# What the dialog of Hold Focus asks, beside what its window does; all the rest can be given in macros.
_HELD_BY = {ACTION.name, *(name for group, names in GROUPS.items() if group != CALIBRATING for name in names)}
# What scripts ask of what ImageJ asks beside the parameters of a command.
_SHOWING = (EACH_PLANE.name, OVERLAY.name, PLOT.name, ROIS.name)
_OPTIONS = (*_SHOWING, ACTION.name, FOLDER.name, OUTPUT.name, ONLY_FLAGGED.name)
# Images beside the one in front, named by their titles.
_OTHER_IMAGES = ("mask_yx", "labels_yx")
_KINDS = {"bool": "Boolean", "int": "Integer", "float": "Double"}
_STYLES = {"folder": "directory", "file": "open"}

# Fiji compiles them at each call: few lines, and names that are found at once. What begins is compiled where it is run.
_SCRIPT = """\
#@ ScriptService parfocalScripts
#@ ObjectService parfocalObjects
{parameters}
// {label} of Parfocal {version}, written by parfocal install fiji, which replaces it.
for (parfocal in parfocalObjects.getObjects(EventListener)) {{
    if (parfocal.toString() == "Parfocal scripts") return parfocal.accept("{name}", binding.variables)
}}
evaluate('''
for (folder in parfocalScripts.scriptDirectories) {{
    def start = new File(folder, "{start}")
    if (start.file) {{
        def parfocal = new GroovyClassLoader(this.class.classLoader).parseClass(start).begin(start, parfocalObjects)
        return parfocal.accept("{name}", binding.variables)
    }}
}}
throw new IllegalStateException("Parfocal is not whole in this Fiji: run again: parfocal install fiji FOLDER")
''')
"""


def scripted_commands() -> list[ImageJCommand]:
    """Commands of ImageJ that are tasks of the worker; others have windows of their own."""
    return [command for command in COMMANDS if command.spec.name in {*TASKS, *BATCHES, *FRONTS}]


def file_name(label: str) -> str:
    """Name of a script, of which Fiji makes the label in its menu."""
    return f"{label.replace(' ', '_')}.groovy"


def extensions_script() -> str:
    """Text of the script that gives a macro its functions."""
    return _filled("", LABEL, EXTENSIONS)


def described_extensions() -> dict[str, Any]:
    """What it shares with the others: the functions, each with its command."""
    by_label = {command.name: command for command in COMMANDS}
    told = [
        {
            "name": function.name,
            "outputs": function.outputs,
            "from_zero": FROM_ZERO,
            "command": described(by_label[function.label]),
        }
        for function in FUNCTIONS
    ]
    front = {"label": LABEL, "front": FRONTS[EXTENSIONS], "arguments": [], "options": [], "yielding": {}}
    return {**front, "functions": told}


def script(command: ImageJCommand) -> str:
    """Text of the script of a command."""
    lines = [_line(parameter, _is_hidden(command, parameter.name)) for parameter in _asked(command)]
    return _filled("\n".join(lines), command.name, command.spec.name)


def _filled(parameters: str, label: str, name: str) -> str:
    return _SCRIPT.format(
        parameters=parameters,
        label=label,
        name=name,
        version=version("parfocal"),
        start=f"Plugins/Parfocal/{START}{SUFFIX}",
    )


def described(command: ImageJCommand) -> dict[str, Any]:
    """What the scripts share of a command: how its results are called, and which inputs are whose.

    `yielding` are defaults of the dialog that count less than what the image states.
    """
    asked = _asked(command)
    return {
        "label": command.name,
        "front": FRONTS.get(command.spec.name, ("ParfocalCommand",)),
        "task": _TASKS.get(command.spec.name, command.spec.name),
        "category": command.category,
        "restores": command.front.endswith(":restore"),
        "plane_by_plane": command.front.endswith(":estimate"),
        "switches": [p.name for p in asked if p.type == "bool"],
        "arguments": [p.name for p in asked if p.name not in _SHOWING + _OTHER_IMAGES],
        "options": [p.name for p in asked if p.name in _SHOWING + _OTHER_IMAGES],
        "yielding": {p.name: p.default for p in asked if p.name in FROM_FILE and p.default is not None},
    }


def _asked(command: ImageJCommand) -> list[ParameterSpec]:
    unknown = {option.name for option in command.options if option.name not in _OPTIONS}
    asked = [p for p in command.spec.parameters if not p.param.array and p.name not in unknown]
    return [*asked, *(p for p in command.spec.parameters if p.name in _OTHER_IMAGES and command.category)]


def _is_hidden(command: ImageJCommand, name: str) -> bool:
    """Whether the dialog leaves a parameter to macros and scripts."""
    return name in command.asked_later or (command.spec.name == "hold_focus" and name not in _HELD_BY)


def _line(parameter: ParameterSpec, hidden: bool = False) -> str:
    """A parameter as an item of Fiji's dialog; a number that may be left out is text, which can be empty."""
    param, default = parameter.param, parameter.default
    optional = default is None and not parameter.required
    kind = "String" if optional else _KINDS.get(parameter.type, "String")
    if param.path:
        kind = "String" if optional else "File"
    unit = f" ({param.unit})" if param.unit else ", title of an open image" if param.array else ""
    attributes: dict[str, Any] = {
        "label": (param.label or parameter.name) + unit,
        "description": parameter.help,
        "required": parameter.required,
        "persist": False,
    }
    if hidden:
        attributes["visibility"] = "INVISIBLE"
    if param.path and not optional:
        attributes["style"] = _STYLES[param.path]
    if default is not None and parameter.type != "tuple":
        attributes["value"] = default
    if kind in ("Integer", "Double"):
        attributes.update({name: v for name, v in (("min", param.minimum), ("max", param.maximum)) if v is not None})
    told = ", ".join(f"{name}={json.dumps(value)}" for name, value in attributes.items())
    if param.choices:
        told += f", choices={{{', '.join(map(json.dumps, param.choices))}}}"
    return f"#@ {kind}({told}) {parameter.name}"
